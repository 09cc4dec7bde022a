'use strict'

// pool.runMany(): the results of many items as an array.

const assert = require('node:assert/strict')
const { getEventListeners } = require('node:events')
const { test } = require('node:test')
const { range } = require('../fixtures/collect')
const { createGate } = require('../fixtures/fault-helpers')
const { usePool } = require('../fixtures/use-pool')

const limit = { timeout: 60_000 }
const useMany = (t, options) => usePool(t, 'many.js', options)

test('runMany() resolves with the results in the order of the items', limit, async (t) => {
  const pool = useMany(t, { name: 'root', maxThreads: 2 })
  assert.deepEqual(await pool.runMany(range(5000)), range(5000).map(Math.sqrt))
  assert.deepEqual(await pool.runMany([]), [])
  const plans = [{ delay: 20, value: 'slow' }, { value: 'fast' }]
  assert.deepEqual(await pool.runMany(plans, { name: 'follow', batch: 1 }), ['slow', 'fast'])
  async function * source () { yield * [1, 4, 9] }
  assert.deepEqual(await pool.runMany(source()), [1, 2, 3])
})

test('the first error rejects at once and ends the rest', limit, async (t) => {
  const gate = createGate()
  const pool = useMany(t, { minThreads: 2, maxThreads: 2, workerData: gate.buffer })
  const held = { delay: 60_000 }
  const plans = [held, { error: 'first' }, ...range(100).map((value) => ({ value }))]
  const call = async () => { await pool.runMany(plans, { name: 'follow', batch: 1 }) }
  const error = await call().catch((error) => error)
  assert.equal(error.message, 'first')
  assert.equal(error.itemIndex, 1)
  assert.match(error.stack, /at async call/)
  assert.ok(gate.count(1) < 50, `${gate.count(1)} items ran`)
  assert.equal(await pool.run('after'), 'after')
})

test('settle gives the outcome of each item', limit, async (t) => {
  const pool = useMany(t, { name: 'failAt' })
  for (const batch of [1, 3, 'auto']) {
    const outcomes = await pool.runMany([0, -1, 2, () => {}, -4], { settle: true, batch })
    assert.deepEqual(outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'rejected'])
    assert.deepEqual(outcomes[2], { status: 'fulfilled', value: 2 })
    assert.deepEqual([outcomes[1], outcomes[4]].map(({ reason }) => reason.message),
      ['failed at -1', 'failed at -4'])
    assert.deepEqual([1, 3, 4].map((i) => outcomes[i].reason.itemIndex), [1, 3, 4])
    assert.equal(outcomes[3].reason.name, 'DataCloneError')
    assert.match(outcomes[4].reason.stack, /failHere/)
    assert.doesNotMatch(outcomes[4].reason.stack, /worker.batch\.js/)
  }
})

test('settle gives the error of a worker that ended to the items that it had', limit, async (t) => {
  const pool = useMany(t, { name: 'exitAt' })
  const outcomes = await pool.runMany([0, -1, 2], { settle: true, batch: 1 })
  assert.deepEqual(outcomes.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled'])
  assert.equal(outcomes[1].reason.code, 'ERR_TELAR_WORKER_EXITED')
  const together = await pool.runMany([0, -1, 2], { settle: true, batch: 3 })
  assert.deepEqual(together.map(({ status }) => status), Array(3).fill('rejected'))
})

test('a signal and a source that fails reject, settle or not', limit, async (t) => {
  const gate = createGate()
  const pool = useMany(t, { name: 'hold', workerData: gate.buffer })
  for (const settle of [false, true]) {
    const stop = new AbortController()
    const reached = gate.count(1) + 1
    const running = pool.runMany(range(50), { settle, signal: stop.signal, abort: 'cooperative' })
    await gate.reached(1, reached)
    stop.abort('enough')
    await assert.rejects(running, { code: 'ERR_TELAR_ABORTED', cause: 'enough' })
    assert.deepEqual(getEventListeners(stop.signal, 'abort'), [])
    function * fail () { throw new Error('no items') }
    await assert.rejects(pool.runMany(fail(), { settle }), { message: 'no items' })
    gate.open(0)
    await pool.run(0)
    gate.set(0, 0)
  }
})

test('what is wrong with the call rejects', limit, async (t) => {
  const pool = useMany(t)
  for (const [items, options] of [
    [5], [{}], [[1], { settle: 1 }], [[1], { batch: 0 }], [[1], null]
  ]) {
    await assert.rejects(pool.runMany(items, options), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
  }
  await assert.rejects(pool.runMany([1], { ordered: true }), { code: 'ERR_TELAR_UNKNOWN_OPTION' })
})
