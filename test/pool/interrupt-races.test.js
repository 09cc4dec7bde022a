'use strict'

// An interrupt hits the task that was aborted, and no other one, whenever it comes.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { outcomes } = require('../fixtures/fault-helpers')
const { abortThousand, abortWaiting, abortable, useSteered } = require('../fixtures/use-steered')

const limit = { timeout: 60_000 }
const aborted = { name: 'AbortError', code: 'ERR_TELAR_ABORTED' }
const never = { interruptMs: Infinity } // the worker is not terminated, however slow the machine is

const interruptible = (name, options) => abortable('interrupt', name, options)

test('a thousand interrupts in a row leave one worker and no task', limit, (t) => {
  return abortThousand(t, 4, (i) => {
    return interruptible(i % 2 === 0 ? 'spin' : 'spinInMicrotask', never)
  })
})

test('an interrupt of a task that just ends never hits the next one', limit, async (t) => {
  const { pool } = useSteered(t)
  const thread = await pool.run(0, { name: 'thread' })
  for (let i = 0; i < 1000; i++) {
    const { stop, options } = interruptible('endSoon', { ...never, graceMs: i % 2 })
    const running = outcomes([pool.run(1 + i % 15, options)])
    const next = [pool.run(i), pool.run(i, { name: 'default', abort: 'interrupt', timeout: 1e6 })]
    if (i % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
    stop.abort()
    assert.deepEqual(await Promise.all(next), [i, i])
    const [{ reason }] = await running
    assert.equal(reason.code, 'ERR_TELAR_ABORTED', reason.stack)
  }
  assert.equal(await pool.run(0, { name: 'thread' }), thread)
  assert.equal(pool.completed, 3002)
})

test('what a stopped task leaves to ticks and microtasks is stopped too', limit, async (t) => {
  const { gate, pool } = useSteered(t)
  const thread = await pool.run(0, { name: 'thread' })
  for (let i = 0; i < 200; i++) {
    const { stop, options } = interruptible('spinThrice', never)
    const before = gate.count(1)
    const running = pool.run(1, options)
    await gate.reached(1, before + 1)
    stop.abort()
    await assert.rejects(running, aborted)
    assert.equal(await pool.run(0, { name: 'thread' }), thread)
  }
})

test('a task is stopped at any moment around the end of its function', limit, async (t) => {
  const { pool } = useSteered(t)
  const thread = await pool.run(0, { name: 'thread' })
  for (let i = 0; i < 300; i++) {
    const { stop, options } = interruptible('leaveSpin', never)
    const running = pool.run(i % 4, options)
    setTimeout(() => stop.abort(), i % 5)
    await assert.rejects(running, aborted)
    assert.equal(await pool.run(0, { name: 'thread' }), thread)
  }
})

test('a task that waits is never begun', limit, async (t) => {
  await abortWaiting(t, () => interruptible('mark'))
})

test('only the aborted ones of several tasks on a worker are stopped', limit, async (t) => {
  const { gate, pool } = useSteered(t, { concurrentTasksPerWorker: 8 })
  const thread = await pool.run(0, { name: 'thread' })
  const other = pool.run(2, { name: 'waitUntilOpen', abort: 'interrupt', timeout: 60_000 })
  await gate.reached(2, 1)
  for (let i = 0; i < 200; i++) {
    const tasks = ['never', 'waitUntilOpen', 'spin'].map((name) => interruptible(name, never))
    const running = outcomes(tasks.map(({ options }) => pool.run(3, options)))
    await gate.reached(3, 3 * i + 3)
    for (const { stop } of tasks) stop.abort()
    for (const { reason } of await running) assert.equal(reason.code, 'ERR_TELAR_ABORTED')
  }
  gate.open(0)
  assert.equal(await other, 'opened')
  assert.equal(await pool.run(0, { name: 'thread' }), thread)
  assert.equal(pool.completed, 603)
})

test('destroy() ends a pool whose task is being interrupted', limit, async (t) => {
  const { gate, pool } = useSteered(t)
  for (let i = 1; i <= 20; i++) {
    const { stop, options } = interruptible('spin')
    const running = assert.rejects(pool.run(1, options), aborted)
    await gate.reached(1, i)
    stop.abort()
    await pool.destroy()
    await running
  }
  assert.equal(await pool.run(7), 7)
})
