'use strict'

// pool.map(): the results of many items.

const assert = require('node:assert/strict')
const { AsyncLocalStorage } = require('node:async_hooks')
const { getEventListeners, once } = require('node:events')
const { test } = require('node:test')
const { setImmediate: turn, setTimeout: sleep } = require('node:timers/promises')
const { ArrayTaskQueue, Mutex, move } = require('../..')
const { collect, collectError, range } = require('../fixtures/collect')
const { createGate } = require('../fixtures/fault-helpers')
const { task, usePool } = require('../fixtures/use-pool')

const limit = { timeout: 60_000 }
const aborted = { name: 'AbortError', code: 'ERR_TELAR_ABORTED' }
const useMany = (t, options) => usePool(t, 'many.js', options)

// A source that counts what is taken from it, and knows whether it was closed.
function observed (length = Infinity) {
  const seen = { taken: 0, isClosed: false }
  seen[Symbol.iterator] = function * () {
    try {
      while (seen.taken < length) yield seen.taken++
    } finally {
      seen.isClosed = true
    }
  }
  return seen
}

test('the results come in the order of the items, from every kind of source', limit, async (t) => {
  const pool = useMany(t, { name: 'root', maxThreads: 2 })
  const roots = range(3000).map(Math.sqrt)
  async function * generate () { yield * range(3000) }
  async function * slowly () {
    for (const i of range(3000)) {
      if (i % 1000 === 0) await turn()
      yield i
    }
  }
  const promises = range(3000).map((i) => i % 2 === 0 ? i : Promise.resolve(i))
  for (const source of [range(3000), new Set(range(3000)), generate(), slowly(), promises]) {
    assert.deepEqual(await collect(pool.map(source)), roots)
  }
  assert.deepEqual(await collect(pool.map([])), [])
  assert.deepEqual(await collect(pool.map('12')), [1, Math.sqrt(2)])
})

test('small items share tasks, slow items do not', limit, async (t) => {
  const pool = useMany(t)
  await collect(pool.map(range(20_000)))
  assert.ok(pool.completed < 2000, `${pool.completed} tasks`)
  const before = pool.completed
  await collect(pool.map(range(20).map((value) => ({ delay: 2, value })), { name: 'follow' }))
  assert.ok(pool.completed - before >= 15, `${pool.completed - before} tasks`)
})

test('batch says how many items a task has', limit, async (t) => {
  const pool = useMany(t)
  for (const [batch, tasks] of [[1, 100], [7, 15], [100, 1], [65536, 1]]) {
    const before = pool.completed
    assert.deepEqual(await collect(pool.map(range(100), { batch })), range(100))
    assert.equal(pool.completed - before, tasks)
  }
})

test('unordered results come as they are ready', limit, async (t) => {
  const gate = createGate()
  const pool = useMany(t, { maxThreads: 2, minThreads: 2, workerData: gate.buffer })
  const items = ['held', ...range(10)]
  const values = []
  for await (const value of pool.map(items, { name: 'holdText', ordered: false, batch: 1 })) {
    values.push(value)
    if (values.length === 10) gate.open(0)
  }
  assert.deepEqual(values, [...range(10), 'held'])
  const ordered = await collect(pool.map(items, { name: 'holdText', batch: 1 }))
  assert.deepEqual(ordered, items)
})

test('an error comes at its item, after the values before it, and ends the rest', limit,
  async (t) => {
    const pool = useMany(t, { name: 'failAt', maxThreads: 2 })
    for (const [options, at] of [[{}, 0], [{}, 1234], [{ batch: 1 }, 12], [{ batch: 50 }, 120]]) {
      const source = observed()
      const items = (function * () {
        for (const i of source) yield i === at ? -1 : i
      })()
      const { values, error } = await collectError(pool.map(items, options))
      assert.deepEqual(values, range(at))
      assert.ok(error instanceof RangeError)
      assert.equal(error.message, 'failed at -1')
      assert.equal(error.itemIndex, at)
      assert.ok(source.isClosed)
    }
    assert.deepEqual(await collect(pool.map(range(10))), range(10))
  })

