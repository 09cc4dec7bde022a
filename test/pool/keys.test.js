'use strict'

// The option `key` of run(): tasks of one key run on one worker, one after the other, in the order
// of run().

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { ArrayTaskQueue } = require('../..')
const Piscina = require('../../lib/piscina')
const { useSteered } = require('../fixtures/use-steered')
const { useGate } = require('../fixtures/use-gate')
const { endAfter, task, usePool } = require('../fixtures/use-pool')
const { until } = require('../fixtures/until')

const kSlots = 4096

const range = (length) => Array.from({ length }, (_, i) => i)
const isIncreasing = (list) => list.every((turn, i) => i === 0 || list[i - 1] < turn)
const four = { minThreads: 4, maxThreads: 4 }

// How many keys each thread has: `threads` has a thread for each key.
function countPerThread (threads) {
  const counts = new Map()
  for (const thread of threads) counts.set(thread, (counts.get(thread) ?? 0) + 1)
  return [...counts.values()].sort((a, b) => a - b)
}

test('a key has one worker, also when its tasks come one by one', async (t) => {
  const pool = usePool(t, 'routed.js', four)
  for (const key of ['a', 'b', 0, 1.5, '']) {
    const threads = new Set()
    for (const turn of range(10)) threads.add(await pool.run(turn, { key }))
    for (const thread of await Promise.all(range(10).map((turn) => pool.run(turn, { key })))) {
      threads.add(thread)
    }
    assert.equal(threads.size, 1, `key ${key}`)
  }
})

test('keys spread evenly', async (t) => {
  const pool = usePool(t, 'routed.js', four)
  const threads = await Promise.all(range(400).map((i) => pool.run(i, { key: `key ${i}` })))
  const counts = countPerThread(threads)
  assert.equal(counts.length, 4)
  // Of 400 keys a few may have the same hash as another: each such pair has one worker.
  assert.ok(counts[0] >= 90 && counts[3] <= 110, `${counts}`)
})

test('keys go to workers that were started later, as long as these have fewer', async (t) => {
  const { pool, hold, open } = useGate(t, { minThreads: 1, maxThreads: 4, idleTimeout: Infinity })
  const keys = range(40).map((i) => `key ${i}`)
  const run = () => Promise.all(keys.map((key) => pool.run(key, { key })))
  for (const key of keys) await pool.run(key, { key })
  const held = range(4).map(() => hold())
  await until(() => pool.workers.filter(({ tasks }) => tasks === 1).length === 4)
  open()
  await Promise.all(held)
  const threads = await run()
  const counts = countPerThread(threads)
  assert.ok(counts.length === 4 && counts[0] >= 8 && counts[3] <= 12, `${counts}`)
  assert.deepEqual(await run(), threads) // and stay there
})

test('tasks of a key run one after the other, in the order of run()', async (t) => {
  const pool = usePool(t, 'routed.js', { ...four, concurrentTasksPerWorker: 5 })
  const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
  const threads = new Map(keys.map((key) => [key, new Set()]))
  const ends = new Map(keys.map((key) => [key, []]))
  await Promise.all(range(350).map(async (turn) => {
    const key = keys[turn % keys.length]
    const options = { key, name: 'alone', priority: (turn * 31) % 201 - 100 }
    threads.get(key).add(await pool.run({ key, turn, pause: turn % 3 }, options))
    ends.get(key).push(turn)
  }))
  for (const key of keys) {
    assert.equal(threads.get(key).size, 1)
    assert.ok(isIncreasing(ends.get(key)), `${key}: ${ends.get(key)}`)
  }
})

