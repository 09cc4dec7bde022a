'use strict'

// How a process with channels lives and ends. Each case runs a program of fixtures/channel/life.js
// in a process of its own.

const assert = require('node:assert/strict')
const path = require('node:path')
const { test } = require('node:test')
const { runProgram } = require('../fixtures/run-program')

const program = path.join(__dirname, '..', 'fixtures', 'channel', 'life.js')

// Runs a program. With `stop`, ends it once it has printed.
async function run (name, { stop = false } = {}) {
  const { code, signal, stdout, stderr } = await runProgram([program, name], {
    timeout: 30_000,
    killSignal: 'SIGABRT',
    onOutput (_, child) {
      if (stop) setTimeout(() => child.kill('SIGTERM'), 300)
    }
  })
  return { code, signal, stdout, stderr }
}

const natural = {
  created: '0',
  used: '1',
  unreferencedReceive: 'unref',
  unreferencedSend: 'unref',
  unreferencedLater: 'unref',
  unreferencedSelect: 'unref',
  settledSelect: 'settled',
  settled: 'settled',
  aborted: 'ERR_TELAR_ABORTED',
  fromWorker: 'late',
  memory: '8',
  terminateWhileWorkersWait: 'terminated'
}

for (const [name, expected] of Object.entries(natural)) {
  test(`a process ends by itself after the program "${name}"`, async () => {
    assert.deepEqual(await run(name),
      { code: 0, signal: null, stdout: `${expected}\n`, stderr: '' })
  })
}

for (const name of ['receive', 'send', 'select', 'referencedAgain']) {
  test(`a waiting call keeps the process alive in the program "${name}"`, async () => {
    assert.deepEqual(await run(name, { stop: true }),
      { code: null, signal: 'SIGTERM', stdout: 'waits\n', stderr: '' })
  })
}

for (const name of ['exitReceive', 'exitReserved', 'exitSend', 'exitWhileWorkersWait']) {
  test(`process.exit() ends the program "${name}"`, async () => {
    assert.deepEqual(await run(name), { code: 3, signal: null, stdout: '', stderr: '' })
  })
}

test('an uncaught exception ends a process with a waiting call', async () => {
  const { code, signal, stderr } = await run('throwReceive')
  assert.deepEqual({ code, signal }, { code: 1, signal: null })
  assert.match(stderr, /Error: on purpose/)
})