test('an error has the frames of the worker and of the loop, and none of telar', limit,
  async (t) => {
    const pool = useMany(t, { name: 'failAt' })
    const loop = async () => { await collect(pool.map([1, 2, -3, 4])) }
    const error = await loop().catch((error) => error)
    assert.match(error.stack, /failHere[\s\S]*at async collect[\s\S]*at async loop/)
    assert.ok(!error.stack.includes(task('..').replace('fixtures', 'lib')))
    assert.doesNotMatch(error.stack, /batch\.js|main\.js/)
  })

test('an error of the source comes after the values before it', limit, async (t) => {
  const pool = useMany(t)
  const failure = new Error('no more')
  function * fail () {
    yield * range(500)
    throw failure
  }
  async function * failLater () {
    yield * range(500)
    await turn()
    throw failure
  }
  const rejected = [...range(500), Promise.reject(failure)]
  rejected[500].catch(() => {})
  for (const source of [fail(), failLater(), rejected]) {
    const { values, error } = await collectError(pool.map(source))
    assert.deepEqual(values, range(500))
    assert.equal(error, failure)
  }
})

test('a source that is no iterator ends the loop with an error', limit, async (t) => {
  const pool = useMany(t)
  for (const open of [Symbol.iterator, Symbol.asyncIterator]) {
    for (const iterator of [{ next: () => 5 }, { next: 5 }, {}, 5, undefined]) {
      await assert.rejects(collect(pool.map({ [open]: () => iterator })),
        { code: 'ERR_TELAR_INVALID_ARGUMENT', message: /next\(\)/ })
    }
    await assert.rejects(collect(pool.map({ [open]: () => ({ next () {} }) })), TypeError)
  }
})

test('a worker that ends rejects, after the values of earlier tasks', limit, async (t) => {
  const pool = useMany(t, { name: 'exitAt' })
  const { values, error } = await collectError(pool.map([0, 1, 2, -1, 4], { batch: 1 }))
  assert.deepEqual(values, [0, 1, 2])
  assert.equal(error.code, 'ERR_TELAR_WORKER_EXITED')
  assert.deepEqual(await collect(pool.map(range(10))), range(10))
})

test('leaving the loop closes the source and cancels what waits', limit, async (t) => {
  const gate = createGate()
  const pool = useMany(t, { name: 'hold', workerData: gate.buffer })
  const source = observed()
  const results = pool.map(source, { batch: 1 })
  const first = results.next()
  await gate.reached(1, 1)
  assert.deepEqual(await results.return('left'), { value: 'left', done: true })
  assert.deepEqual(await first, { value: undefined, done: true })
  assert.ok(source.isClosed)
  gate.open(0)
  assert.equal(await pool.run('after'), 'after')
  assert.equal(gate.count(1), 2) // the first item, and 'after'
  assert.deepEqual(await results.next(), { value: undefined, done: true })
})

test('a batch that runs is told when the loop is left, and its worker lives on', limit,
  async (t) => {
    const gate = createGate()
    const pool = useMany(t, { workerData: gate.buffer })
    const thread = await pool.run(0, { name: 'thread' })
    const results = pool.map(range(100), { name: 'spinUntilAborted', batch: 100 })
    const first = results.next()
    await gate.reached(1, 1)
    await results.return()
    await gate.reached(2, 1)
    assert.equal((await first).done, true)
    assert.equal(await pool.run(0, { name: 'thread' }), thread)
    assert.equal(gate.count(1), 1) // the batch did not go on with its next item
  })

test('break and throw in the loop close an async source', limit, async (t) => {
  const pool = useMany(t)
  for (const leave of ['break', 'throw']) {
    let isClosed = false
    async function * source () {
      try {
        for (let i = 0; ; i++) yield i
      } finally {
        isClosed = true
      }
    }
    try {
      for await (const value of pool.map(source())) {
        if (value < 100) continue
        if (leave === 'break') break
        throw new Error('from the loop')
      }
    } catch (error) {
      assert.equal(error.message, 'from the loop')
    }
    await turn()
    assert.ok(isClosed, leave)
  }
})

test('a source that never gives its next item does not keep the loop', limit, async (t) => {
  const pool = useMany(t)
  async function * stuck () {
    yield 1
    await new Promise(() => {})
  }
  for await (const value of pool.map(stuck())) if (value === 1) break
})

