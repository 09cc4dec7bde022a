'use strict'

// pool.workers: what each worker does.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { Worker } = require('node:worker_threads')
const { useGate } = require('../fixtures/use-gate')
const { usePool } = require('../fixtures/use-pool')
const { until } = require('../fixtures/until')

const statesOf = (pool) => pool.workers.map(({ state }) => state)

test('says what each worker does', async (t) => {
  const { pool, hold, open } = useGate(t, { minThreads: 2, maxThreads: 2 })
  assert.deepEqual(statesOf(pool), ['starting', 'starting'])
  assert.deepEqual(pool.workers.map(({ id }) => id), pool.threads.map(({ threadId }) => threadId))
  await until(() => statesOf(pool).every((state) => state === 'idle'))
  const held = hold()
  await until(() => pool.workers.some(({ tasks }) => tasks === 1))
  assert.deepEqual(statesOf(pool).sort(), ['busy', 'idle'])
  open()
  await held
  await until(() => statesOf(pool).every((state) => state === 'idle'))
})

test('counts the tasks that a worker runs at a time', async (t) => {
  const pool = usePool(t, 'routed.js', { concurrentTasksPerWorker: 5 })
  const run = (key) => pool.run({ key, turn: key, pause: 20 }, { name: 'alone' })
  const ran = [1, 2, 3].map(run)
  await until(() => pool.workers[0].tasks === 3)
  await Promise.all(ran)
  await until(() => pool.workers[0].tasks === 0)
})

test('says which share of its time a worker is busy', async (t) => {
  const { pool, hold, open } = useGate(t, { minThreads: 2, maxThreads: 2 })
  const held = hold()
  const busy = () => pool.workers.find(({ tasks }) => tasks === 1)?.busy
  const idle = () => pool.workers.find(({ state }) => state === 'idle')?.busy
  await until(() => busy() > 0.9 && idle() < 0.1)
  open()
  await held
})

test('lists a worker that is ending, until its thread has ended', async (t) => {
  const { pool, hold } = useGate(t)
  const stop = new AbortController()
  const held = hold({ signal: stop.signal })
  await until(() => pool.workers[0].tasks === 1)
  const { id } = pool.workers[0]
  stop.abort()
  await assert.rejects(held, { name: 'AbortError' })
  assert.ok(pool.workers.some((worker) => worker.state === 'ending'))
  await until(() => pool.workers.every((worker) => worker.state !== 'ending'))
  assert.ok(pool.workers.every((worker) => worker.id !== id))
})

test('says how much memory a worker uses, where Node can', async (t) => {
  const pool = usePool(t, 'routed.js')
  await pool.run(1)
  assert.equal(pool.workers[0].heapUsed, undefined) // the thread has not answered yet
  if (typeof Worker.prototype.getHeapStatistics !== 'function') return
  await until(() => pool.workers[0].heapUsed !== undefined)
  assert.ok(pool.workers[0].heapUsed > 100_000)
})

test('is empty when the pool has no workers', async (t) => {
  const pool = usePool(t, 'routed.js', { minThreads: 0 })
  assert.deepEqual(pool.workers, [])
  await pool.run(1)
  assert.equal(pool.workers.length, 1)
  await pool.close()
  assert.deepEqual(pool.workers, [])
})
