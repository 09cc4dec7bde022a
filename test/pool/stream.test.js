'use strict'

// pool.stream(): the values that a generator task gives one after the other.

const assert = require('node:assert/strict')
const { getEventListeners } = require('node:events')
const { Readable } = require('node:stream')
const { test } = require('node:test')
const fc = require('fast-check')
const { setImmediate: turn, setTimeout: sleep } = require('node:timers/promises')
const { move } = require('../..')
const { collect, collectError, range } = require('../fixtures/collect')
const { createGate } = require('../fixtures/fault-helpers')
const { until } = require('../fixtures/until')
const { task, usePool } = require('../fixtures/use-pool')

const limit = { timeout: 60_000 }

function useStreams (t, options) {
  const gate = createGate()
  const pool = usePool(t, 'streams.js', { workerData: gate.buffer, ...options })
  return { pool, gate }
}

test('the values of every kind of generator come in order', limit, async (t) => {
  const { pool, gate } = useStreams(t)
  for (const name of ['default', 'slowly', 'list', 'later']) {
    assert.deepEqual(await collect(pool.stream(1000, { name })), range(1000), name)
  }
  assert.deepEqual(await collect(pool.stream(0)), [])
  await gate.reached(2, 4)
  assert.deepEqual(await collect(pool.stream(100_000)), range(100_000))
  assert.deepEqual(await collect(pool.stream(null, { name: 'context', key: 7 })),
    [['context', 7, true]])
})

test('values of all kinds arrive as they were when they were given', limit, async (t) => {
  const { pool } = useStreams(t)
  const values = await collect(pool.stream(null, { name: 'kinds' }))
  assert.deepEqual(values, [1, 'text', null, undefined, 5n, new Map([[1, 2]]),
    Buffer.from('bytes'), new Uint8Array([1, 2]), 'awaited'])
  const reused = await collect(pool.stream(100, { name: 'reuse' }))
  assert.deepEqual(reused.map(({ i }) => i), range(100))
})

test('an error comes after the values before it, with frames of both sides', limit, async (t) => {
  const { pool } = useStreams(t)
  for (const at of [0, 1, 5000]) {
    const loop = async () => await collectError(pool.stream(at, { name: 'failAt' }))
    const { values, error } = await loop()
    assert.deepEqual(values, range(at))
    assert.ok(error instanceof RangeError)
    assert.equal(error.message, `failed at ${at}`)
    assert.match(error.stack, /failHere[\s\S]*at async collectError[\s\S]*at async loop/)
    assert.doesNotMatch(error.stack, /worker.stream\.js/)
  }
  assert.deepEqual(await collect(pool.stream(3)), [0, 1, 2])
})

test('a worker that ends rejects after the values that it sent', limit, async (t) => {
  const { pool } = useStreams(t)
  for (const at of [0, 100]) {
    const { values, error } = await collectError(pool.stream(at, { name: 'exitAt' }))
    assert.deepEqual(values, range(at))
    assert.equal(error.code, 'ERR_TELAR_WORKER_EXITED')
  }
  assert.deepEqual(await collect(pool.stream(3)), [0, 1, 2])
})

test('leaving the loop runs the finally of the generator', limit, async (t) => {
  const { pool, gate } = useStreams(t)
  let finished = 0
  for (const name of ['default', 'slowly']) {
    for await (const value of pool.stream(Infinity, { name })) {
      if (value === 500) break
    }
    await gate.reached(2, ++finished)
    await assert.rejects(async () => {
      for await (const value of pool.stream(Infinity, { name })) {
        if (value === 500) throw new Error('from the loop')
      }
    }, { message: 'from the loop' })
    await gate.reached(2, ++finished)
  }
  assert.equal(pool.threads.length, 1)
  const waiting = pool.stream(0, { name: 'waitForAbort' })
  assert.equal((await waiting.next()).value, 'begun')
  await waiting.return()
  await gate.reached(2, ++finished)
  assert.deepEqual(await waiting.next(), { value: undefined, done: true })
})

test('a slow consumer slows the generator', limit, async (t) => {
  const { pool, gate } = useStreams(t)
  const results = pool.stream(Infinity, { capacity: 4096 })
  assert.equal((await results.next()).value, 0)
  let before
  await until(async () => {
    before = gate.count(1)
    await sleep(20)
    return gate.count(1) === before
  })
  assert.ok(before < 3000, `${before} values were given`)
  await results.return()
  await gate.reached(2, 1)
})

test('nothing runs before the first value is asked for', limit, async (t) => {
  const { pool, gate } = useStreams(t)
  const results = pool.stream(10)
  await sleep(5)
  assert.equal(gate.count(1), 0)
  await results.return()
  assert.equal((await results.next()).done, true)
  assert.equal(pool.completed, 0)
})

test('a signal ends the stream', limit, async (t) => {
  const { pool, gate } = useStreams(t)
  for (const [i, abort] of ['cooperative', 'terminate'].entries()) {
    const stop = new AbortController()
    const results = pool.stream(Infinity, { name: 'slowly', signal: stop.signal, abort })
    await results.next()
    const reason = new Error('enough')
    stop.abort(reason)
    await assert.rejects(results.next(), { code: 'ERR_TELAR_ABORTED', cause: reason })
    assert.equal((await results.next()).done, true)
    assert.deepEqual(getEventListeners(stop.signal, 'abort'), [])
    if (i === 0) await gate.reached(2, 1)
  }
  await assert.rejects(pool.stream(1, { signal: AbortSignal.abort() }).next(),
    { code: 'ERR_TELAR_ABORTED' })
  assert.deepEqual(await collect(pool.stream(3)), [0, 1, 2])
})