test('an error of return() of the source reaches the loop that was left', limit, async (t) => {
  const pool = useMany(t)
  const source = {
    [Symbol.iterator]: () => ({
      next: () => ({ value: 1, done: false }),
      return () { throw new Error('cannot close') }
    })
  }
  await assert.rejects(async () => {
    for await (const value of pool.map(source)) if (value === 1) break
  }, { message: 'cannot close' })
})

test('a signal ends the loop, closes the source and is let go', limit, async (t) => {
  const gate = createGate()
  const pool = useMany(t, { name: 'hold', workerData: gate.buffer })
  for (const options of [{ abort: 'cooperative' }, { abort: 'terminate' }]) {
    const stop = new AbortController()
    const source = observed()
    const results = pool.map(source, { ...options, signal: stop.signal })
    const reached = gate.count(1) + 1
    const first = results.next()
    await gate.reached(1, reached)
    const reason = new Error('enough')
    stop.abort(reason)
    await assert.rejects(first, { ...aborted, cause: reason })
    assert.ok(source.isClosed)
    assert.deepEqual(getEventListeners(stop.signal, 'abort'), [])
    assert.equal((await results.next()).done, true)
    gate.open(0)
    assert.equal(await pool.run('next'), 'next')
    gate.set(0, 0)
  }
  const { signal } = new AbortController()
  await collect(pool.map(range(5), { name: 'root', signal }))
  assert.deepEqual(getEventListeners(signal, 'abort'), [])
  const late = pool.map(observed(), { signal: AbortSignal.abort('at once') })
  await assert.rejects(late.next(), { ...aborted, cause: 'at once' })
})

test('a slow consumer slows the source', limit, async (t) => {
  const pool = useMany(t, { maxThreads: 2 })
  const source = observed()
  let most = 0
  let used = 0
  for await (const value of pool.map(source, { concurrency: 2, batch: 3 })) {
    most = Math.max(most, source.taken - used)
    assert.equal(value, used++)
    if (used % 10 === 0) await sleep(1)
    if (used === 200) break
  }
  assert.ok(most <= 15, `the source was ${most} items ahead`) // 4 batches, and one that is filled
  await turn()
  const { taken } = source
  await sleep(5)
  assert.equal(source.taken, taken)
})

test('nothing is taken from the source before the first value is asked for', limit, async (t) => {
  const pool = useMany(t)
  const source = observed()
  const results = pool.map(source)
  await sleep(5)
  assert.equal(source.taken, 0)
  assert.equal((await results.return()).done, true)
  assert.equal(source.taken, 0)
})

test('concurrency limits how many items run at a time', limit, async (t) => {
  const gate = createGate()
  const pool = useMany(t, {
    name: 'hold', concurrentTasksPerWorker: 8, workerData: gate.buffer
  })
  const all = collect(pool.map(range(20), { concurrency: 3, batch: 1 }))
  await gate.reached(1, 3)
  await sleep(10)
  assert.equal(gate.count(1), 3)
  gate.open(0)
  assert.deepEqual(await all, range(20))
})

test('an item that comes late does not hold those before it', limit, async (t) => {
  const pool = useMany(t)
  let next
  async function * source () {
    yield 1
    yield 2
    yield await new Promise((resolve) => { next = resolve })
  }
  const results = pool.map(source(), { batch: 100 })
  assert.equal((await results.next()).value, 1)
  assert.equal((await results.next()).value, 2)
  next(3)
  assert.equal((await results.next()).value, 3)
  assert.equal((await results.next()).done, true)
})

test('several calls of next() may wait', limit, async (t) => {
  const pool = useMany(t)
  const results = pool.map(range(3))
  const steps = await Promise.all([1, 2, 3, 4, 5].map(() => results.next()))
  assert.deepEqual(steps.map(({ value, done }) => done ? 'end' : value), [0, 1, 2, 'end', 'end'])
  const failing = pool.map([1, -1, 2], { name: 'failAt' })
  const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => failing.next()))
  assert.deepEqual(outcomes.map(({ status, value }) => value?.value ?? value?.done ?? status),
    [1, 'rejected', true, true])
})

