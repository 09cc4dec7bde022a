'use strict'

// CommonJS and ES module faces are the same.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')
const telar = require('telar')
const Piscina = require('telar/piscina')
const { version } = require('../../package.json')

const names = [
  'AbortError', 'ArrayTaskQueue', 'Barrier', 'Channel', 'Condition', 'Counter', 'FixedQueue', 'Latch', 'Mutex', 'Once', 'Pool', 'RwLock',
  'Semaphore', 'TelarError', 'isWorkerThread', 'move', 'notify', 'queueOptionsSymbol', 'transferableSymbol', 'valueSymbol',
  'version', 'wait', 'waitAsync', 'workerData'
]

test('telar exports the same from both', async () => {
  const module = await import('telar')
  assert.deepEqual(Object.keys(telar).sort(), names)
  assert.deepEqual(Object.keys(module).filter((name) => name !== 'default' && name !== 'module.exports').sort(), names)
  assert.equal(module.default, telar)
  for (const name of names) assert.equal(module[name], telar[name], name)
  assert.equal(telar.version, version)
})

test("telar/piscina's exports are Piscina's, from both", async () => {
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
  const statics = (Class) => Object.getOwnPropertyNames(Class).filter((name) => !['length', 'name', 'prototype'].includes(name)).sort()
  assert.deepEqual(statics(Piscina), statics(original.default))
  for (const name of ['queueOptionsSymbol', 'transferableSymbol', 'valueSymbol', 'version']) assert.equal(Piscina[name], original.default[name], name)
})

test('the faces share what they are made of', () => {
  for (const name of ['ArrayTaskQueue', 'FixedQueue', 'queueOptionsSymbol', 'transferableSymbol', 'valueSymbol']) assert.equal(Piscina[name], telar[name], name)
})

// A process of its own, where nobody has asked Node for anything yet. Jest does it so.
test('a script of another context may be the first to load it', () => {
  const program = path.join(__dirname, '..', 'fixtures', 'other-context.js')
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' })
  assert.deepEqual([status, signal], [0, null], stderr)
  assert.equal(stdout, '42 DataCloneError\n')
})
