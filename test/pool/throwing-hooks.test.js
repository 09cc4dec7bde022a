'use strict'

// Code of the user's that the pool calls, and that throws: what it throws is an uncaught
// exception, or rejects the one task that it concerns. All else goes on.

const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')
const { promisify } = require('node:util')

const limit = { timeout: 60_000 }
const program = path.join(__dirname, '..', 'fixtures', 'throwing-hooks.js')

// Each in a process of its own: exceptions are the whole process's.
async function outcomeOf (face, name) {
  const { stdout } = await promisify(execFile)(process.execPath, [program, face, name])
  return JSON.parse(stdout)
}

const calm = { wrong: 0, again: 'again', queueSize: 0, needsDrain: false }

for (const face of ['Pool', 'Piscina']) {
  // Concerns no task in particular.
  for (const name of [
    'shift', 'shiftAlways', 'unshift', 'size', 'message', 'workerCreate', 'workerDestroy', 'drain', 'needsDrain',
    'close', 'error', 'removeListener', 'off', 'removeEventListener'
  ]) {
    test(`${face}: a throw of ${name} is an uncaught exception, and every task has its result`, limit, async () => {
      const { uncaught, failures, fulfilled, ...rest } = await outcomeOf(face, name)
      assert.deepEqual(rest, calm)
      // A worker that was ended took a task with it perhaps.
      const lost = failures.filter((code) => code !== 'ERR_TELAR_WORKER_EXITED')
      assert.deepEqual(lost, [])
      assert.equal(fulfilled + failures.length, 200)
      assert.ok(failures.length <= (name.startsWith('worker') ? 1 : 0), failures.join())
      assert.ok(uncaught.length > 0)
      assert.deepEqual(uncaught.filter((message) => message !== 'of a hook'), [])
    })
  }

  // Rejects one task.
  for (const name of ['push', 'balancer', 'newListener', 'once', 'addEventListener', 'aborted', 'members']) {
    test(`${face}: a throw of ${name} rejects the task that it concerns, and no other`, limit, async () => {
      const { uncaught, failures, fulfilled, ...rest } = await outcomeOf(face, name)
      assert.deepEqual(rest, calm)
      assert.deepEqual([fulfilled, failures, uncaught], [199, ['of a hook'], []])
    })
  }

  test(`${face}: a throw of remove is an uncaught exception, and the task is aborted`, limit, async () => {
    const { uncaught, failures, fulfilled, ...rest } = await outcomeOf(face, 'remove')
    assert.deepEqual(rest, calm)
    assert.deepEqual([fulfilled, failures, uncaught], [199, ['ERR_TELAR_ABORTED'], ['of a hook']])
  })

  test(`${face}: a signal whose reason throws aborts its task, with what was thrown as the cause`, limit, async () => {
    const { uncaught, failures, fulfilled, ...rest } = await outcomeOf(face, 'reason')
    assert.deepEqual(rest, calm)
    assert.deepEqual([fulfilled, failures, uncaught], [199, ['ERR_TELAR_ABORTED'], []])
  })
}
