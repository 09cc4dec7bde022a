'use strict'

// How processes live and end while something waits. Each case is a process of its own.

const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')

const program = path.join(__dirname, '..', 'fixtures', 'sync', 'lifecycle.js')

function run (...args) {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { timeout: 60_000, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stdout: stdout.trim(), stderr })
    })
  })
}

const names = ['lock', 'read', 'write', 'acquire', 'latch', 'barrier', 'condition', 'once', 'counter', 'word', 'wordWithSignal']

for (const name of names) {
  test(`a process lives as long as a promise of it waits: ${name}`, async () => {
    assert.deepEqual(await run('waits', name), { code: 0, stdout: 'done\n0', stderr: '' })
  })
}

test('a wait that was given up holds nothing', async () => {
  assert.deepEqual(await run('gaveUp'), { code: 0, stdout: 'AbortError\nAbortError\n0', stderr: '' })
})

test('promises that nobody looks at', async () => {
  assert.deepEqual(await run('ignored'), { code: 0, stdout: 'ignored', stderr: '' })
})

for (const how of ['terminate', 'exit', 'exitAtOnce']) {
  test(`threads end by ${how} with waits of all kinds under way`, async () => {
    assert.deepEqual(await run('ends', how), { code: 0, stdout: 'survived', stderr: '' })
  })
}

test('process.exit() ends a process whose threads wait', async () => {
  assert.deepEqual(await run('exit'), { code: 3, stdout: 'exits true', stderr: '' })
})
