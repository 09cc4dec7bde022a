'use strict'

// What waiting costs: how often a thread goes to sleep, and so wakes up, while nothing happens.

const assert = require('node:assert/strict')
const path = require('node:path')
const { test } = require('node:test')
const { runProgram } = require('../fixtures/run-program')

const program = path.join(__dirname, '..', 'fixtures', 'sync', 'sleeps.js')

async function run (...args) {
  const { code, stdout, stderr } = await runProgram([program, ...args])
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout)
}

const kPromises = [
  'lock', 'acquire', 'write', 'read', 'once', 'latch', 'barrier', 'condition', 'counter'
]

for (const name of kPromises) {
  test(`a thousand waiting promises sleep as one: ${name}`, async () => {
    const { sleeps } = await run('promises', name)
    assert.ok(sleeps <= 20, `${sleeps} sleeps within half a second`)
  })
}

for (const name of ['receiveSync', 'sendSync', 'lockSync', 'acquireSync', 'waitSync']) {
  test(`a blocked thread sleeps longer the longer it waits: ${name}`, async () => {
    const { sleeps, code } = await run('blocked', name)
    assert.equal(code, 'ERR_TELAR_TIMEOUT')
    assert.ok(sleeps <= 8, `${sleeps} sleeps within a second and a half`)
  })
}

test('a waiting promise learns of the end of a thread without polling', async () => {
  assert.deepEqual(await run('deaths'), { isHeld: true })
})
