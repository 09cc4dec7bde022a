'use strict'

// The option `priority` of run(): the order in which waiting tasks start, wherever they wait, and
// how long one of a low priority may wait.

const assert = require('node:assert/strict')
const { performance } = require('node:perf_hooks')
const { test } = require('node:test')
const { setTimeout: sleep } = require('node:timers/promises')
const { ArrayTaskQueue } = require('../..')
const Piscina = require('../../lib/piscina')
const { useGate } = require('../fixtures/use-gate')
const { endAfter, task, usePool } = require('../fixtures/use-pool')
const { until } = require('../fixtures/until')

const kSlots = 4096 // more tasks wait in JavaScript
const kAgedMs = 1000 // the bound of docs/api.md
const kAgedTurn = 16

const byPriority = (a, b) => b.priority - a.priority || a.turn - b.turn

function tasksOf (priorities) {
  return priorities.map((priority, turn) => ({ priority, turn }))
}

const priorities = [0, 5, -100, 100, 0, 100, -1, 5, undefined, 1]
const wanted = [3, 5, 1, 7, 9, 0, 4, 8, 6, 2]

// How many of the tasks started out of turn: all but those of the longest increasing subsequence.
function countOutOfTurn (order, wanted) {
  const places = new Map(wanted.map((turn, place) => [turn, place]))
  const ends = [] // the smallest end of an increasing subsequence, by its length
  for (const turn of order) {
    const place = places.get(turn)
    const at = ends.findIndex((end) => end >= place)
    ends[at === -1 ? ends.length : at] = place
  }
  return order.length - ends.length
}

test('tasks start in the order of their priorities, then of run()', async (t) => {
  const { pool, hold, open, started } = useGate(t)
  const held = hold()
  const ran = priorities.map((priority, turn) => pool.run(turn, { priority }))
  open()
  await Promise.all([held, ...ran])
  assert.deepEqual(await started(), wanted)
})

test('so do tasks with other options, with transfer lists, and moved by port', async (t) => {
  const { pool, hold, open, started } = useGate(t)
  const held = hold()
  await until(() => pool.workers[0].tasks === 1)
  const ran = priorities.map((priority, turn) => {
    switch (turn % 3) {
      case 0: {
        const bytes = new Uint8Array(turn)
        const transferList = [bytes.buffer]
        return pool.run(bytes, { priority: priority || 1, name: 'takeLength', transferList })
      }
      case 1: return pool.run(turn, { priority, signal: new AbortController().signal })
      default: return pool.run(turn, { priority, filename: task('routed.js') })
    }
  })
  open()
  await Promise.all([held, ...ran])
  assert.deepEqual(await started(), [3, 5, 1, 7, 0, 9, 4, 8, 6, 2])
})

test('tasks that wait in JavaScript start in the order of their priorities too', async (t) => {
  const { pool, hold, open, started } = useGate(t)
  const held = hold()
  const tasks = tasksOf(Array.from({ length: 3 * kSlots }, (_, i) => (i * 7919) % 201 - 100))
  const ran = tasks.map(({ priority, turn }) => pool.run(turn, { priority }))
  assert.ok(pool.queueSize > kSlots)
  open()
  await Promise.all([held, ...ran])
  const order = await started()
  // Those that were handed over first are in the scheduler. As soon as one of them has started, the
  // highest priority of the others takes its place.
  const handedOver = kSlots - 1
  const late = tasks.slice(handedOver).sort(byPriority).map(({ turn }) => turn)
  const early = tasks.slice(0, handedOver).sort(byPriority).map(({ turn }) => turn)
  // On a slow machine some of them wait for so long that the oldest ones get their turns.
  const most = 2 * tasks.length / kAgedTurn
  assert.ok(countOutOfTurn(order.filter((turn) => turn >= handedOver), late) <= most)
  assert.ok(countOutOfTurn(order.filter((turn) => turn < handedOver), early) <= most)
})

for (const [name, options] of Object.entries({
  'a task queue of the user': { taskQueue: new ArrayTaskQueue() },
  'a load balancer': { loadBalancer: (_, workers) => workers.find((w) => w.currentUsage === 0) }
})) {
  test(`with ${name}, tasks with a priority go before or after the others`, async (t) => {
    const { pool, hold, open, started } = useGate(t, options)
    const held = hold()
    await until(() => pool.workers[0].tasks === 1)
    const ran = priorities.map((priority, turn) => pool.run(turn, { priority }))
    open()
    await Promise.all([held, ...ran])
    assert.deepEqual(await started(), wanted)
  })
}