for (const [name, options] of Object.entries({
  'in the scheduler': {},
  'behind a last-in-first-out queue': {
    taskQueue: new class extends ArrayTaskQueue {
      push (task) { this.tasks.unshift(task) }
    }()
  }
})) {
  test(`the order of a key holds ${name}, by whichever way its tasks are sent`, async (t) => {
    const { pool, hold, open, started } = useGate(t, options)
    const held = hold()
    await until(() => pool.workers[0].tasks === 1)
    const ran = range(120).map((turn) => {
      const priority = (turn * 31) % 201 - 100
      const bytes = new Uint8Array(turn)
      switch (turn % 4) {
        case 0: return pool.run(turn, { key: 'k', priority })
        case 1: return pool.run(turn, { key: 'k', signal: new AbortController().signal })
        case 2: return pool.run(bytes, {
          key: 'k', priority, name: 'takeLength', transferList: [bytes.buffer]
        })
        default: return pool.run(turn, { key: 'k', filename: task('routed.js') })
      }
    })
    open()
    await Promise.all([held, ...ran])
    assert.deepEqual(await started(), range(120))
  })
}

test('the order of a key holds when there are more tasks than slots', async (t) => {
  const pool = usePool(t, 'routed.js')
  const count = 3 * kSlots
  await Promise.all(range(count).map((turn) => {
    return pool.run(turn, { key: turn % 2, priority: (turn * 7919) % 201 - 100 })
  }))
  const order = await pool.run(null, { name: 'takeStarted' })
  assert.equal(order.length, count)
  for (const key of [0, 1]) assert.ok(isIncreasing(order.filter((turn) => turn % 2 === key)))
})

test('a key whose worker has ended gets another, and keeps its order', async (t) => {
  const pool = usePool(t, 'routed.js', four)
  const key = 'k'
  const first = await pool.run(-1, { key })
  const killed = pool.run(null, { key, name: 'exit' })
  const ran = range(50).map((turn) => pool.run(turn, { key, priority: turn % 3 }))
  await assert.rejects(killed, { code: 'ERR_TELAR_WORKER_EXITED' })
  ran.push(pool.run(50, { key, priority: 100 }))
  const threads = new Set(await Promise.all(ran))
  assert.equal(threads.size, 1)
  assert.ok(!threads.has(first))
  assert.deepEqual(await pool.run(null, { key, name: 'takeStarted' }), range(51))
})

test('the keys of the only worker go to the one that replaces it', async (t) => {
  const pool = usePool(t, 'routed.js')
  const killed = pool.run(null, { key: 0, name: 'exit' })
  const ran = range(60).map((turn) => pool.run(turn, { key: turn % 3 }))
  await assert.rejects(killed, { code: 'ERR_TELAR_WORKER_EXITED' })
  assert.equal(new Set(await Promise.all(ran)).size, 1)
  const order = await pool.run(null, { name: 'takeStarted' })
  for (const key of [0, 1, 2]) {
    assert.deepEqual(order.filter((turn) => turn % 3 === key), range(20).map((i) => 3 * i + key))
  }
})

test('a value that went by port to a worker that has ended rejects', async (t) => {
  const pool = usePool(t, 'routed.js')
  const killed = pool.run(null, { key: 0, name: 'exit' })
  const { port1, port2 } = new MessageChannel()
  const sent = pool.run(port1, { key: 0, transferList: [port1] })
  const next = pool.run(1, { key: 0 })
  await assert.rejects(killed, { code: 'ERR_TELAR_WORKER_EXITED' })
  await assert.rejects(sent, { code: 'ERR_TELAR_WORKER_EXITED' })
  await next
  port2.close()
})

test('a value is not sent by port to a worker that is being ended', async (t) => {
  const { pool, hold } = useGate(t, { minThreads: 2, maxThreads: 2 })
  const stop = new AbortController()
  const held = hold({ key: 0, signal: stop.signal })
  await until(() => pool.workers.some(({ tasks }) => tasks === 1))
  const first = pool.run(0, { key: 0 })
  stop.abort()
  const bytes = new Uint8Array(1)
  const moved = pool.run(bytes, { key: 0, name: 'takeLength', transferList: [bytes.buffer] })
  const last = pool.run(2, { key: 0 })
  await assert.rejects(held, { name: 'AbortError' })
  assert.equal(new Set(await Promise.all([first, moved, last])).size, 1)
  assert.deepEqual(await pool.run(null, { key: 0, name: 'takeStarted' }), [0, 1, 2])
})

