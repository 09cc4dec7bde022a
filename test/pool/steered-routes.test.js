'use strict'

// Aborts and limits of time together with what else a pool may do with a task: keys, priorities,
// broadcasts, moved buffers, workers that leave.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { move } = require('../..')
const { createGate, outcomes } = require('../fixtures/fault-helpers')
const { usePool } = require('../fixtures/use-pool')

const limit = { timeout: 60_000 }
const aborted = { name: 'AbortError', code: 'ERR_TELAR_ABORTED' }
const overRun = { code: 'ERR_TELAR_TIMEOUT', phase: 'run' }
const overQueue = { code: 'ERR_TELAR_TIMEOUT', phase: 'queue' }
const cooperative = { abort: 'cooperative' }

function open (t, options) {
  const gate = createGate()
  const pool = usePool(t, 'steered.js', { workerData: gate.buffer, ...options })
  return { gate, pool }
}

const keyOf = async (promise) => (await promise).key

// ---- task.key ----

const keys = ['k', '', 7, -0.5, 0, Infinity, 'é€😀', '\ud800', 'x'.repeat(60), 'y'.repeat(61),
  'z'.repeat(10_000)]

for (const [how, poolOptions, runOptions] of [
  ['of its own function', { name: 'describe' }, {}],
  ['of another function', {}, { name: 'describe' }],
  ['with limits and a priority', {}, { name: 'describe', timeout: 60_000, priority: 5 }],
  ['of a pool with limits', { name: 'describe', timeout: 60_000 }, {}]
]) {
  test(`task.key is the key of the call, for tasks ${how}`, limit, async (t) => {
    const pool = usePool(t, 'steered.js', { maxThreads: 2, ...poolOptions })
    const seen = await Promise.all(keys.map((key) => keyOf(pool.run(1, { ...runOptions, key }))))
    assert.deepEqual(seen, keys)
    assert.equal(await keyOf(pool.run(1, runOptions)), undefined)
    assert.equal(await keyOf(pool.run(1, { ...runOptions, priority: 3 })), undefined)
    const byPort = keys.map((key) => {
      const { port1 } = new MessageChannel()
      return keyOf(pool.run(port1, { ...runOptions, key, transferList: [port1] }))
    })
    assert.deepEqual(await Promise.all(byPort), keys)
  })
}

// ---- keys and priorities ----

test('a task with a key that runs too long ends its worker, and later ones of the key run in order',
  limit, async (t) => {
    const { pool } = open(t, { maxThreads: 2, minThreads: 2 })
    const over = assert.rejects(pool.run(1, { name: 'spin', key: 'a', timeout: 30 }), overRun)
    const order = []
    const later = [1, 2, 3, 4].map((i) => pool.run(i, { key: 'a', timeout: 60_000 })
      .then((value) => order.push(value)))
    await over
    later.push(pool.run(5, { key: 'a' }).then((value) => order.push(value)))
    await Promise.all(later)
    assert.deepEqual(order, [1, 2, 3, 4, 5])
  })

test('a task that waits too long behind its key never runs, and those behind it do',
  limit, async (t) => {
    const { gate, pool } = open(t, { maxThreads: 2 })
    const busy = pool.run(1, { name: 'spinUntilOpen', key: 'a' })
    await gate.reached(1, 1)
    const late = assert.rejects(
      pool.run(3, { name: 'mark', key: 'a', queueTimeout: 20 }), overQueue)
    const next = pool.run(4, { name: 'mark', key: 'a' })
    await late
    gate.open(0)
    assert.deepEqual(await Promise.all([busy, next]), ['opened', 'marked'])
    assert.deepEqual([gate.count(3), gate.count(4)], [0, 1])
  })

test('the next task of a key starts when the one that was told to stop has ended',
  limit, async (t) => {
    const { gate, pool } = open(t, { concurrentTasksPerWorker: 3 })
    const thread = await pool.run(0, { name: 'thread' })
    const stop = new AbortController()
    const options = { name: 'waitUntilOpen', signal: stop.signal, ...cooperative }
    const told = pool.run(1, { ...options, key: 'a' })
    await gate.reached(1, 1)
    const next = pool.run(2, { name: 'mark', key: 'a' })
    stop.abort()
    await assert.rejects(told, aborted)
    assert.equal(await pool.run(0, { name: 'thread' }), thread) // it has other places
    assert.equal(gate.count(2), 0)
    gate.open(0)
    assert.equal(await next, 'marked')
    assert.equal(await pool.run(0, { name: 'thread', key: 'a' }), thread)
  })