test('an exclusive task with a priority goes before others', async (t) => {
  const { pool, hold, open, started } = useGate(t, { concurrentTasksPerWorker: 3 })
  const held = hold()
  await until(() => pool.workers[0].tasks === 1)
  const { signal } = new AbortController()
  const ran = [pool.run(1), pool.run(2, { priority: 1, signal }), pool.run(3, { priority: 2 })]
  open()
  await Promise.all([held, ...ran])
  assert.deepEqual(await started(), [3, 2, 1])
})

test('a task of the lowest priority starts within the bound while others never end', async (t) => {
  const pool = usePool(t, 'routed.js')
  const state = { isOver: false }
  let startedAfter = 0 // tasks that ended after the low one was old enough
  const started = performance.now()
  const low = pool.run(null, { priority: -100, name: 'spin' }).then(() => { state.isOver = true })
  const loop = async () => {
    while (!state.isOver) {
      await pool.run(100, { priority: 100, name: 'spin' })
      if (performance.now() - started > kAgedMs) startedAfter++
    }
  }
  const flood = Array.from({ length: 200 }, loop)
  await Promise.all([low, ...flood])
  // One of kAgedTurn starts, and the results that come together with it: the 200 of the flood.
  assert.ok(startedAfter <= kAgedTurn + 2 * flood.length, `${startedAfter} tasks passed it`)
})

test('tasks that wait in JavaScript start within the bound too', async (t) => {
  const { pool, hold, open, started } = useGate(t)
  const held = hold()
  const first = Array.from({ length: kSlots - 1 }, () => pool.run(-1, { priority: 100 }))
  const low = pool.run(0, { priority: -100 })
  const middle = pool.run(1)
  await sleep(kAgedMs + 10)
  const last = Array.from({ length: 500 }, () => pool.run(-2, { priority: 100 }))
  open()
  await Promise.all([held, ...first, low, middle, ...last])
  const order = (await started()).filter((turn) => turn !== -1)
  assert.ok(order.indexOf(0) < 2 * kAgedTurn)
  assert.ok(order.indexOf(1) < 2 * kAgedTurn)
})

test('close({ force }) rejects tasks that wait, those of low priorities first', async (t) => {
  const { pool, hold, open } = useGate(t, { maxThreads: 2, minThreads: 2 })
  const held = [hold(), hold()]
  await until(() => pool.workers.every(({ tasks }) => tasks === 1))
  const waiting = [-1, 1, 0].map((priority) => pool.run(null, { priority }))
  const closed = pool.close({ force: true })
  const settled = await Promise.all(waiting.map((ran) => ran.catch(({ name }) => name)))
  assert.deepEqual(settled, ['AbortError', 'AbortError', 'AbortError'])
  open()
  await Promise.all(held)
  await closed
})

test('a task that waits is aborted whatever its priority is', async (t) => {
  const { pool, hold, open, started } = useGate(t)
  const held = hold()
  await until(() => pool.workers[0].tasks === 1)
  const stop = new AbortController()
  const bytes = new Uint8Array(9)
  const transferList = [bytes.buffer]
  const aborted = [
    pool.run(1, { priority: 7, signal: stop.signal }),
    pool.run(bytes, { priority: 7, signal: stop.signal, transferList })
  ]
  const others = [8, 9].map((length) => {
    const bytes = new Uint8Array(length)
    return pool.run(bytes, { priority: length, name: 'takeLength', transferList: [bytes.buffer] })
  })
  stop.abort()
  for (const ran of aborted) await assert.rejects(ran, { name: 'AbortError' })
  open()
  await Promise.all([held, ...others])
  assert.deepEqual(await started(), [9, 8])
  assert.equal(await pool.run(1), await held) // the same worker
})

test('a priority that is none is refused', async (t) => {
  const pool = usePool(t, 'routed.js')
  for (const priority of [101, -101, 1.5, NaN, '1', true, {}, 1n]) {
    await assert.rejects(pool.run(1, { priority }), {
      name: 'TypeError',
      code: 'ERR_TELAR_INVALID_ARGUMENT',
      message: /^priority argument must be an integer from -100 to 100; received /
    })
  }
  assert.equal(await pool.run(1, { priority: null }), await pool.run(1, { priority: -0 }))
})

test('telar/piscina takes priorities too', async (t) => {
  const gate = new Int32Array(new SharedArrayBuffer(4))
  const pool = endAfter(t, new Piscina({
    filename: task('routed.js'), minThreads: 1, maxThreads: 1, workerData: gate
  }))
  const held = pool.run(null, { name: 'hold' })
  const ran = priorities.map((priority, turn) => pool.run(turn, { priority }))
  Atomics.store(gate, 0, 1)
  Atomics.notify(gate, 0)
  await Promise.all([held, ...ran])
  assert.deepEqual(await pool.run(null, { name: 'takeStarted' }), wanted)
  await assert.rejects(pool.run(1, { priority: 1.5 }), {
    message: 'priority argument must be an integer from -100 to 100'
  })
})
