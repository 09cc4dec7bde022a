'use strict'

// What a task knows of itself: the second parameter of its function, and currentTask().

const assert = require('node:assert/strict')
const { AsyncLocalStorage } = require('node:async_hooks')
const { test } = require('node:test')
const { Mutex, Pool, currentTask } = require('../..')
const Piscina = require('../../lib/piscina')
const { endAfter, task, usePool } = require('../fixtures/use-pool')

const limit = { timeout: 60_000 }

// ---- the second parameter ----

test('a function with two parameters gets the context of its task', limit, async (t) => {
  const pool = usePool(t, 'steered.js')
  const { now, ...seen } = await pool.run(1, { name: 'describe' })
  assert.deepEqual(seen,
    { name: 'describe', key: undefined, deadline: undefined, aborted: false, signal: false })
})

test('the deadline is on the clock of the worker', limit, async (t) => {
  const pool = usePool(t, 'steered.js')
  await pool.run(1)
  // A worker begins later than the owner, and so does its clock.
  const { deadline, now } = await pool.run(1, { name: 'describe', timeout: 60_000 })
  assert.ok(deadline > now && deadline <= now + 60_000)
  const { deadline: none } = await pool.run(1, { name: 'describe', queueTimeout: 60_000 })
  assert.equal(none, undefined)
})

test('only a function whose length is 2 or more gets a second argument', limit, async (t) => {
  const pool = usePool(t, 'steered.js')
  const counts = {}
  for (const name of ['none', 'one', 'two', 'three', 'rest', 'fallback']) {
    const options = { name: `${name}Arguments` }
    counts[name] = [
      await pool.run(1, options), await pool.run(1, options),
      await pool.run(1, { ...options, timeout: 60_000 })
    ]
  }
  assert.deepEqual(counts, {
    none: [1, 1, 1],
    one: [1, 1, 1],
    two: [2, 2, 2],
    three: [2, 2, 2],
    rest: [1, 1, 1],
    fallback: [1, 1, 1]
  })
})

test('for Piscina a function gets it only with one of the new options', limit, async (t) => {
  const pool = endAfter(t, new Piscina({ filename: task('steered.js'), maxThreads: 1 }))
  const name = 'argumentCount'
  assert.equal(await pool.run(1, { name }), 1)
  assert.equal(await pool.run(1, { name, signal: new AbortController().signal }), 1)
  assert.equal(await pool.run(1, { name, timeout: 60_000 }), 2)
  assert.equal(await pool.run(1, { name, onProgress () {} }), 2)
  assert.equal(await pool.run(1, { name: 'nameBelow' }), 'nameBelow')
})

test('a task has one signal, which does not fire when it ends', limit, async (t) => {
  const pool = usePool(t, 'steered.js')
  assert.equal(await pool.run(1, { name: 'sameSignal' }), true)
  for (const options of [{}, { timeout: 60_000 }, { timeout: 60_000, onProgress () {} }]) {
    await pool.run(1, { name: 'keep', ...options })
    assert.deepEqual(await pool.run(1, { name: 'lookAtKept', ...options }), [false, false, false])
  }
})

// ---- currentTask() ----

for (const concurrentTasksPerWorker of [1, 8]) {
  test(`currentTask() follows each task across awaits, ${concurrentTasksPerWorker} at a time`,
    limit, async (t) => {
      const pool = usePool(t, 'steered.js', { concurrentTasksPerWorker })
      const all = await Promise.all(Array.from({ length: 100 }, (_, i) =>
        pool.run(i % 7, { name: 'below', ...(i % 2 === 0 ? { timeout: 60_000 } : undefined) })))
      for (const seen of all) assert.deepEqual(seen, [true, true, true, true])
    })
}

test('currentTask() works in an ES module, and in a function of one parameter', limit,
  async (t) => {
    const module = usePool(t, 'steered-module.mjs', { concurrentTasksPerWorker: 3 })
    const all = await Promise.all(Array.from({ length: 9 }, () => module.run(1)))
    assert.deepEqual(all, Array(9).fill([true, 'default']))
    const pool = usePool(t, 'steered.js')
    assert.equal(await pool.run(1, { name: 'nameBelow' }), 'nameBelow')
  })

test('currentTask() works in the task that is the first to ask for it', limit, async (t) => {
  const first = usePool(t, 'steered-lazily.js')
  assert.deepEqual([await first.run(1), await first.run(1)], ['default', 'default'])
  const second = usePool(t, 'steered-lazily.js')
  assert.deepEqual([await second.run(1, { name: 'later' }), await second.run(1, { name: 'later' })],
    [true, true])
})

test('the task after the first one that used currentTask() has a context of its own', async (t) => {
  const pool = usePool(t, 'steered-lazily.js', { name: 'key' })
  for (const key of ['a', 'b', 'c']) assert.equal(await pool.run(1, { key }), key)
})

test('currentTask() is undefined outside of tasks', () => {
  assert.equal(currentTask(), undefined)
})

// ---- progress ----

test('progress arrives in order and before the result', limit, async (t) => {
  const pool = usePool(t, 'steered.js', { concurrentTasksPerWorker: 4 })
  const runs = Array.from({ length: 8 }, async (_, i) => {
    const seen = []
    const options = { name: i % 2 ? 'reportMany' : 'reportSlowly', onProgress: (n) => seen.push(n) }
    await pool.run(30, options)
    assert.deepEqual(seen, Array.from({ length: 30 }, (_, n) => n))
  })
  await Promise.all(runs)
})

