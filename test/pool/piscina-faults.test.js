'use strict'

// Faults of Piscina 5.3.2 that telar does not share, on both faces.

const assert = require('node:assert/strict')
const { once } = require('node:events')
const { setImmediate: turn, setTimeout: sleep } = require('node:timers/promises')
const { test } = require('node:test')
const { createGate, faces, outcomes, until, usePool } = require('../fixtures/fault-helpers')

const limit = { timeout: 60_000 }

for (const [face, Class] of faces) {
  for (const options of [
    { maxThreads: 1 },
    { maxThreads: 2 },
    { minThreads: 1, maxThreads: 3 },
    { maxThreads: 2, concurrentTasksPerWorker: 3 }
  ]) {
    const given = JSON.stringify(options)
    test(`${face}: 'drain' follows once the queue is full: ${given}`, limit, async (t) => {
      const pool = usePool(t, Class, { maxQueue: 'auto', ...options })
      const { maxQueue } = pool.options
      assert.equal(maxQueue, options.maxThreads ** 2)
      const count = 20_000
      let sum = 0
      let longest = 0
      const failed = []
      for (let i = 0; i < count; i++) {
        pool.run(i).then((value) => { sum += value }, (error) => failed.push(error))
        longest = Math.max(longest, pool.queueSize)
        if (pool.queueSize === maxQueue) await once(pool, 'drain')
      }
      await until(() => pool.completed === count)
      await turn()
      assert.deepEqual(failed, [])
      assert.equal(sum, count * (count - 1) / 2)
      assert.ok(longest <= maxQueue)
      assert.equal(pool.needsDrain, false)
    })
  }

  test(`${face}: 'drain' and 'needsDrain' take turns`, limit, async (t) => {
    const pool = usePool(t, Class, { maxThreads: 2, maxQueue: 'auto' })
    const events = []
    pool.on('drain', () => events.push('drain'))
    pool.on('needsDrain', () => events.push('needsDrain'))
    for (let round = 0; round < 50; round++) {
      await Promise.all(Array.from({ length: 6 }, (_, i) => pool.run(i)))
      await turn()
    }
    assert.ok(events.length >= 100)
    assert.ok(events.every((event, i) => event === (i % 2 === 0 ? 'needsDrain' : 'drain')),
      events.join(' '))
    assert.equal(events.at(-1), 'drain')
  })

  test(`${face}: utilization is the share of time that functions ran`, limit, async (t) => {
    const gate = createGate()
    const pool = usePool(t, Class, { minThreads: 1, maxThreads: 2, workerData: gate.buffer })
    assert.equal(pool.utilization, 0)
    const busy = pool.run({ mark: 0, until: 1 }, { name: 'wait' })
    await gate.reached(0, 1)
    // Until this task has taken most of the life of the pool.
    await sleep(4 * pool.duration)
    gate.open(1)
    await busy
    // One of two workers was busy, so utilization is at most a half, and not a thousandth of that.
    const { utilization } = pool
    assert.ok(utilization > 0.25 && utilization <= 0.5, String(utilization))
  })

  test(`${face}: a task rejected for lack of a queue never runs`, limit, async (t) => {
    const gate = createGate()
    const pool = usePool(t, Class, { maxThreads: 1, maxQueue: 0, workerData: gate.buffer })
    const busy = pool.run({ mark: 0, until: 1 }, { name: 'wait' })
    const { signal } = new AbortController()
    const mark = (options) => pool.run(2, { name: 'mark', ...options })
    const refused = await outcomes([{}, {}, { signal }].map(mark))
    for (const { reason } of refused) {
      assert.equal(reason.code, 'ERR_TELAR_NO_QUEUE')
      assert.equal(reason.message, 'No task queue available and all Workers are busy')
    }
    assert.equal(pool.queueSize, 0)
    gate.open(1)
    assert.equal(await busy, 'waited')
    for (let i = 0; i < 20; i++) assert.equal(await pool.run(i), i)
    assert.equal(gate.count(2), 0)
  })

  test(`${face}: a task rejected by a full queue never runs`, limit, async (t) => {
    const gate = createGate()
    const pool = usePool(t, Class, { maxThreads: 1, maxQueue: 3, workerData: gate.buffer })
    const busy = pool.run({ mark: 0, until: 1 }, { name: 'wait' })
    const settling = outcomes(Array.from({ length: 10 }, () => pool.run(2, { name: 'mark' })))
    assert.equal(pool.queueSize, 3)
    gate.open(1)
    await busy
    const settled = await settling
    assert.deepEqual(settled.slice(0, 3), [{ value: 1 }, { value: 2 }, { value: 3 }])
    assert.ok(settled.slice(3).every(({ reason }) =>
      reason.code === 'ERR_TELAR_QUEUE_FULL' && reason.message === 'Task queue is at limit'))
    for (let i = 0; i < 20; i++) assert.equal(await pool.run(i), i)
    assert.equal(gate.count(2), 3)
  })

  for (const places of [1, 3]) {
    test(`${face}: maxQueue bounds abortable tasks, ${places} at a time`, limit, async (t) => {
      const gate = createGate()
      const pool = usePool(t, Class, {
        maxThreads: 1,
        maxQueue: 4,
        concurrentTasksPerWorker: places,
        workerData: gate.buffer
      })
      const busy = Array.from({ length: places }, () =>
        pool.run({ mark: 0, until: 1 }, { name: 'waitAsync' }))
      await gate.reached(0, places)
      const controllers = Array.from({ length: 20 }, () => new AbortController())
      const mark = ({ signal }) => pool.run(2, { name: 'mark', signal })
      const settling = outcomes(controllers.map(mark))
      assert.ok(pool.queueSize <= 4, String(pool.queueSize))
      // An abort frees a place, which a later task takes.
      controllers[0].abort()
      const late = pool.run(2, { name: 'mark', signal: new AbortController().signal })
      gate.open(1)
      await Promise.all(busy)
      const settled = await settling
      const full = settled.filter(({ reason }) => reason?.code === 'ERR_TELAR_QUEUE_FULL')
      const ran = settled.filter(({ reason }) => reason === undefined)
      assert.equal(settled[0].reason.code, 'ERR_TELAR_ABORTED')
      assert.ok(ran.length >= 1 && ran.length <= 3)
      assert.equal(full.length + ran.length + 1, 20)
      await late
      assert.equal(gate.count(2), ran.length + 1)
    })
  }

  test(`${face}: close() waits for every worker, not only for the first`, limit, async (t) => {
    const gate = createGate()
    const pool = usePool(t, Class, { minThreads: 3, maxThreads: 3, workerData: gate.buffer })
    const tasks = [1, 2, 3].map((at) => pool.run({ mark: 0, until: at }, { name: 'wait' }))
    await gate.reached(0, 3)
    let isClosed = false
    const closing = pool.close().then(() => { isClosed = true })
    for (const at of [1, 2]) {
      gate.open(at)
      assert.equal(await tasks[at - 1], 'waited')
      for (let i = 0; i < 20; i++) await sleep(1)
      assert.equal(isClosed, false)
    }
    gate.open(3)
    assert.equal(await tasks[2], 'waited')
    await closing
  })
}

// Pool refuses a fraction of a thread (options.test.js), but Piscina accepts it.
const Piscina = faces.find(([face]) => face === 'Piscina')[1]

for (const options of [
  { maxThreads: 1.5 },
  { minThreads: 1.5, maxThreads: 1.5 },
  { minThreads: 2.5 },
  { minThreads: 0.5, maxThreads: 2.9, idleTimeout: 60_000 }
]) {
  const given = JSON.stringify(options)
  test(`Piscina: a fraction of a thread never restarts workers: ${given}`, limit, async (t) => {
    const pool = usePool(t, Piscina, options)
    let created = 0
    pool.on('workerCreate', () => created++)
    const most = Math.floor(pool.maxThreads)
    assert.deepEqual(await Promise.all(Array.from({ length: 100 }, (_, i) => pool.run(i))),
      Array.from({ length: 100 }, (_, i) => i))
    assert.ok(pool.threads.length <= most)
    for (let i = 0; i < 30; i++) {
      assert.equal(await pool.run(i), i)
      await sleep(10)
    }
    assert.ok(pool.threads.length <= most)
    assert.ok(created <= most, `${created} workers for ${most} places`)
  })
}