test('several calls of next() may wait', limit, async (t) => {
  const { pool } = useStreams(t)
  const results = pool.stream(3)
  const steps = await Promise.all(range(5).map(() => results.next()))
  assert.deepEqual(steps.map(({ value, done }) => done ? 'end' : value), [0, 1, 2, 'end', 'end'])
})

test('what is no generator, and what cannot be sent, is an error', limit, async (t) => {
  const { pool } = useStreams(t)
  const collectBad = (value, name) => collectError(pool.stream(value, { name }))
  assert.match((await collectBad(0, 'number')).error.message,
    /^Expected number\(\) to return an iterator for stream\(\).* returned 5/)
  const unsendable = await collectBad('function', 'bad')
  assert.deepEqual(unsendable.values, ['good'])
  assert.equal(unsendable.error.name, 'DataCloneError')
  const large = await collectBad('large', 'bad')
  assert.deepEqual(large.values, ['good'])
  assert.equal(large.error.code, 'ERR_TELAR_RECORD_TOO_LARGE')
  const more = await collect(pool.stream('large', { name: 'bad', capacity: 2 ** 24 }))
  assert.equal(more[1].length, 5_000_000)
  await assert.rejects(pool.stream(() => {}).next(), { name: 'DataCloneError' })
})

test('the value of a stream may be moved, and its pool busy', limit, async (t) => {
  const { pool } = useStreams(t, { maxQueue: 0 })
  const bytes = new Uint8Array([4, 5, 6])
  const held = pool.stream(0, { name: 'waitForAbort' })
  await held.next()
  const plan = collect(pool.stream(move(bytes), { name: 'list' }))
  await held.return()
  assert.deepEqual(await plan, [])
  assert.equal(bytes.byteLength, 0)
})

test('a task takes an input', limit, async (t) => {
  const { pool } = useStreams(t)
  async function * source () {
    for (let i = 0; i < 3000; i++) {
      if (i % 1000 === 0) await turn()
      yield i
    }
  }
  for (const input of [range(3000), source(), Readable.from(range(3000))]) {
    assert.deepEqual(await collect(pool.stream(null, { name: 'double', input })),
      range(3000).map((i) => i * 2))
  }
  assert.deepEqual(await collect(pool.stream(null, { name: 'double', input: [] })), [])
})

test('an input waits for its task, and is closed with it', limit, async (t) => {
  const { pool, gate } = useStreams(t)
  for (const [name, length] of [['take', 10], ['takesNoInput', 1]]) {
    let taken = 0
    let isClosed = false
    function * input () {
      try {
        for (;;) yield taken++
      } finally {
        isClosed = true
      }
    }
    const results = pool.stream(length, { name, input: input(), capacity: 4096 })
    assert.equal((await collect(results)).length, length)
    await until(() => isClosed)
    assert.ok(taken < 5000, `${taken} were taken`)
  }
  let isClosed = false
  async function * endless () {
    try {
      for (let i = 0; ; i++) yield i
    } finally {
      isClosed = true
    }
  }
  for await (const value of pool.stream(0, { name: 'double', input: endless() })) {
    if (value === 1000) break
  }
  await until(() => isClosed)
  await gate.reached(2, 1)
})

test('an error of the input is thrown where the task reads it', limit, async (t) => {
  const { pool } = useStreams(t)
  function * input (bad) {
    yield 1
    if (bad !== undefined) yield bad
    throw new TypeError('broken input')
  }
  assert.deepEqual((await collect(pool.stream(0, { name: 'catchInput', input: input() }))).at(-1),
    { name: 'TypeError', message: 'broken input' })
  await assert.rejects(collect(pool.stream(0, { name: 'double', input: input() })),
    { name: 'TypeError', message: 'broken input' })
  const unsendable = pool.stream(0, { name: 'catchInput', input: input(() => {}) })
  assert.equal((await collect(unsendable)).at(-1).name, 'DataCloneError')
})

test('each value comes once, however the loop ends', limit, async (t) => {
  const { pool, gate } = useStreams(t, { maxThreads: 2 })
  const part = fc.oneof(
    { weight: 20, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.record({ delay: fc.integer({ min: 0, max: 1 }) }) },
    { weight: 1, arbitrary: fc.constant({ error: 'of the task' }) }
  )
  let begun = 0
  await fc.assert(fc.asyncProperty(
    fc.array(part, { maxLength: 200, size: 'max' }),
    fc.option(fc.nat({ max: 150 }), { nil: Infinity }),
    async (parts, leaveAt) => {
      const plan = parts.map((part, value) => ({ ...part, value }))
      const values = []
      begun++
      try {
        for await (const value of pool.stream(plan, { name: 'follow' })) {
          values.push(value)
          if (values.length > leaveAt) break
        }
      } catch (error) {
        assert.equal(error.message, 'of the task')
        assert.equal(plan[values.length].error, 'of the task')
      }
      assert.deepEqual(values, range(values.length))
      const bad = plan.findIndex(({ error }) => error !== undefined)
      const available = bad < 0 ? plan.length : bad
      assert.equal(values.length, Math.min(available, leaveAt + 1))
      await gate.reached(2, begun)
    }), { numRuns: 60 })
})

test('what is wrong with the call is thrown', limit, async (t) => {
  const { pool } = useStreams(t)
  for (const options of [
    { capacity: 5 }, { capacity: '1' }, { input: 5 }, { input: {} }, { name: 5 }, null, []
  ]) {
    assert.throws(() => pool.stream(1, options), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
  }
  assert.throws(() => pool.stream(1, { inputs: [] }), {
    code: 'ERR_TELAR_UNKNOWN_OPTION', message: /did you mean input/
  })
  assert.deepEqual(await collect(usePool(t, null).stream(2, { filename: task('streams.js') })),
    [0, 1])
})
