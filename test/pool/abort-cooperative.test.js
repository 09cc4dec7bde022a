'use strict'

// Aborts that tell a task to stop, and leave its worker alive.

const assert = require('node:assert/strict')
const { EventEmitter, getEventListeners } = require('node:events')
const { test } = require('node:test')
const { outcomes, until } = require('../fixtures/fault-helpers')
const { abortThousand, abortWaiting, abortable, useSteered } = require('../fixtures/use-steered')

const limit = { timeout: 60_000 }
const aborted = { name: 'AbortError', code: 'ERR_TELAR_ABORTED' }

const cooperative = (name, options) => abortable('cooperative', name, options)

test('a loop without awaits sees the abort, and its worker lives on', limit, async (t) => {
  const { gate, pool, messages } = useSteered(t)
  const thread = await pool.run(0, { name: 'thread' })
  const { stop, options } = cooperative('spinUntilAborted')
  const running = pool.run(1, options)
  await gate.reached(1, 1)
  const reason = new Error('not needed any more')
  stop.abort(reason)
  await assert.rejects(running, { ...aborted, cause: reason })
  assert.equal(await pool.run(0, { name: 'thread' }), thread)
  assert.deepEqual(messages, [{ aborted: true, signal: true }])
  assert.deepEqual(getEventListeners(stop.signal, 'abort'), [])
})

test('throwIfAborted() throws a copy of the reason', limit, async (t) => {
  const { gate, pool, messages } = useSteered(t)
  const reasons = [new RangeError('because'), 'a text', { code: 7, list: [1] }, null, 5]
  for (const [i, reason] of reasons.entries()) {
    const { stop, options } = cooperative('throwWhenAborted')
    const running = pool.run(1, options)
    await gate.reached(1, i + 1)
    stop.abort(reason)
    await assert.rejects(running, { ...aborted, cause: reason })
  }
  await until(() => messages.length === reasons.length)
  assert.deepEqual(messages.map((error) => error?.message ?? error),
    ['because', 'a text', { code: 7, list: [1] }, null, 5])
})

test('a reason that cannot be cloned becomes an AbortError in the task', limit, async (t) => {
  const { gate, pool, messages } = useSteered(t)
  const reasons = [() => {}, Symbol('reason'), { get it () { throw new Error('getter') } }]
  for (const [i, reason] of reasons.entries()) {
    const { stop, options } = cooperative('waitForSignal')
    const running = pool.run(1, options)
    await gate.reached(1, i + 1)
    stop.abort(reason)
    assert.equal((await running.catch((error) => error)).cause, reason)
    await until(() => messages.length === i + 1)
    assert.equal(messages[i].aborted, true)
  }
  const emitter = new EventEmitter() // it has no reason
  const running = pool.run(1,
    { name: 'waitForSignal', signal: emitter, abort: 'cooperative' })
  await gate.reached(1, 4)
  emitter.emit('abort')
  await assert.rejects(running, aborted)
  await until(() => messages.length === 4)
})

test('the signal fires on the event loop of the worker', limit, async (t) => {
  const { gate, pool, messages } = useSteered(t)
  const thread = await pool.run(0, { name: 'thread' })
  const { stop, options } = cooperative('waitForSignal')
  const running = pool.run(1, options)
  await gate.reached(1, 1)
  stop.abort(new Error('why'))
  await assert.rejects(running, aborted)
  assert.equal(await pool.run(0, { name: 'thread' }), thread)
  assert.equal(messages.length, 1)
  assert.equal(messages[0].reason.message, 'why')
  assert.deepEqual([messages[0].aborted, messages[0].isSame], [true, true])
})

test('only the aborted one of several tasks on a worker is told', limit, async (t) => {
  const { gate, pool, messages } = useSteered(t, { concurrentTasksPerWorker: 8 })
  const thread = await pool.run(0, { name: 'thread' })
  const tasks = Array.from({ length: 6 }, () => cooperative('waitForSignal'))
  const running = outcomes(tasks.map(({ options }) => pool.run(1, options)))
  const other = pool.run(2, { name: 'waitUntilOpen' })
  await gate.reached(1, 6) // with a signal, and yet all on one worker
  await gate.reached(2, 1)
  for (const [i, { stop }] of tasks.entries()) {
    stop.abort(i)
    await until(() => messages.length === i + 1)
    assert.equal(messages[i].reason, i)
  }
  gate.open(0)
  assert.equal(await other, 'opened')
  assert.deepEqual((await running).map(({ reason }) => reason.cause), [0, 1, 2, 3, 4, 5])
  assert.equal(await pool.run(0, { name: 'thread' }), thread)
})

test('a task that waits is never begun', limit, async (t) => {
  const pool = await abortWaiting(t, () => cooperative('mark'))
  assert.equal(pool.completed, 6002)
})

test('a thousand aborts of running tasks leave one worker and no task', limit, (t) => {
  return abortThousand(t, 3, () => cooperative('throwWhenAborted'))
})

