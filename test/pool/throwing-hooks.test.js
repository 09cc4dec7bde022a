'use strict'

// The pool calls code of the user, and that code throws. The error is an uncaught exception, or
// rejects the one task that it concerns. All other tasks go on.

const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')
const { promisify } = require('node:util')

const limit = { timeout: 60_000 }
const program = path.join(__dirname, '..', 'fixtures', 'throwing-hooks.js')

// Runs each case in a process of its own, since an uncaught exception concerns the whole process.
async function outcomeOf (face, name) {
  const { stdout } = await promisify(execFile)(process.execPath, [program, face, name])
  return JSON.parse(stdout)
}

const calm = { wrong: 0, again: 'again', queueSize: 0, needsDrain: false }

for (const face of ['Pool', 'Piscina']) {
  // Hooks that concern no task in particular.
  for (const name of [
    'shift', 'shiftAlways', 'unshift', 'size', 'message', 'workerCreate', 'workerDestroy', 'drain',
    'needsDrain', 'close', 'error', 'removeListener', 'off', 'removeEventListener'
  ]) {
    test(`${face}: a throw of ${name} is uncaught, and every task settles`, limit, async () => {
      const { uncaught, failures, fulfilled, ...rest } = await outcomeOf(face, name)
      assert.deepEqual(rest, calm)
      // A worker that was ended may have made one task fail.
      const lost = failures.filter((code) => code !== 'ERR_TELAR_WORKER_EXITED')
      assert.deepEqual(lost, [])
      assert.equal(fulfilled + failures.length, 200)
      assert.ok(failures.length <= (name.startsWith('worker') ? 1 : 0), failures.join())
      assert.ok(uncaught.length > 0)
      assert.deepEqual(uncaught.filter((message) => message !== 'of a hook'), [])
    })
  }

  // Hooks that concern one task.
  for (const name of [
    'push', 'balancer', 'newListener', 'once', 'addEventListener', 'aborted', 'members'
  ]) {
    test(`${face}: a throw of ${name} rejects only the task that it concerns`, limit, async () => {
      const { uncaught, failures, fulfilled, ...rest } = await outcomeOf(face, name)
      assert.deepEqual(rest, calm)
      assert.deepEqual([fulfilled, failures, uncaught], [199, ['of a hook'], []])
    })
  }

  test(`${face}: a throw of remove is uncaught, and the task is aborted`, limit, async () => {
    const { uncaught, failures, fulfilled, ...rest } = await outcomeOf(face, 'remove')
    assert.deepEqual(rest, calm)
    assert.deepEqual([fulfilled, failures, uncaught], [199, ['ERR_TELAR_ABORTED'], ['of a hook']])
  })

  test(`${face}: a signal whose reason throws still aborts its task`, limit, async () => {
    const { uncaught, failures, fulfilled, ...rest } = await outcomeOf(face, 'reason')
    assert.deepEqual(rest, calm)
    assert.deepEqual([fulfilled, failures, uncaught], [199, ['ERR_TELAR_ABORTED'], []])
  })
}
