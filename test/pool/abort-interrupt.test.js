'use strict'

// Aborts that stop the JavaScript of a task where it stands, and leave its worker alive.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { Worker } = require('node:worker_threads')
const { once } = require('node:events')
const { until } = require('../fixtures/fault-helpers')
const { abortable, useSteered } = require('../fixtures/use-steered')

const limit = { timeout: 60_000 }
const aborted = { name: 'AbortError', code: 'ERR_TELAR_ABORTED' }
const overRun = { code: 'ERR_TELAR_TIMEOUT', phase: 'run' }
const never = { interruptMs: Infinity } // the worker is not terminated, however slow the machine is

const interruptible = (name, options) => abortable('interrupt', name, options)

for (const [what, name] of [
  ['an endless loop', 'spin'],
  ['an endless loop below an AsyncLocalStorage', 'spinInStore'],
  ['an endless loop in a tick', 'spinInTick'],
  ['an endless loop in a microtask', 'spinInMicrotask'],
  ['an endless loop in a microtask below an AsyncLocalStorage', 'spinInAsyncStore'],
  ['a regular expression', 'backtrack'],
  ['Atomics.wait()', 'sleepForever'],
  ['JSON.stringify()', 'stringify'],
  ['a promise that never settles', 'never']
]) {
  test(`${what} is stopped, and its worker lives on`, limit, async (t) => {
    const { gate, pool } = useSteered(t)
    const thread = await pool.run(0, { name: 'thread' })
    for (let i = 1; i <= 20; i++) {
      const { stop, options } = interruptible(name, never)
      const running = pool.run(1, options)
      await gate.reached(1, i)
      stop.abort(i)
      await assert.rejects(running, { ...aborted, cause: i })
      assert.equal(await pool.run(0, { name: 'thread' }), thread)
    }
    // What Node itself needs still works: ticks, timers, microtasks, output.
    assert.deepEqual(await pool.run(1, { name: 'below' }), [true, true, true, true])
    assert.equal(pool.completed, 42)
  })
}

test('neither catch nor finally runs, and the state of modules stays', limit, async (t) => {
  const { gate, pool } = useSteered(t)
  await pool.run(0, { name: 'keep' })
  const { stop, options } = interruptible('spinWithCleanUp', never)
  const running = pool.run(1, options)
  await gate.reached(1, 1)
  stop.abort()
  await assert.rejects(running, aborted)
  assert.deepEqual(await pool.run(0, { name: 'lookAtKept' }), [false, false, false])
  assert.equal(gate.count(2), 0)
})

// As many as fit into a test; 10,000 are in test/soak.

test('a task that sees its abort within the grace ends by itself', limit, async (t) => {
  const { gate, pool, messages } = useSteered(t)
  const thread = await pool.run(0, { name: 'thread' })
  const { stop, options } = interruptible('throwWhenAborted', { graceMs: 60_000 })
  const running = pool.run(1, options)
  await gate.reached(1, 1)
  stop.abort('why')
  await assert.rejects(running, { ...aborted, cause: 'why' })
  await until(() => messages.length === 1)
  assert.deepEqual(messages, ['why'])
  assert.equal(await pool.run(0, { name: 'thread' }), thread)
})

test('after its grace a task that goes on is stopped', limit, async (t) => {
  const { gate, pool } = useSteered(t)
  const thread = await pool.run(0, { name: 'thread' })
  const { stop, options } = interruptible('spin', { ...never, graceMs: 20 })
  const running = pool.run(1, options)
  await gate.reached(1, 1)
  stop.abort()
  await assert.rejects(running, aborted)
  assert.equal(await pool.run(0, { name: 'thread' }), thread)
})

for (const [what, name] of [
  ['native code', 'derive'],
  ['the callback of a timer', 'spinInTimer']
]) {
  test(`${what} cannot be stopped, so its worker is terminated`, limit, async (t) => {
    const { gate, pool } = useSteered(t)
    const thread = await pool.run(0, { name: 'thread' })
    let rounds = 0
    // On a busy machine the interrupt may come just before the code that cannot be stopped.
    do {
      const { stop, options } = interruptible(name, { interruptMs: 20 })
      const running = pool.run(1, options)
      await gate.reached(1, ++rounds)
      stop.abort()
      await assert.rejects(running, aborted)
    } while (await pool.run(0, { name: 'thread' }) === thread)
  })
}

