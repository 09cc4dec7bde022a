'use strict'

// The error of a worker that ended says which tasks it ran, and for how long.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { faces } = require('../fixtures/fault-helpers')
const { endAfter, task } = require('../fixtures/use-pool')

const filename = task('failing.js')

for (const [face, Class] of faces) {
  const usePool = (t, options) => endAfter(t, new Class({
    filename, name: 'end', minThreads: 1, maxThreads: 1, concurrentTasksPerWorker: 2, ...options
  }))

  const newGate = () => new Int32Array(new SharedArrayBuffer(4))

  // The reasons for which `count` tasks reject whose last one ends the worker.
  async function endingOf (pool, count, how, options) {
    const gate = newGate()
    const runs = Array.from({ length: count }, () => pool.run({ gate, count, how }, options))
    const settled = await Promise.allSettled(runs)
    return settled.map(({ reason }) => reason)
  }

  for (const how of ['exit', 'throw']) {
    test(`${face}: the error of a worker that ended by ${how} names its task`, async (t) => {
      const pool = usePool(t)
      const [{ threadId }] = pool.threads
      const [error] = await endingOf(pool, 1, how)
      assert.equal(error.worker.id, threadId)
      const [{ runMs, startedAt, taskId, ...ran }] = error.worker.tasks
      assert.deepEqual(ran, { name: 'end', filename, isAborted: false })
      assert.ok(runMs > 0 && startedAt + runMs < performance.now(), `${startedAt} ${runMs}`)
      assert.equal(typeof taskId, 'number')
    })
  }

  test(`${face}: it names the function and the id of a task with options`, async (t) => {
    const pool = usePool(t, { filename: task('alive.js'), name: 'default' })
    const { signal } = new AbortController()
    const [error] = await endingOf(pool, 1, 'exit', { filename, name: 'end', signal })
    const [{ name, filename: file, taskId }] = error.worker.tasks
    assert.deepEqual([name, file, typeof taskId], ['end', filename, 'number'])
  })

  test(`${face}: it names all tasks that the worker ran`, async (t) => {
    const errors = await endingOf(usePool(t), 2, 'throw')
    for (const error of errors) {
      assert.equal(error.message, 'uncaught')
      assert.deepEqual(error.worker.tasks.map(({ name }) => name), ['end', 'end'])
    }
  })
}

test('Pool: the message of a worker that exited names its task', async (t) => {
  const pool = endAfter(t, new faces[0][1]({ filename, name: 'end', maxThreads: 1 }))
  const gate = new Int32Array(new SharedArrayBuffer(4))
  await assert.rejects(pool.run({ gate, count: 1, how: 'exit' }), ({ message }) => {
    const [before, ms, after] = message.split(/ for (\d+) ms$/)
    assert.equal(before, `worker exited with code: 3 while it ran "end" of ${filename}`)
    assert.ok(Number(ms) >= 0)
    assert.equal(after, '')
    return true
  })
})
