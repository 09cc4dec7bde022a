'use strict'

// Between run() and the worker: how often a value is read, when it is posted, and what happens
// after a ring of the bell that brings no result.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { setImmediate: turn } = require('node:timers/promises')
const { createGate, until } = require('../fixtures/fault-helpers')
const { usePool } = require('../fixtures/use-pool')
const { ArrayTaskQueue } = require('../../lib/pool/task-queues')

const limit = { timeout: 60_000 }
const kStarted = 0
const kOpen = 1

class Odd {}

// A value with a getter, and then with the properties of `more`. reads() tells how often the getter
// has run.
function countReads (more) {
  let reads = 0
  const value = { get first () { return ++reads }, ...more }
  return { value, reads: () => reads }
}

const large = 'x'.repeat(2 ** 21)

const values = [
  ['a value of the codec', {}, 1],
  ['a value that the codec leaves to the platform', { odd: new Odd() }, 2],
  ['a value for which there is no memory', { large }, 1],
  [
    'a value for which there is no memory, and that the codec leaves to the platform after all',
    { large, odd: new Odd() }, 2
  ]
]

// Reasons for which a task has to wait, while other tasks come and go.
const firstFree = (_, workers) => workers.find(({ currentUsage }) => currentUsage < 1) ?? null
const pools = [
  ['the pool is busy', () => ({})],
  ['the pool has a queue of its own', () => ({ taskQueue: new ArrayTaskQueue() })],
  ['the pool has a load balancer', () => ({ loadBalancer: firstFree })],
  [
    'it has to have its worker to itself',
    () => ({ concurrentTasksPerWorker: 3 }),
    () => ({ signal: new AbortController().signal })
  ]
]

for (const [why, options, runOptions] of pools) {
  for (const [what, more, most] of values) {
    const times = most === 1 ? 'once' : 'twice'
    test(`${what} is read ${times} however long it waits: ${why}`, limit, async (t) => {
      const gate = createGate()
      const pool = usePool(t, 'hand-over.js', {
        maxThreads: 2, minThreads: 2, sharedMemory: 2 ** 20, workerData: gate.buffer, ...options()
      })
      const held = [pool.run(null, { name: 'hold' }), pool.run(null, { name: 'hold' })]
      await gate.reached(kStarted, 2)
      const { value, reads } = countReads(more)
      const waiting = pool.run(value, runOptions?.())
      // Each task that is aborted gives the waiting one a chance.
      for (let i = 0; i < 20; i++) {
        const controller = new AbortController()
        const other = pool.run(i, { signal: controller.signal })
        controller.abort()
        await assert.rejects(other, { name: 'AbortError' })
      }
      await turn()
      assert.ok(reads() <= most, `it was read ${reads()} times while the task waited`)
      gate.open(kOpen)
      await Promise.all(held)
      assert.equal((await waiting).first, most)
      assert.equal(reads(), most)
    })
  }
}

for (const [what, more, most] of values) {
  const times = most === 1 ? 'once' : 'twice'
  test(`${what} is read ${times} if a worker is free`, limit, async (t) => {
    const pool = usePool(t, 'hand-over.js', { sharedMemory: 2 ** 20 })
    for (const options of [undefined, {}, { name: 'default' }]) {
      const { value, reads } = countReads(more)
      assert.equal((await pool.run(value, options)).first, most)
      assert.equal(reads(), most)
    }
  })
}

for (const [what, value, reads] of [
  ['of the codec', {}, 1],
  ['with a large buffer', { bytes: 2 ** 20 }, 1],
  ['for which there is no memory', { text: 2 ** 21 }, 1],
  ['for which there is no memory, and for the platform after all', { text: 2 ** 21, odd: true }, 2],
  ['for the platform', { odd: true }, 2],
  ['for the platform with a large buffer', { bytes: 2 ** 20, odd: true }, 2]
]) {
  const times = reads === 1 ? 'once' : 'twice'
  test(`a result ${what} is read ${times}`, limit, async (t) => {
    const pool = usePool(t, 'hand-over.js', { sharedMemory: 2 ** 20 })
    const result = await pool.run(value, { name: 'counted' })
    assert.equal(result.reads, reads)
    assert.equal(result.bytes?.byteLength, value.bytes)
    assert.equal(result.text?.length, value.text)
  })
}

test('a value that a getter hands over keeps all that the codec keeps', limit, async (t) => {
  const pool = usePool(t, 'hand-over.js')
  let inner
  const outer = {
    get inner () { inner ??= pool.run(Buffer.from('bytes'), { name: 'isBuffer' }); return 1 },
    after: 2
  }
  assert.deepEqual(await pool.run(outer), { inner: 1, after: 2 })
  assert.equal(await inner, true)
})

// ---- Values that are posted ----