test('a timeout of the pool interrupts tasks of its own function too', limit, async (t) => {
  const { pool } = useSteered(t, { abort: 'interrupt', timeout: 30, name: 'spin', ...never })
  const thread = await pool.run(0, { name: 'thread', timeout: Infinity })
  for (let i = 0; i < 5; i++) await assert.rejects(pool.run(1), overRun)
  assert.equal(await pool.run(0, { name: 'thread', timeout: Infinity }), thread)
})

test('results of all kinds come from tasks that may be interrupted', limit, async (t) => {
  const { pool } = useSteered(t, { abort: 'interrupt', timeout: 60_000 })
  const values = [1, 'text', { list: [1, 2n, null] }, undefined, new SharedArrayBuffer(4),
    'x'.repeat(1e6)]
  for (const value of values) assert.deepEqual(await pool.run(value), value)
  await assert.rejects(pool.run(2, { name: 'reportAndThrow' }), RangeError)
  const name = 'data:text/javascript,export default async (n) => { if (n > 1) throw n; return n }'
  assert.equal(await pool.run(1, { filename: name }), 1)
  await assert.rejects(pool.run(2, { filename: name }), (error) => error === 2)
  await assert.rejects(pool.run(2, { name: 'missing' }), { code: 'ERR_TELAR_NO_HANDLER' })
})

test('currentTask() is the task that is called', limit, async (t) => {
  const { pool } = useSteered(t, { abort: 'interrupt', timeout: 60_000 })
  assert.deepEqual(await pool.run(1, { name: 'below' }), [true, true, true, true])
})

test('a pool in a worker terminates instead, and drops what waits', limit, async (t) => {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    const { Pool } = require(workerData.telar)
    const words = new Int32Array(workerData.gate)
    const pool = new Pool({
      filename: workerData.filename, workerData: workerData.gate, maxThreads: 1
    })
    const reached = async (at) => {
      while (Atomics.load(words, at) === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    const runs = async () => {
      const threads = [await pool.run(0, { name: 'thread' })]
      for (const [i, name] of ['never', 'spin'].entries()) {
        const stop = new AbortController()
        const options = { name, signal: stop.signal, abort: 'interrupt', interruptMs: 200 }
        const running = pool.run(i + 1, options).catch(({ code }) => code)
        await reached(i + 1)
        stop.abort()
        threads.push(await running, await pool.run(0, { name: 'thread' }))
      }
      parentPort.postMessage(threads)
      await pool.close()
    }
    runs()`
  const { filename } = useSteered(t).pool.options
  const worker = new Worker(code, {
    eval: true,
    workerData: { telar: require.resolve('../..'), filename, gate: new SharedArrayBuffer(64) }
  })
  const [[first, code1, second, code2, third]] = await once(worker, 'message')
  assert.deepEqual([code1, code2], ['ERR_TELAR_ABORTED', 'ERR_TELAR_ABORTED'])
  assert.equal(second, first)
  assert.notEqual(third, second)
  await once(worker, 'exit')
})

test('the grace of a call that changes the strength is that of its own strength', limit, (t) => {
  const graceOf = (options) => useSteered(t, options).pool.options.graceMs
  assert.equal(graceOf({}), Infinity)
  assert.equal(graceOf({ abort: 'interrupt' }), 0)
  assert.equal(graceOf({ abort: 'interrupt', graceMs: 7 }), 7)
  assert.equal(useSteered(t).pool.options.interruptMs, 250)
})

test('interruptMs has to be a number of milliseconds', limit, async (t) => {
  const { pool } = useSteered(t)
  for (const interruptMs of [-1, NaN, '1', {}]) {
    await assert.rejects(pool.run(1, { interruptMs }), {
      code: 'ERR_TELAR_INVALID_ARGUMENT',
      message: /interruptMs argument must be a number of milliseconds from 0, or Infinity/
    })
  }
})