test('tasks with a priority have limits too', limit, async (t) => {
  const { gate, pool } = open(t)
  const busy = pool.run(1, { name: 'spinUntilOpen', priority: 5 })
  await gate.reached(1, 1)
  await assert.rejects(pool.run(3, { name: 'mark', priority: 9, queueTimeout: 20 }), overQueue)
  const order = []
  const waiting = [[7, -5], [8, 5], [9, 0]].map(async ([value, priority]) => {
    order.push(await pool.run(value, { priority, queueTimeout: 60_000, timeout: 60_000 }))
  })
  gate.open(0)
  await Promise.all([busy, ...waiting])
  assert.deepEqual(order, [8, 9, 7])
  assert.equal(gate.count(3), 0)
  const thread = await pool.run(0, { name: 'thread' })
  await assert.rejects(pool.run(1, { name: 'spin', priority: 1, timeout: 20 }), overRun)
  assert.notEqual(await pool.run(0, { name: 'thread' }), thread)
})

// ---- broadcasts ----

test('a broadcast with a timeout rejects with the error of each worker', limit, async (t) => {
  for (const options of [{}, cooperative]) {
    const { pool } = open(t, { minThreads: 2, maxThreads: 2 })
    await pool.ready()
    const name = options === cooperative ? 'waitForSignal' : 'spin'
    const error = await pool.broadcast(1, { name, timeout: 20, ...options })
      .catch((error) => error)
    assert.equal(error.code, 'ERR_TELAR_BROADCAST')
    assert.deepEqual(error.errors.map(({ phase }) => phase), ['run', 'run'])
    assert.equal(await pool.run(7), 7)
  }
})

test('a broadcast that waits too long for a busy worker fails there alone', limit, async (t) => {
  const { gate, pool } = open(t, { minThreads: 2, maxThreads: 2 })
  await pool.ready()
  const busy = pool.run(1, { name: 'spinUntilOpen' })
  await gate.reached(1, 1)
  const error = await pool.broadcast(3, { name: 'mark', queueTimeout: 50 }).catch((error) => error)
  assert.deepEqual(error.errors.map(({ phase }) => phase), ['queue'])
  assert.deepEqual(error.results.filter((result) => result !== undefined), ['marked'])
  gate.open(0)
  assert.equal(await busy, 'opened')
  assert.equal(gate.count(3), 1)
  const seen = await pool.broadcast(1, { name: 'describe', timeout: 60_000 })
  assert.deepEqual(seen.map(({ key }) => key), [undefined, undefined])
})

// ---- moved buffers ----

test('a buffer that is moved may be the value of a task with limits', limit, async (t) => {
  for (const poolOptions of [{}, { timeout: 60_000 }, { queueTimeout: 60_000 }]) {
    const { pool } = open(t, poolOptions)
    for (const bytes of [16, 100_000, 4 << 20]) {
      const sent = new Uint8Array(bytes).fill(7)
      assert.equal((await pool.run(move(sent), { timeout: 50_000 })).length, bytes)
      assert.equal(sent.length, 0)
      const other = new Uint8Array(bytes).fill(7)
      assert.equal((await pool.run(move(other))).length, bytes)
      assert.equal(other.length, 0)
    }
  }
})

test('a task that waits too long has transferred nothing', limit, async (t) => {
  for (const options of [{ key: 'a' }, {}, { name: 'mark' }]) {
    for (const bytes of [1000, 4 << 20]) {
      const { gate, pool } = open(t, { queueTimeout: 30 })
      const busy = pool.run(1, { name: 'spinUntilOpen', queueTimeout: Infinity })
      await gate.reached(1, 1)
      const sent = new Uint8Array(bytes)
      await assert.rejects(pool.run(move(sent), options), overQueue)
      if (options.key === undefined) assert.equal(sent.length, bytes)
      gate.open(0)
      assert.equal(await busy, 'opened')
      assert.equal(await pool.run(7, { queueTimeout: 60_000 }), 7)
    }
  }
})

// ---- workers that leave ----

test('a worker that leaves ends the task that was told to stop first', limit, async (t) => {
  const { gate, pool } = open(t, { minThreads: 2, maxThreads: 2 })
  await pool.ready()
  const values = []
  const stops = []
  const running = [1, 2].map((at) => {
    const stop = new AbortController()
    stops.push(stop)
    return pool.run(at, { name: 'waitUntilOpen', signal: stop.signal, ...cooperative })
  })
  await Promise.all([gate.reached(1, 1), gate.reached(2, 1)])
  const reports = pool.run(100, {
    name: 'reportSlowly', key: 'b', onProgress: (value) => values.push(value)
  })
  pool.resize({ minThreads: 1, maxThreads: 1 })
  for (const stop of stops) stop.abort()
  for (const { reason } of await outcomes(running)) assert.equal(reason.code, aborted.code)
  assert.equal(pool.threads.length, 2) // the tasks still run
  gate.open(0)
  assert.equal((await reports).byteLength, 8)
  assert.deepEqual(values, Array.from({ length: 100 }, (_, i) => i))
  assert.equal(await pool.run(7), 7)
  while (pool.threads.length > 1) await new Promise((resolve) => setTimeout(resolve, 5))
})