test('a balancer may give one worker any number of transferred values', limit, async (t) => {
  const pool = usePool(t, 'hand-over.js', { loadBalancer: (_, [worker]) => worker ?? null })
  const lengths = await Promise.all(Array.from({ length: 1000 }, (_, i) => {
    const buffer = new ArrayBuffer(i)
    return pool.run(buffer, { transferList: [buffer], name: 'size' })
  }))
  assert.deepEqual(lengths, Array.from({ length: 1000 }, (_, i) => i))
})

test('a task that can be aborted moves nothing until it has its place', limit, async (t) => {
  const gate = createGate()
  const pool = usePool(t, 'hand-over.js', { workerData: gate.buffer })
  const held = pool.run(null, { name: 'hold' })
  await gate.reached(kStarted, 1)
  const buffers = Array.from({ length: 5 }, () => new ArrayBuffer(10))
  const { signal } = new AbortController()
  const lengths = buffers.map((buffer) =>
    pool.run(buffer, { transferList: [buffer], name: 'size', signal }))
  await turn()
  assert.deepEqual(buffers.map(({ byteLength }) => byteLength), [10, 10, 10, 10, 10])
  gate.open(kOpen)
  await held
  assert.deepEqual(await Promise.all(lengths), [10, 10, 10, 10, 10])
  assert.deepEqual(buffers.map(({ byteLength }) => byteLength), [0, 0, 0, 0, 0])
})

// A value whose getter calls run() while the value is being handed over.
function withInner (run, more) {
  const box = { inner: undefined }
  box.value = { get inner () { box.inner ??= run(); return 1 } }
  Object.defineProperties(box.value, Object.getOwnPropertyDescriptors(more))
  return box
}

for (const [what, more] of [['of the codec', {}], ['for the platform', { odd: new Odd() }]]) {
  test(`a task keeps its worker to itself while a value ${what} is read`, limit, async (t) => {
    const pool = usePool(t, 'hand-over.js', { concurrentTasksPerWorker: 4 })
    const name = 'together'
    for (let i = 0; i < 5; i++) {
      const { signal } = new AbortController()
      const box = withInner(() => Promise.all([
        pool.run(new Odd(), { name }), pool.run(1, { name }), pool.run(2, { name, signal })
      ]), more)
      assert.equal(await pool.run(box.value, { name, signal }), 1)
      await box.inner
      await pool.destroy() // so that a new worker begins with new counts
    }
  })

  test(`a task from a getter of a value ${what} settles if that value fails`, limit, async (t) => {
    const pool = usePool(t, 'hand-over.js', { concurrentTasksPerWorker: 4 })
    for (let i = 0; i < 50; i++) {
      const { signal } = new AbortController()
      const box = withInner(
        () => Promise.all([pool.run(i, { signal }), pool.run(new Odd()), pool.run(i)]),
        { get last () { throw new RangeError('a getter') }, ...more }
      )
      await assert.rejects(pool.run(box.value, { signal }), RangeError)
      assert.deepEqual(await box.inner, [i, {}, i])
      assert.equal(pool.queueSize, 0)
    }
  })
}

for (const [what, more] of [['of the codec', {}], ['for the platform', { odd: new Odd() }]]) {
  test(`a task aborted while its value ${what} is read takes no place`, limit, async (t) => {
    const pool = usePool(t, 'hand-over.js')
    for (let i = 0; i < 50; i++) {
      const controller = new AbortController()
      const value = { get first () { controller.abort(); return 1 }, ...more }
      await assert.rejects(pool.run(value, { signal: controller.signal }), { name: 'AbortError' })
      assert.equal(pool.queueSize, 0)
      assert.equal(pool.needsDrain, false)
    }
    assert.equal(await pool.run(1, { signal: new AbortController().signal }), 1)
    assert.equal(pool.threads.length, 1)
  })
}

// ---- Bells ----

// What the owner does after a ring may take longer than a turn of the event loop. Here it reads the
// size of a slow queue.
test('a ring that brings no result causes no further ring', limit, async (t) => {
  const gate = createGate()
  let reads = 0
  class SlowQueue extends ArrayTaskQueue {
    get size () {
      reads++
      for (const end = performance.now() + 2; performance.now() < end;);
      return super.size
    }
  }
  const pool = usePool(t, 'hand-over.js', { workerData: gate.buffer, taskQueue: new SlowQueue() })
  const held = pool.run(null, { name: 'hold' })
  await gate.reached(kStarted, 1)
  await until(() => pool.threads.length === 1)
  reads = 0
  for (let i = 0; i < 100; i++) await turn()
  assert.ok(reads < 20, `the queue was read ${reads} times in 100 idle turns of the event loop`)
  gate.open(kOpen)
  await held
})
