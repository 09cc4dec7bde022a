'use strict'

// How a process lives and ends while something waits. Each case runs in a process of its own.

const assert = require('node:assert/strict')
const path = require('node:path')
const { test } = require('node:test')
const { runProgram } = require('../fixtures/run-program')

const program = path.join(__dirname, '..', 'fixtures', 'sync', 'lifecycle.js')

async function run (...args) {
  const { code, stdout, stderr } = await runProgram([program, ...args])
  return { code, stdout: stdout.trim(), stderr }
}

const names = [
  'lock', 'read', 'write', 'acquire', 'latch', 'barrier', 'condition', 'once', 'counter', 'word',
  'wordWithSignal'
]

for (const name of names) {
  test(`a process lives as long as one of its promises waits: ${name}`, async () => {
    assert.deepEqual(await run('waits', name), { code: 0, stdout: 'done\n0', stderr: '' })
  })
}

test('a wait that was given up keeps no process alive', async () => {
  assert.deepEqual(await run('gaveUp'),
    { code: 0, stdout: 'AbortError\nAbortError\n0', stderr: '' })
})

test('promises that the program ignores cause no unhandled rejection', async () => {
  assert.deepEqual(await run('ignored'), { code: 0, stdout: 'ignored', stderr: '' })
})

for (const how of ['terminate', 'exit', 'exitAtOnce']) {
  test(`a thread ends by ${how} with waits of every kind pending`, async () => {
    assert.deepEqual(await run('ends', how), { code: 0, stdout: 'survived', stderr: '' })
  })
}

test('process.exit() ends a process whose threads wait', async () => {
  assert.deepEqual(await run('exit'), { code: 3, stdout: 'exits true', stderr: '' })
})
