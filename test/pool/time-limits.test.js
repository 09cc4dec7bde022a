'use strict'

// `timeout`: how long a task may run. `queueTimeout`: how long it may wait. They hold real time, so
// tests assert what happens and in which order, never how long it took.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { FixedQueue, Pool, TelarError } = require('../..')
const Piscina = require('../../lib/piscina')
const { createGate, outcomes, until } = require('../fixtures/fault-helpers')
const { endAfter, task } = require('../fixtures/use-pool')
const { useSteered } = require('../fixtures/use-steered')

const limit = { timeout: 60_000 }
const overRun = { code: 'ERR_TELAR_TIMEOUT', phase: 'run' }
const overQueue = { code: 'ERR_TELAR_TIMEOUT', phase: 'queue' }

// ---- timeout ----

for (const [where, poolOptions, runOptions] of [
  ['of the call', {}, { timeout: 20 }],
  ['of the pool', { timeout: 20 }, {}],
  ['of the call, before that of the pool', { timeout: 60_000 }, { timeout: 20 }]
]) {
  test(`a timeout ${where} ends a task that runs too long, and its worker`, limit, async (t) => {
    const { pool } = useSteered(t, poolOptions)
    const thread = await pool.run(0, { name: 'thread', timeout: Infinity })
    const error = await pool.run(1, { name: 'spin', ...runOptions }).catch((error) => error)
    assert.equal(error.message, 'The task timed out after 20 ms')
    assert.equal(error.phase, 'run')
    assert.equal(error.code, 'ERR_TELAR_TIMEOUT')
    assert.ok(error instanceof TelarError)
    assert.notEqual(await pool.run(0, { name: 'thread', timeout: Infinity }), thread)
  })
}

test('a timeout of the pool ends tasks of its own function too', limit, async (t) => {
  const filename = 'data:text/javascript,export default () => { for (;;); }'
  const pool = endAfter(t, new Pool({ filename, maxThreads: 1, timeout: 20 }))
  await assert.rejects(pool.run({}), overRun)
  await assert.rejects(pool.run(1), overRun)
})

test('a cooperative timeout tells the task, and its worker lives on', limit, async (t) => {
  const { pool, messages } = useSteered(t, { abort: 'cooperative', concurrentTasksPerWorker: 3 })
  const thread = await pool.run(0, { name: 'thread' })
  await assert.rejects(pool.run(1, { name: 'throwWhenAborted', timeout: 20 }), overRun)
  await assert.rejects(pool.run(1, { name: 'waitForSignal', timeout: 20 }), overRun)
  assert.equal(await pool.run(0, { name: 'thread' }), thread)
  await until(() => messages.length === 2)
  assert.equal(messages[0].code, 'ERR_TELAR_TIMEOUT')
  assert.equal(messages[0].phase, 'run')
  assert.equal(messages[1].reason.phase, 'run')
})

test('past the grace of a cooperative timeout the worker is terminated', limit, async (t) => {
  const { pool } = useSteered(t, { abort: 'cooperative', graceMs: 10 })
  const thread = await pool.run(0, { name: 'thread' })
  await assert.rejects(pool.run(1, { name: 'spin', timeout: 20 }), overRun)
  assert.notEqual(await pool.run(0, { name: 'thread' }), thread)
})

test('a timeout does not count while a task waits', limit, async (t) => {
  const { gate, pool } = useSteered(t)
  const busy = pool.run(1, { name: 'spinUntilOpen' })
  await gate.reached(1, 1)
  const waiting = [pool.run(7, { timeout: 30 }), pool.run(8, { timeout: 30, name: 'default' })]
  await new Promise((resolve) => setTimeout(resolve, 60))
  gate.open(0)
  assert.deepEqual(await Promise.all([busy, ...waiting]), ['opened', 7, 8])
})

