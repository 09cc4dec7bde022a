'use strict'

// resize(): the pool grows and shrinks, and no task is lost.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { Pool } = require('../..')
const { faces, until, usePool } = require('../fixtures/fault-helpers')
const { useLife } = require('../fixtures/life/use-life')

const limit = { timeout: 20_000 }

for (const [face, Class] of faces) {
  const create = (t, options) => useLife(t, Class, options)

  test(`${face}: resize() starts workers up to minThreads`, limit, async (t) => {
    const { pool } = create(t, { minThreads: 1, maxThreads: 1 })
    pool.resize({ minThreads: 2, maxThreads: 3 })
    assert.equal(pool.threads.length, 2)
    assert.deepEqual([pool.minThreads, pool.maxThreads], [2, 3])
    assert.deepEqual([pool.options.minThreads, pool.options.maxThreads], [2, 3])
    await pool.ready()
    assert.equal(pool.idleThreads, 2)
  })

  test(`${face}: resize() starts workers for tasks that wait`, limit, async (t) => {
    const { gate, pool } = create(t, { minThreads: 1, maxThreads: 1 })
    const tasks = Array.from({ length: 3 }, () => pool.run(null, { name: 'wait' }))
    assert.equal(pool.queueSize, 2)
    pool.resize({ maxThreads: 3 })
    assert.equal(pool.threads.length, 3)
    assert.equal(pool.queueSize, 0)
    await gate.reached(4, 3)
    gate.open(3)
    assert.equal(new Set(await Promise.all(tasks)).size, 3)
  })

  test(`${face}: a worker that must go finishes its tasks first`, limit, async (t) => {
    const { gate, pool } = create(t, { minThreads: 3, maxThreads: 3 })
    await pool.ready()
    const running = Array.from({ length: 3 }, () => pool.run(null, { name: 'wait' }))
    await gate.reached(4, 3)
    const waiting = Array.from({ length: 20 }, () => pool.run(null))
    pool.resize({ minThreads: 1, maxThreads: 1 })
    assert.equal(pool.threads.length, 3)
    gate.open(3)
    assert.equal(new Set(await Promise.all(running)).size, 3)
    await Promise.all(waiting)
    await until(() => pool.threads.length === 1)
    assert.equal(typeof await pool.run(null), 'number')
    assert.equal(pool.completed, 24)
  })

  test(`${face}: idle workers go at once, and those with tasks stay`, limit, async (t) => {
    const { gate, pool } = create(t, { minThreads: 3, maxThreads: 3 })
    await pool.ready()
    const running = pool.run(null, { name: 'wait' })
    await gate.reached(4, 1)
    pool.resize({ minThreads: 0, maxThreads: 1 })
    await until(() => pool.threads.length === 1)
    gate.open(3)
    assert.equal(await running, pool.threads[0].threadId)
  })

  test(`${face}: a lower minThreads lets idle workers end`, limit, async (t) => {
    const { pool } = create(t, { minThreads: 3, maxThreads: 3, idleTimeout: 1 })
    await pool.ready()
    pool.resize({ minThreads: 1 })
    await until(() => pool.threads.length === 1)
    assert.equal(pool.maxThreads, 3)
  })

  test(`${face}: a worker finishes what is in its lane before it goes`, limit, async (t) => {
    const { gate, pool } = create(t, {
      minThreads: 2, maxThreads: 2, concurrentTasksPerWorker: 4
    })
    await pool.ready()
    const running = Array.from({ length: 2 }, () => pool.run(null, { name: 'wait' }))
    // A value that is sent by port belongs to a certain worker.
    const sent = Array.from({ length: 4 }, () => pool.run(new SharedArrayBuffer(8)))
    pool.resize({ maxThreads: 1 })
    gate.open(3)
    await Promise.all([...running, ...sent])
    await until(() => pool.threads.length === 1)
  })

  test(`${face}: no task is lost while the size changes`, limit, async (t) => {
    const { gate, pool } = create(t, { minThreads: 1, maxThreads: 1 })
    const sizes = [3, 1, 4, 2, 1, 3, 2, 4, 1]
    let count = 0
    for (const size of sizes) {
      pool.resize({ minThreads: size, maxThreads: size })
      const tasks = []
      for (let i = 0; i < 300; i++) {
        tasks.push(pool.run(i % 50 === 0 ? 1 : null, i % 50 === 0 ? { name: 'slowly' } : undefined))
      }
      count += tasks.length
      await Promise.all(tasks.slice(0, 100))
    }
    await until(() => pool.completed === count)
    await until(() => pool.threads.length === 1)
    assert.equal(gate.count(2), count - 6 * sizes.length)
  })

  test(`${face}: needsDrain and queueSize count with the new size`, limit, async (t) => {
    const { gate, pool } = create(t, { minThreads: 1, maxThreads: 1, maxQueue: 1 })
    const tasks = [pool.run(null, { name: 'wait' }), pool.run(null)]
    await assert.rejects(pool.run(null), { code: 'ERR_TELAR_QUEUE_FULL' })
    assert.equal(pool.needsDrain, true)
    pool.resize({ maxThreads: 4 })
    assert.equal(pool.needsDrain, false)
    tasks.push(pool.run(null))
    assert.equal(pool.queueSize, 0)
    gate.open(3)
    await Promise.all(tasks)
  })
}

test('a pool grows far beyond its first size', { timeout: 120_000 }, async (t) => {
  const pool = usePool(t, Pool, { filename: null, minThreads: 0, maxThreads: 1 })
  pool.resize({ maxThreads: 16_352 })
  assert.equal(pool.maxThreads, 16_352)
  pool.resize({ minThreads: 70, maxThreads: 70 }) // a table for one worker would have 66 entries
  await pool.ready()
  assert.equal(pool.threads.length, 70)
  pool.resize({ maxThreads: 1 })
  assert.equal(pool.minThreads, 1)
  await until(() => pool.threads.length === 1)
})

test('resize() checks its options as the constructor does', async (t) => {
  const pool = usePool(t, Pool, { minThreads: 1, maxThreads: 2 })
  for (const size of [undefined, null, 3, [1], { minThreads: -1 }, { maxThreads: 0 },
    { maxThreads: '2' }, { maxThreads: 1.5 }, { minThreads: NaN }]) {
    assert.throws(() => pool.resize(size), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
  }
  assert.throws(() => pool.resize({ minThread: 1 }), {
    code: 'ERR_TELAR_UNKNOWN_OPTION',
    message: 'options.minThread is not a known option; did you mean options.minThreads?'
  })
  assert.throws(() => pool.resize({ minThreads: 3, maxThreads: 2 }),
    { code: 'ERR_TELAR_OPTION_CONFLICT' })
  assert.deepEqual([pool.minThreads, pool.maxThreads], [1, 2])
  pool.resize({ minThreads: undefined })
  pool.resize({ minThreads: 3 }) // maxThreads is adapted
  assert.deepEqual([pool.minThreads, pool.maxThreads], [3, 3])
  pool.resize({ maxThreads: 2 })
  assert.deepEqual([pool.minThreads, pool.maxThreads], [2, 2])
})
