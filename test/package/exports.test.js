'use strict'

// The CommonJS and the ES module faces export the same.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const telar = require('telar')
const Piscina = require('telar/piscina')
const { version } = require('../../package.json')

const names = [
  'AbortError', 'ArrayTaskQueue', 'Barrier', 'Channel', 'Condition', 'Counter', 'FixedQueue',
  'Latch', 'Mutex', 'Once', 'Pool', 'RwLock', 'Semaphore', 'TelarError', 'createSyncFn',
  'currentTask', 'isWorkerThread', 'move', 'notify', 'queueOptionsSymbol', 'runAsWorker', 'select',
  'selectSync', 'transferableSymbol', 'valueSymbol', 'version', 'wait', 'waitAsync', 'workerData'
]

test('require() and import give the same exports of telar', async () => {
  const module = await import('telar')
  assert.deepEqual(Object.keys(telar).sort(), names)
  const isNamed = (name) => name !== 'default' && name !== 'module.exports'
  assert.deepEqual(Object.keys(module).filter(isNamed).sort(), names)
  assert.equal(module.default, telar)
  for (const name of names) assert.equal(module[name], telar[name], name)
  assert.equal(telar.version, version)
})

test('require() and import of telar/piscina give the exports of Piscina', async () => {
  const module = await import('telar/piscina')
  const original = await import('piscina')
  assert.deepEqual(Object.keys(module).sort(), Object.keys(original).sort())
  assert.equal(module.default, Piscina)
  assert.equal(module.Piscina, Piscina)
  for (const name of Object.keys(module)) {
    if (name === 'default') continue
    assert.equal(module[name], name === 'move' ? module.move : Piscina[name], name)
    assert.equal(typeof module[name], typeof original[name], name)
  }
  const statics = (Class) => Object.getOwnPropertyNames(Class)
    .filter((name) => !['length', 'name', 'prototype'].includes(name)).sort()
  assert.deepEqual(statics(Piscina), statics(original.default))
  for (const name of ['queueOptionsSymbol', 'transferableSymbol', 'valueSymbol', 'version']) {
    assert.equal(Piscina[name], original.default[name], name)
  }
})

test('require() and import give the same exports of telar/files, which are files', async () => {
  const files = require('telar/files')
  const module = await import('telar/files')
  assert.deepEqual(Object.keys(files).sort(), ['library', 'worker'])
  for (const name of Object.keys(files)) {
    assert.equal(module[name], files[name])
    assert.ok(fs.existsSync(files[name]), name)
  }
})

test('both faces share their queues and symbols', () => {
  for (const name of [
    'ArrayTaskQueue', 'FixedQueue', 'queueOptionsSymbol', 'transferableSymbol', 'valueSymbol'
  ]) {
    assert.equal(Piscina[name], telar[name], name)
  }
})

// In a process of its own, where nothing has loaded modules of Node yet, as in Jest.
test('a script of another context may be the first to load telar', () => {
  const program = path.join(__dirname, '..', 'fixtures', 'other-context.js')
  const result = spawnSync(process.execPath, [program], { encoding: 'utf8' })
  const { status, signal, stdout, stderr } = result
  assert.deepEqual([status, signal], [0, null], stderr)
  assert.equal(stdout, '42 DataCloneError\n')
})