test('tasks that end in time are not affected, whatever their limits', limit, async (t) => {
  const { pool } = useSteered(t, { timeout: 60_000, queueTimeout: 60_000 })
  const thread = await pool.run(0, { name: 'thread' })
  const all = Array.from({ length: 10_000 }, (_, i) =>
    pool.run(i, [undefined, { timeout: 60_000 + i }, { timeout: Infinity }, {}][i % 4]))
  assert.deepEqual(await Promise.all(all), Array.from({ length: 10_000 }, (_, i) => i))
  assert.equal(await pool.run(0, { name: 'thread' }), thread)
})

test('a slot that had a limit has none for its next task', limit, async (t) => {
  const { gate, pool } = useSteered(t)
  await pool.run(0)
  assert.equal(await pool.run(7, { timeout: 200, queueTimeout: 200 }), 7)
  const running = pool.run(1, { name: 'spinUntilOpen' })
  await gate.reached(1, 1)
  await new Promise((resolve) => setTimeout(resolve, 300))
  gate.open(0)
  assert.equal(await running, 'opened')
})

test('a task with a timeout has a worker to itself, unless it is cooperative', limit, async (t) => {
  const { gate, pool } = useSteered(t, { concurrentTasksPerWorker: 4 })
  const other = pool.run(1, { name: 'waitUntilOpen' })
  await gate.reached(1, 1)
  const shared = assert.rejects(
    pool.run(3, { name: 'waitForSignal', timeout: 20, abort: 'cooperative' }), overRun)
  const alone = assert.rejects(pool.run(2, { name: 'spin', timeout: 20 }), overRun)
  await gate.reached(3, 1)
  await shared
  assert.equal(gate.count(2), 0)
  gate.open(0)
  assert.equal(await other, 'opened') // it was not harmed
  await alone
})

test('many tasks may be over their timeout at once', limit, async (t) => {
  const { pool } = useSteered(t, { abort: 'cooperative', concurrentTasksPerWorker: 1000 })
  const thread = await pool.run(0, { name: 'thread' })
  const running = Array.from({ length: 900 }, () =>
    pool.run(1, { name: 'waitForSignal', timeout: 100 }))
  for (const { reason } of await outcomes(running)) assert.equal(reason.phase, 'run')
  assert.equal(await pool.run(0, { name: 'thread' }), thread)
})

// ---- queueTimeout ----

test('a task that waits too long rejects and never runs', limit, async (t) => {
  const { gate, pool } = useSteered(t)
  const busy = pool.run(1, { name: 'spinUntilOpen' })
  await gate.reached(1, 1)
  const error = await pool.run(3, { name: 'mark', queueTimeout: 20 }).catch((error) => error)
  assert.equal(error.message, 'The wait of the task for a worker timed out after 20 ms')
  assert.equal(error.phase, 'queue')
  await assert.rejects(pool.run(3, { queueTimeout: 20 }), overQueue)
  gate.open(0)
  assert.equal(await busy, 'opened')
  assert.equal(await pool.run(3, { name: 'mark', queueTimeout: 60_000 }), 'marked')
  assert.equal(gate.count(3), 1)
})

test('more tasks than the scheduler holds may wait too long', limit, async (t) => {
  const { gate, pool } = useSteered(t, { queueTimeout: 30 })
  const busy = pool.run(1, { name: 'spinUntilOpen', queueTimeout: Infinity })
  await gate.reached(1, 1)
  const waiting = outcomes(Array.from({ length: 6000 }, () => pool.run(3, { name: 'mark' })))
  for (const { reason } of await waiting) assert.equal(reason?.phase, 'queue')
  assert.equal(pool.queueSize, 0)
  gate.open(0)
  assert.equal(await busy, 'opened')
  assert.equal(gate.count(3), 0)
  assert.equal(pool.completed, 6001)
})