test('each item and each result is copied when it is there, as by run()', limit, async (t) => {
  const pool = useMany(t)
  const item = { value: 0 }
  function * reuse () {
    for (let i = 0; i < 50; i++) {
      item.value = i
      yield item
    }
  }
  const values = await collect(pool.map(reuse(), { batch: 50 }))
  assert.deepEqual(values.map(({ value }) => value), range(50))
  const results = await collect(pool.map(range(50), { name: 'reuse', batch: 50 }))
  assert.deepEqual(results.map(({ value }) => value), range(50))
  assert.equal(new Set(results).size, 50)
  // Items that are one object for the owner are not one for the task.
  const same = { count: 0 }
  const counts = await collect(pool.map([same, same, same], { name: 'change', batch: 3 }))
  assert.deepEqual(counts, [1, 1, 1])
})

test('items of all kinds go together', limit, async (t) => {
  const pool = useMany(t)
  class Point { x = 1 }
  const mutex = new Mutex()
  const items = [
    1, 'text', null, undefined, 5n, new Date(5), new Map([[1, 2]]), Buffer.from('bytes'),
    new Point(), new RangeError('one'), [mutex], NaN, new Uint8Array(600_000).fill(3), true
  ]
  const values = await collect(pool.map(items, { batch: items.length }))
  assert.equal(values[10][0], mutex)
  values[10] = items[10]
  assert.deepEqual(values[8], { x: 1 })
  values[8] = items[8]
  assert.deepEqual(values, items)
  assert.equal(values[9].message, 'one')
})

test('results of all kinds go together', limit, async (t) => {
  const pool = useMany(t, { name: 'kinds' })
  const kinds = ['buffer', 'point', 'moved', 'map', 'large', 'buffer']
  const values = await collect(pool.map(kinds, { batch: 10 }))
  assert.ok(Buffer.isBuffer(values[0]) && Buffer.isBuffer(values[5]))
  assert.deepEqual(values[1], { x: 1 })
  assert.deepEqual(values[2], new Uint8Array([1, 2, 3]))
  assert.deepEqual(values[3], new Map([['key', new Set([1n])]]))
  assert.deepEqual(values[4], new Uint8Array(1_000_000).fill(7))
  const [, port] = await collect(pool.map(['buffer', 'port'], { batch: 10 }))
  assert.deepEqual(await once(port, 'message'), ['by port'])
  port.close()
})

test('items that are moved are gone when the source goes on', limit, async (t) => {
  const pool = useMany(t, { name: 'describe' })
  const small = new Uint8Array(16)
  const large = new Uint8Array(1_000_000)
  const { port1, port2 } = new MessageChannel()
  function * source () {
    yield move(small)
    assert.equal(small.byteLength, 0)
    yield move(large)
    assert.equal(large.byteLength, 0)
    yield move(port1)
  }
  const values = await collect(pool.map(source(), { batch: 10 }))
  assert.deepEqual(values.map(({ length }) => length), [16, 1_000_000, undefined])
  assert.match(values[2].text, /MessagePort|EventTarget/)
  port2.close()
})

test('an item or a result that cannot be sent fails alone', limit, async (t) => {
  const pool = useMany(t)
  const getter = { get it () { throw new RangeError('from a getter') } }
  for (const [bad, expected] of [
    [() => {}, { name: 'DataCloneError' }], [Symbol('bad'), { name: 'DataCloneError' }],
    [getter, { message: 'from a getter' }]
  ]) {
    const source = observed()
    function * items () {
      for (const i of source) yield i === 3 ? bad : i
    }
    const { values, error } = await collectError(pool.map(items(), { batch: 10 }))
    assert.deepEqual(values, [0, 1, 2])
    assert.equal(error.name, expected.name ?? 'RangeError')
    assert.equal(error.itemIndex, 3)
    assert.ok(source.isClosed)
  }
  for (const [bad, name] of [['function', 'DataCloneError'], ['getter', 'RangeError']]) {
    const kinds = ['buffer', 'map', bad, 'map']
    const { values, error } = await collectError(pool.map(kinds, { name: 'kinds', batch: 10 }))
    assert.equal(values.length, 2)
    assert.equal(error.name, name)
    assert.equal(error.itemIndex, 2)
  }
})

