'use strict'

// broadcast(): a task once on every worker.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { TelarError } = require('../..')
const Piscina = require('../../lib/piscina')
const { useGate } = require('../fixtures/use-gate')
const { endAfter, task, usePool } = require('../fixtures/use-pool')
const { until } = require('../fixtures/until')

const three = { minThreads: 3, maxThreads: 3 }
const idsOf = (pool) => pool.workers.map(({ id }) => id)

test('runs once on every worker, and on those that are starting', async (t) => {
  const pool = usePool(t, 'routed.js', three)
  const starting = pool.broadcast(1) // no worker is ready yet
  const ids = idsOf(pool)
  assert.deepEqual(await starting, ids)
  assert.deepEqual(await pool.broadcast(2), ids)
  const started = await pool.broadcast(null, { name: 'takeStarted' })
  assert.deepEqual(started, [[1, 2], [1, 2], [1, 2]])
})

test('waits for a worker that is busy, and starts no other', async (t) => {
  const { pool, hold, open } = useGate(t, { minThreads: 2, maxThreads: 4 })
  const held = [hold(), hold()]
  await until(() => pool.workers.filter(({ tasks }) => tasks === 1).length === 2)
  const results = pool.broadcast(1)
  assert.equal(pool.workers.length, 2)
  open()
  assert.deepEqual(await results, idsOf(pool))
  await Promise.all(held)
})

test('has a priority', async (t) => {
  const { pool, hold, open, started } = useGate(t)
  const held = hold()
  await until(() => pool.workers[0].tasks === 1)
  const ran = [pool.run(1), pool.broadcast(2, { priority: -1 }), pool.broadcast(3, { priority: 1 })]
  open()
  await Promise.all([held, ...ran])
  assert.deepEqual(await started(), [3, 1, 2])
})

test('rejects with the errors, and with the results of the others', async (t) => {
  const pool = usePool(t, 'routed.js', three)
  const [first, second, third] = idsOf(pool)
  await assert.rejects(pool.broadcast(second, { name: 'failOn' }), (error) => {
    assert.ok(error instanceof AggregateError)
    assert.ok(error instanceof TelarError)
    assert.equal(error.name, 'AggregateError')
    assert.equal(error.code, 'ERR_TELAR_BROADCAST')
    assert.match(error.message, /failed on 1 of 3 workers/)
    assert.doesNotMatch(error.stack, /createError|settleAll/)
    assert.deepEqual(error.errors.map(({ name, message }) => [name, message]),
      [['RangeError', `thread ${second}`]])
    assert.deepEqual(error.results, [first, undefined, third])
    return true
  })
})

test('rejects if a worker ends, also one that runs something else', async (t) => {
  const { pool, hold, open } = useGate(t, { minThreads: 2, maxThreads: 2 })
  const stop = new AbortController()
  const held = hold({ signal: stop.signal })
  await until(() => pool.workers.some(({ tasks }) => tasks === 1))
  const results = pool.broadcast(1)
  stop.abort()
  await assert.rejects(held, { name: 'AbortError' })
  await assert.rejects(results, (error) => {
    assert.equal(error.code, 'ERR_TELAR_BROADCAST')
    assert.deepEqual(error.errors.map(({ code }) => code), ['ERR_TELAR_TERMINATED'])
    assert.equal(error.results.filter((id) => id !== undefined).length, 1)
    return true
  })
  open()
  assert.equal((await pool.broadcast(1)).length, 2)
})

test('is aborted on every worker where it waits', async (t) => {
  const { pool, hold, open } = useGate(t, { minThreads: 2, maxThreads: 2 })
  const held = [hold(), hold()]
  await until(() => pool.workers.every(({ tasks }) => tasks === 1))
  const ids = idsOf(pool)
  const stop = new AbortController()
  const results = pool.broadcast(1, { signal: stop.signal })
  stop.abort()
  await assert.rejects(results, ({ errors }) => {
    return errors.length === 2 && errors.every(({ name }) => name === 'AbortError')
  })
  open()
  await Promise.all(held)
  assert.deepEqual(await pool.broadcast(null, { name: 'takeStarted' }), [[], []])
  assert.deepEqual(idsOf(pool), ids)
})

test('sends any value that run() sends, except by transfer', async (t) => {
  const pool = usePool(t, 'routed.js', three)
  const shared = new SharedArrayBuffer(8)
  for (const value of [new Map([[1, { a: [2] }]]), shared, 'x'.repeat(100_000)]) {
    assert.deepEqual(await pool.broadcast(value), idsOf(pool))
  }
  await assert.rejects(pool.broadcast(() => 1), ({ errors }) => {
    return errors.length === 3 && errors.every(({ name }) => name === 'DataCloneError')
  })
  await assert.rejects(pool.broadcast(shared, { transferList: [] }), {
    code: 'ERR_TELAR_INVALID_ARGUMENT', message: /^transferList argument must not be given/
  })
  await assert.rejects(pool.broadcast(1, { key: 1 }), {
    code: 'ERR_TELAR_INVALID_ARGUMENT', message: /^key argument must not be given/
  })
  await assert.rejects(pool.broadcast(1, { keys: 1 }), { code: 'ERR_TELAR_UNKNOWN_OPTION' })
})

test('waits when no slot is free, and counts as no task of the queue', async (t) => {
  const { pool, hold, open } = useGate(t, { maxQueue: 5000 })
  const held = hold()
  const ran = Array.from({ length: 4999 }, (_, turn) => pool.run(turn))
  const results = pool.broadcast(-1)
  open()
  assert.deepEqual(await results, idsOf(pool))
  await Promise.all([held, ...ran])
})

test('resolves with an empty array if there is no worker', async (t) => {
  const pool = usePool(t, 'routed.js', { minThreads: 0 })
  assert.deepEqual(await pool.broadcast(1), [])
  await pool.run(1)
  assert.equal((await pool.broadcast(1)).length, 1)
  const closed = pool.close()
  await assert.rejects(pool.broadcast(1), { name: 'AbortError' })
  await closed
})

test('telar/piscina has it too', async (t) => {
  const pool = endAfter(t, new Piscina({ filename: task('routed.js'), ...three }))
  assert.deepEqual(await pool.broadcast(1), idsOf(pool))
})