test('past its grace the worker of a task that goes on is terminated', limit, async (t) => {
  const { gate, pool } = useSteered(t, { concurrentTasksPerWorker: 3 })
  const thread = await pool.run(0, { name: 'thread' })
  const other = pool.run(2, { name: 'waitUntilOpen' })
  await gate.reached(2, 1)
  const { stop, options } = cooperative('spin', { graceMs: 20 })
  const running = pool.run(1, options)
  await gate.reached(1, 1)
  stop.abort()
  await assert.rejects(running, aborted)
  // It harms the other tasks of the worker only now.
  await assert.rejects(other, { code: 'ERR_TELAR_TERMINATED' })
  assert.notEqual(await pool.run(0, { name: 'thread' }), thread)
})

test('a grace of 0 terminates too, and a task that ends in time is safe', limit, async (t) => {
  const { gate, pool } = useSteered(t)
  const thread = await pool.run(0, { name: 'thread' })
  const quick = cooperative('spinUntilAborted', { graceMs: 60_000 })
  const ending = pool.run(1, quick.options)
  await gate.reached(1, 1)
  quick.stop.abort()
  await assert.rejects(ending, aborted)
  assert.equal(await pool.run(0, { name: 'thread' }), thread)
  const endless = cooperative('spin', { graceMs: 0 })
  const running = pool.run(2, endless.options)
  await gate.reached(2, 1)
  endless.stop.abort()
  await assert.rejects(running, aborted)
  assert.notEqual(await pool.run(0, { name: 'thread' }), thread)
})

test('a task that was told keeps its place until it has ended', limit, async (t) => {
  const { gate, pool } = useSteered(t, { maxThreads: 1, maxQueue: 0 })
  await pool.run(0)
  const { stop, options } = cooperative('spinUntilOpen')
  const running = pool.run(1, options)
  await gate.reached(1, 1)
  stop.abort()
  await assert.rejects(running, aborted)
  assert.equal(pool.idleThreads, 0)
  await assert.rejects(pool.run(1), { code: 'ERR_TELAR_NO_QUEUE' })
  gate.open(0)
  await until(() => pool.idleThreads === 1)
  assert.equal(await pool.run(7), 7)
})

test('the pool starts another worker beside one whose task goes on', limit, async (t) => {
  const { gate, pool } = useSteered(t, { maxThreads: 2 })
  const { stop, options } = cooperative('spinUntilOpen')
  const running = pool.run(1, options)
  await gate.reached(1, 1)
  stop.abort()
  await assert.rejects(running, aborted)
  assert.equal(await pool.run(7), 7)
  gate.open(0)
})

test('close() waits for a task that was told, destroy() does not', limit, async (t) => {
  const { gate, pool, messages } = useSteered(t)
  const first = cooperative('spinUntilOpen')
  const running = pool.run(1, first.options)
  await gate.reached(1, 1)
  first.stop.abort()
  await assert.rejects(running, aborted)
  let isClosed = false
  const closing = pool.close().then(() => { isClosed = true })
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(isClosed, false)
  gate.open(0)
  await closing

  const second = cooperative('spin')
  const endless = pool.run(2, second.options)
  await gate.reached(2, 1)
  second.stop.abort()
  await assert.rejects(endless, aborted)
  await pool.destroy()
  assert.equal(await pool.run(7), 7)
  assert.deepEqual(messages, [])
})

test('what a task throws late, after its abort, is an error of the pool', limit, async (t) => {
  const { gate, pool } = useSteered(t)
  const errors = []
  pool.on('error', (error) => errors.push(error.message))
  const { stop, options } = cooperative('failWhenAborted')
  const running = pool.run(1, options)
  await gate.reached(1, 1)
  stop.abort()
  await assert.rejects(running, aborted)
  await until(() => errors.length === 1)
  assert.deepEqual(errors, ['after the abort'])
  assert.equal(await pool.run(7), 7)
})

test('a load balancer sees the task that was told until it has ended', limit, async (t) => {
  const usages = []
  const loadBalancer = (task, [worker]) => {
    usages.push([task.isAbortable, worker.currentUsage])
    return worker
  }
  const { gate, pool } = useSteered(t, { loadBalancer, concurrentTasksPerWorker: 2 })
  await until(() => pool.idleThreads === 1)
  const { stop, options } = cooperative('waitUntilOpen')
  const running = pool.run(1, options)
  await gate.reached(1, 1)
  stop.abort()
  await assert.rejects(running, aborted)
  assert.equal(await pool.run(7), 7)
  gate.open(0)
  await until(() => pool.idleThreads === 1)
  assert.equal(await pool.run(7), 7)
  assert.deepEqual(usages, [[false, 0], [false, 1], [false, 0]])
})

test('the strength may be an option of the pool, and a call may change it', limit, async (t) => {
  const { gate, pool } = useSteered(t, { abort: 'cooperative', graceMs: 60_000 })
  const thread = await pool.run(0, { name: 'thread' })
  const { stop, options: { signal } } = cooperative('spinUntilAborted')
  const running = pool.run(1, { name: 'spinUntilAborted', signal })
  await gate.reached(1, 1)
  stop.abort()
  await assert.rejects(running, aborted)
  assert.equal(await pool.run(0, { name: 'thread' }), thread)
  const again = new AbortController()
  const ending = pool.run(1, { name: 'spin', signal: again.signal, abort: 'terminate' })
  await gate.reached(1, 2)
  again.abort()
  await assert.rejects(ending, aborted)
  assert.notEqual(await pool.run(0, { name: 'thread' }), thread)
})