test('the function is called as by run()', limit, async (t) => {
  const pool = useMany(t)
  const options = { name: 'context', key: 'key', batch: 2 }
  assert.deepEqual(await collect(pool.map([1, 2], options)),
    Array(2).fill([2, 'context', 'key', true]))
  assert.deepEqual(await collect(pool.map([1, 2], { name: 'thenable' })), [2, 4])
  assert.deepEqual(await collect(pool.map([1, 2], { name: 'thenReads' })), [1, 1])
  const left = await collect(pool.map(['first', 'last'], { name: 'leave', batch: 2 }))
  assert.deepEqual(left[1], ['first', 'tick first', 'microtask first', 'last'])
})

test('options of run() apply to each task', limit, async (t) => {
  const pool = usePool(t, null)
  const filename = task('many.js')
  const values = await collect(pool.map([1, 4], { filename, name: 'root', priority: 5 }))
  assert.deepEqual(values, [1, 2])
  const late = collect(pool.map([{ value: 1 }, { delay: 60_000 }], {
    filename, name: 'follow', timeout: 20
  }))
  await assert.rejects(late, { code: 'ERR_TELAR_TIMEOUT', phase: 'run' })
})

test('a pool with limits of its own runs a map', limit, async (t) => {
  for (const options of [
    { maxQueue: 0, asyncHooks: true }, { isolate: true }, { timeout: 60_000, minThreads: 0 },
    { taskQueue: new ArrayTaskQueue(), recycle: { tasks: 3 } },
    { loadBalancer: (task, workers) => workers[0], queueTimeout: 60_000 },
    { concurrentTasksPerWorker: 4, sharedMemory: 2 ** 20 }
  ]) {
    const pool = useMany(t, { maxThreads: 2, ...options })
    const { isolate } = options
    const items = range(isolate ? 4 : 300).map((i) => ({ i, text: 'x'.repeat(100) }))
    assert.deepEqual(await collect(pool.map(items)), items)
    await pool.close()
  }
})

test('a pool that closes ends the map', limit, async (t) => {
  const pool = useMany(t)
  const results = pool.map(observed(), { batch: 1 })
  await results.next()
  const rejected = assert.rejects(collect(results), aborted)
  await pool.close()
  await rejected
})

test('the loop keeps its async context, and so does the source', limit, async (t) => {
  const pool = useMany(t)
  const storage = new AsyncLocalStorage()
  const seen = new Set()
  async function * source () {
    for (let i = 0; i < 200; i++) {
      seen.add(storage.getStore())
      yield i
    }
  }
  await storage.run('mine', async () => {
    for await (const value of pool.map(source(), { batch: 3 })) {
      assert.equal(storage.getStore(), 'mine', `at ${value}`)
    }
  })
  assert.deepEqual([...seen], ['mine'])
})

test('what is wrong with the call is thrown', limit, async (t) => {
  const pool = useMany(t)
  const invalid = { code: 'ERR_TELAR_INVALID_ARGUMENT' }
  for (const source of [undefined, null, 5, {}, () => {}]) {
    assert.throws(() => pool.map(source), { ...invalid, message: /iterable/ })
  }
  for (const options of [
    { batch: 0 }, { batch: 1.5 }, { batch: 65537 }, { batch: 'many' }, { concurrency: 0 },
    { concurrency: '3' }, { ordered: 1 }, { priority: 1e9 }, { signal: 5 }, { name: 5 }, null, []
  ]) {
    assert.throws(() => pool.map([1], options), invalid)
  }
  assert.throws(() => pool.map([1], { concurency: 1 }), {
    code: 'ERR_TELAR_UNKNOWN_OPTION', message: /did you mean concurrency/
  })
  for (const name of ['transferList', 'queueTimeout', 'settle']) {
    assert.throws(() => pool.map([1], { [name]: 1 }), { code: 'ERR_TELAR_UNKNOWN_OPTION' })
  }
  assert.throws(() => pool.map([1], { timeout: 5, batch: 2 }),
    { code: 'ERR_TELAR_OPTION_CONFLICT' })
  assert.throws(() => usePool(t, null).map([1]), { code: 'ERR_TELAR_FILENAME_MISSING' })
})