test('if no worker starts, tasks with keys reject with the error of the file', async (t) => {
  const pool = usePool(t, 'no-such-file.js', { minThreads: 0 })
  const ran = range(20).map((turn) => pool.run(turn, { key: turn % 3 }))
  for (const promise of ran) await assert.rejects(promise, { code: 'MODULE_NOT_FOUND' })
})

test('an aborted task of a key lets the next one follow', async (t) => {
  const pool = usePool(t, 'routed.js', { concurrentTasksPerWorker: 2 })
  const stop = new AbortController()
  const run = (turn, more) => {
    return pool.run({ key: 'k', turn, pause: 1 }, { key: 'k', name: 'alone', ...more })
  }
  const first = run(0)
  const aborted = run(1, { signal: stop.signal })
  const last = run(2)
  stop.abort()
  await assert.rejects(aborted, { name: 'AbortError' })
  assert.equal(await first, await last)
  assert.deepEqual(await pool.run(null, { name: 'takeStarted' }), [0, 2])
})

test('close({ force }) rejects tasks that wait for the worker of their key', async (t) => {
  const { pool, hold, open } = useGate(t, { minThreads: 2, maxThreads: 2 })
  const held = hold({ key: 0 })
  await until(() => pool.workers.some(({ tasks }) => tasks === 1))
  const waiting = range(30).map((turn) => pool.run(turn, { key: 0 }))
  const closed = pool.close({ force: true })
  open()
  const settled = await Promise.allSettled(waiting)
  const rejected = settled.filter(({ status }) => status === 'rejected')
  assert.equal(rejected.length, 29) // the other worker has a place, as far as the pool counts
  for (const { reason } of rejected) assert.equal(reason.name, 'AbortError')
  await held
  await closed
})

test('a worker that has tasks of a key does not end as idle', async (t) => {
  const pool = usePool(t, 'routed.js', { minThreads: 0, maxThreads: 3, idleTimeout: 1 })
  for (const turn of range(60)) {
    const ran = range(6).map((key) => pool.run({ key, turn, pause: 2 }, { key, name: 'alone' }))
    assert.equal((await Promise.all(ran)).length, 6)
  }
})

test('tasks of a key run when a worker ends long after its replacement was idle', async (t) => {
  const { gate, pool } = useSteered(t, { minThreads: 0, maxThreads: 2, idleTimeout: 1 })
  const stop = new AbortController()
  const blocked = pool.run(1, { name: 'derive', key: 'a', signal: stop.signal })
  await gate.reached(1, 1)
  const next = pool.run(7, { key: 'a' })
  stop.abort() // the thread ends when its native call returns
  await assert.rejects(blocked, { code: 'ERR_TELAR_ABORTED' })
  assert.equal(await next, 7)
})

test('a load balancer is not asked for a task with a key', async (t) => {
  const asked = []
  const pool = usePool(t, 'routed.js', {
    ...four,
    loadBalancer: (task, workers) => {
      asked.push(task.name)
      return workers[0]
    }
  })
  await pool.run(1)
  const threads = await Promise.all(range(8).map((key) => pool.run(key, { key })))
  assert.equal(new Set(threads).size, 4)
  assert.equal(asked.length, 1)
})

test('a key that is none is refused', async (t) => {
  const pool = usePool(t, 'routed.js')
  for (const key of [{}, [], NaN, true, 1n, Symbol('key'), () => {}]) {
    await assert.rejects(pool.run(1, { key }), {
      name: 'TypeError',
      code: 'ERR_TELAR_INVALID_ARGUMENT',
      message: /^key argument must be a string or a number, not NaN; received /
    })
  }
  for (const key of [undefined, null, '', 0, -0, Infinity]) await pool.run(1, { key })
})

test('telar/piscina takes keys too', async (t) => {
  const pool = endAfter(t, new Piscina({ filename: task('routed.js'), ...four }))
  const threads = await Promise.all(range(40).map((turn) => pool.run(turn, { key: turn % 4 })))
  assert.equal(new Set(threads).size, 4)
  for (const turn of range(40)) assert.equal(threads[turn], threads[turn % 4])
})