test('a hundred thousand values of progress arrive, of a loop without awaits', limit, async (t) => {
  const pool = usePool(t, 'steered.js')
  let next = 0
  const onProgress = (n) => { assert.equal(n, next++) }
  assert.equal(await pool.run(100_000, { name: 'reportMany', onProgress }), 100_000)
  assert.equal(next, 100_000)
})

test('progress arrives while the task still runs', limit, async (t) => {
  const pool = usePool(t, 'steered.js', { workerData: new SharedArrayBuffer(64) })
  const stop = new AbortController()
  let seen = 0
  const running = pool.run(1, {
    name: 'reportForever',
    signal: stop.signal,
    abort: 'cooperative',
    onProgress () { if (++seen === 1000) stop.abort() }
  })
  await assert.rejects(running, { code: 'ERR_TELAR_ABORTED' })
  assert.equal(seen, 1000) // what comes after the rejection is dropped
})

test('progress keeps what a result keeps', limit, async (t) => {
  const pool = usePool(t, 'steered.js')
  const mutex = new Mutex()
  const values = [
    0, -0, 'text', '', null, undefined, true, 10n, 'x'.repeat(100_000), { a: [1, { b: 2 }] }, [],
    new Map([[1, new Set([2])]]), new Date(0), Buffer.from('buffer'),
    new Uint8Array(40_000).fill(7), new Uint8Array(2 ** 20).fill(8),
    Object.assign(new RangeError('error'), { code: 'ERR_X' })
  ]
  const seen = []
  const options = { name: 'report', onProgress: (value) => seen.push(value) }
  await pool.run(values, options)
  await pool.run([mutex, new SharedArrayBuffer(8)], options) // the platform clones these
  assert.ok(seen.pop() instanceof SharedArrayBuffer)
  assert.equal(seen.pop(), mutex)
  assert.deepEqual(seen, values)
  assert.ok(Buffer.isBuffer(seen[13]))
})

test('progress arrives before an error, and before the end of the worker', limit, async (t) => {
  const pool = usePool(t, 'steered.js')
  const seen = []
  const onProgress = (value) => seen.push(value)
  const failing = pool.run('a', { name: 'reportAndThrow', onProgress })
  await assert.rejects(failing, { name: 'RangeError' })
  assert.deepEqual(seen, ['a'])
  const ending = pool.run('b', { name: 'reportAndExit', onProgress })
  await assert.rejects(ending, { code: 'ERR_TELAR_WORKER_EXITED' })
  assert.deepEqual(seen, ['a', 'b'])
})

test('progress that cannot be cloned throws in the task', limit, async (t) => {
  const pool = usePool(t, 'steered.js')
  assert.equal(await pool.run(1, { name: 'reportUncloneable', onProgress () {} }), 'DataCloneError')
  assert.equal(await pool.run(1, { name: 'reportUncloneable' }), 'none') // nobody wants it
})

test('onProgress keeps the async context of run()', limit, async (t) => {
  const pool = usePool(t, 'steered.js')
  const storage = new AsyncLocalStorage()
  const seen = []
  await Promise.all([1, 2, 3].map((n) => storage.run(n, () =>
    pool.run([n], { name: 'report', onProgress: (m) => seen.push([m, storage.getStore()]) }))))
  assert.deepEqual(seen.sort(), [[1, 1], [2, 2], [3, 3]])
})

test('onProgress may abort its task, and may destroy the pool', limit, async (t) => {
  for (const abort of ['terminate', 'cooperative']) {
    const pool = usePool(t, 'steered.js')
    const stop = new AbortController()
    const running = pool.run(10, {
      name: 'reportMany', signal: stop.signal, abort, onProgress: () => stop.abort()
    })
    await assert.rejects(running, { code: 'ERR_TELAR_ABORTED' })
    assert.equal(await pool.run(7), 7)
    const ending = pool.run(10, { name: 'reportMany', onProgress: () => pool.destroy() })
    await assert.rejects(ending, { code: 'ERR_TELAR_TERMINATED' })
  }
})

test('what onProgress throws is an uncaught exception, and the task goes on', limit, async (t) => {
  const pool = usePool(t, 'steered.js')
  const uncaught = []
  process.setUncaughtExceptionCaptureCallback((error) => uncaught.push(error.message))
  t.after(() => process.setUncaughtExceptionCaptureCallback(null))
  const onProgress = (value) => { throw new Error(value) }
  assert.equal(await pool.run(['a', 'b'], { name: 'report', onProgress }), 'done')
  await new Promise(setImmediate)
  assert.deepEqual(uncaught, ['a', 'b'])
})

test('progress works with a queue, a load balancer and asyncHooks', limit, async (t) => {
  for (const options of [
    { asyncHooks: true },
    { loadBalancer: (task, workers) => workers[0] },
    { concurrentTasksPerWorker: 2, maxThreads: 2 }
  ]) {
    const pool = usePool(t, 'steered.js', options)
    const seen = []
    await Promise.all(Array.from({ length: 20 }, () =>
      pool.run([1, { two: 2 }], { name: 'report', onProgress: (value) => seen.push(value) })))
    assert.equal(seen.length, 40)
  }
})

test('onProgress must be a function', limit, async (t) => {
  for (const Class of [Pool, Piscina]) {
    const pool = endAfter(t, new Class({ filename: task('steered.js'), maxThreads: 1 }))
    await assert.rejects(pool.run(1, { onProgress: 5 }),
      { code: 'ERR_TELAR_INVALID_ARGUMENT', message: /^onProgress argument must be a function/ })
    assert.equal(await pool.run(1, { onProgress: null }), 1)
  }
})