test('past its grace a task of a worker that leaves ends with it', limit, async (t) => {
  const { gate, pool } = open(t, { minThreads: 2, maxThreads: 2, ...cooperative, graceMs: 30 })
  await pool.ready()
  const running = [1, 2].map((at) => pool.run(at, { name: 'spin', timeout: 200 }))
  await Promise.all([gate.reached(1, 1), gate.reached(2, 1)])
  pool.resize({ minThreads: 1, maxThreads: 1 })
  for (const { reason } of await outcomes(running)) assert.equal(reason.phase, 'run')
  assert.equal(await pool.run(7), 7)
  while (pool.threads.length > 1) await new Promise((resolve) => setTimeout(resolve, 5))
})

test('a worker that leaves delivers progress while its task runs', limit, async (t) => {
  const { gate, pool } = open(t)
  await pool.run(0)
  const stop = new AbortController()
  let count = 0
  const running = pool.run(1, {
    name: 'reportForever',
    signal: stop.signal,
    ...cooperative,
    onProgress () {
      if (++count === 1) pool.resize({ minThreads: 0, maxThreads: 1 })
      if (count === 2) pool.close().catch(() => {})
      if (count === 10_000) stop.abort()
    }
  })
  await assert.rejects(running, aborted)
  await gate.reached(1, 1)
})

for (const [name, options] of [
  ['isolate', { isolate: true }],
  ['memoryLimit', { memoryLimit: { heapMb: 200 } }],
  ['recycle', { recycle: { tasks: 3 } }]
]) {
  test(`aborts and limits work in a pool with ${name}`, limit, async (t) => {
    const { gate, pool } = open(t, options)
    const stop = new AbortController()
    const told = pool.run(1, { name: 'spinUntilAborted', signal: stop.signal, ...cooperative })
    await gate.reached(1, 1)
    await assert.rejects(pool.run(3, { name: 'mark', queueTimeout: 20 }), overQueue)
    stop.abort()
    await assert.rejects(told, aborted)
    await assert.rejects(pool.run(1, { name: 'spin', timeout: 30 }), overRun)
    await assert.rejects(pool.run(1, { name: 'spin', timeout: 30, graceMs: 5, ...cooperative }),
      overRun)
    assert.equal(await pool.run(7, { timeout: 60_000 }), 7)
    assert.deepEqual(await Promise.all([1, 2, 3, 4, 5].map((i) => pool.run(i))), [1, 2, 3, 4, 5])
    assert.equal(gate.count(3), 0)
  })
}

// ---- errors ----

test('the stack of a timeout says who called run()', limit, async (t) => {
  const { pool } = open(t)
  async function caller (options) {
    return await pool.run(1, { name: 'spin', timeout: 20, ...options })
  }
  for (const options of [{}, { key: 'a' }, { ...cooperative, graceMs: 5 }]) {
    const error = await caller(options).catch((error) => error)
    assert.match(error.stack, /^TelarError: The task timed out after 20 ms\n {4}at async caller/)
  }
  const busy = assert.rejects(pool.run(1, { name: 'spin', timeout: 500 }), overRun)
  for (const options of [{}, { name: 'default', transferList: [new ArrayBuffer(8)] }]) {
    const error = await caller({ queueTimeout: 10, ...options }).catch((error) => error)
    assert.match(error.stack, /^TelarError: The wait of .* after 10 ms\n {4}at async caller/)
  }
  await busy
})

test('dump() shows a task that was told to stop', limit, async (t) => {
  const { gate, pool } = open(t)
  const stop = new AbortController()
  const told = pool.run(1, { name: 'waitUntilOpen', signal: stop.signal, ...cooperative })
  await gate.reached(1, 1)
  stop.abort()
  await assert.rejects(told, aborted)
  const { workers: [{ tasks }] } = await pool.dump()
  assert.deepEqual(tasks.map(({ name, isAborted }) => [name, isAborted]), [['waitUntilOpen', true]])
  gate.open(0)
  assert.equal(await pool.run(7), 7)
})