for (const [kind, options] of [
  ['in a queue of the user', { taskQueue: new FixedQueue() }],
  ['for a load balancer', { loadBalancer: (task, workers) => null }],
  ['with asyncHooks', { asyncHooks: true }],
  ['for a worker of its own', { concurrentTasksPerWorker: 2 }]
]) {
  test(`a task may wait too long ${kind}`, limit, async (t) => {
    const { gate, pool } = useSteered(t, options)
    const isBalanced = options.loadBalancer !== undefined
    const busy = isBalanced ? 'opened' : pool.run(1, { name: 'spinUntilOpen' })
    if (!isBalanced) await gate.reached(1, 1)
    const { signal } = new AbortController()
    await assert.rejects(pool.run(3, { name: 'mark', queueTimeout: 20, signal }), overQueue)
    gate.open(0)
    assert.equal(await busy, 'opened')
    assert.equal(gate.count(3), 0)
  })
}

test('a queueTimeout does not count while a task runs', limit, async (t) => {
  const { gate, pool } = useSteered(t)
  await pool.run(0)
  const running = pool.run(1, { name: 'spinUntilOpen', queueTimeout: 1000 })
  await gate.reached(1, 1)
  await assert.rejects(pool.run(1, { queueTimeout: 1001 }), overQueue)
  gate.open(0)
  assert.equal(await running, 'opened')
})

test('a task that waits until its queueTimeout keeps the process alive', limit, async (t) => {
  const { gate, pool } = useSteered(t, { maxThreads: 1 })
  const busy = pool.run(1, { name: 'waitUntilOpen', abort: 'cooperative', timeout: 60_000 })
  await gate.reached(1, 1)
  await assert.rejects(pool.run(1, { queueTimeout: 20 }), overQueue)
  gate.open(0)
  await busy
})

// ---- options ----

for (const Class of [Pool, Piscina]) {
  test(`${Class.name}: limits of the wrong type are refused`, limit, async (t) => {
    const filename = task('steered.js')
    const pool = endAfter(t, new Class({ filename, maxThreads: 1 }))
    const wrong = {
      timeout: [0, -1, NaN, '5', {}],
      queueTimeout: [0, -1, NaN, '5', {}],
      graceMs: [-1, NaN, '5', {}],
      abort: ['never', '', 1, {}]
    }
    for (const [name, values] of Object.entries(wrong)) {
      for (const value of values) {
        await assert.rejects(pool.run(1, { [name]: value }),
          { code: 'ERR_TELAR_INVALID_ARGUMENT', message: new RegExp(`^${name} argument must be`) })
        assert.throws(() => new Class({ filename, [name]: value }),
          { code: 'ERR_TELAR_INVALID_ARGUMENT', message: new RegExp(`^options.${name} must be`) })
      }
      assert.equal(await pool.run(1, { [name]: undefined }), 1)
      assert.equal(await pool.run(1, { [name]: null }), 1)
    }
  })

  test(`${Class.name}: limits work`, limit, async (t) => {
    const gate = createGate()
    const pool = endAfter(t, new Class({
      filename: task('steered.js'), minThreads: 1, maxThreads: 1, workerData: gate.buffer
    }))
    await assert.rejects(pool.run(1, { name: 'spin', timeout: 20 }), overRun)
    const options = { name: 'throwWhenAborted', timeout: 500, abort: 'cooperative' }
    const busy = assert.rejects(pool.run(2, options), overRun)
    await gate.reached(2, 1)
    await assert.rejects(pool.run(3, { name: 'mark', queueTimeout: 20 }), overQueue)
    await busy
    assert.equal(gate.count(3), 0)
    assert.equal(await pool.run(7), 7)
  })
}

test('a limit beyond what a timer holds never ends', limit, async (t) => {
  const { pool } = useSteered(t)
  for (const time of [2 ** 31, 2 ** 33, 1e15, Number.MAX_VALUE]) {
    assert.equal(await pool.run(1, { timeout: time, queueTimeout: time }), 1)
  }
})
