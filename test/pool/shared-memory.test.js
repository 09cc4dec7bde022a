'use strict'

// SharedArrayBuffers, views on them and WebAssembly.Modules in tasks and results: they are shared,
// whichever worker runs the task, and released in all threads.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { Channel, Mutex, move } = require('../..')
const { collectGarbage } = require('../fixtures/collect-garbage')
const { until } = require('../fixtures/until')
const { usePool } = require('../fixtures/use-pool')

const limit = { timeout: 60_000 }
// More often than it takes until an object is announced to all workers.
const kOften = 20

const sharedPool = (t, workers = 1, options = {}) => usePool(t, 'shared-memory.js', {
  minThreads: workers, maxThreads: workers, ...options
})

const as = (pool, name, value, options) => pool.run(value, { name, ...options })

// A module that exports add(a, b).
const wasm = Buffer.from(
  '0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b', 'hex'
)

class Words extends Int32Array {}

function views (buffer) {
  return {
    'a view': new Int32Array(buffer),
    'a part': new Uint8Array(buffer, 3, 5),
    'a DataView': new DataView(buffer, 8),
    'a Float64Array': new Float64Array(buffer, 8, 1),
    'a subclass': new Words(buffer, 4),
    'an empty view': new Int16Array(buffer, 16, 0)
  }
}

// Blocks all threads of a pool but one, and returns a function that lets them go on.
async function blockAllButOne (pool, workers) {
  const words = new Int32Array(new SharedArrayBuffer(8))
  const blocked = Array.from({ length: workers - 1 }, () => as(pool, 'block', words))
  await until(() => Atomics.load(words, 1) === workers - 1)
  return async () => {
    Atomics.store(words, 0, 1)
    Atomics.notify(words, 0)
    await Promise.all(blocked)
  }
}

test('both sides see what the other one writes, however often the memory is sent', limit,
  async (t) => {
    const pool = sharedPool(t, 2)
    const shared = new SharedArrayBuffer(8)
    const words = new Int32Array(shared)
    for (let i = 1; i <= kOften; i++) {
      await as(pool, 'count', { shared: i % 2 === 0 ? shared : words })
      assert.equal(words[0], i)
      words[0] = i
    }
  })

test('memory that is sent again and again goes to any free worker', limit, async (t) => {
  const workers = 3
  const pool = sharedPool(t, workers)
  const shared = new SharedArrayBuffer(8)
  for (let i = 0; i < kOften; i++) await as(pool, 'count', { shared })
  const goOn = await blockAllButOne(pool, workers)
  const threads = await Promise.all(
    Array.from({ length: 100 }, () => as(pool, 'count', { shared })))
  assert.equal(new Set(threads).size, 1, 'one worker was free')
  assert.equal(new Int32Array(shared)[0], kOften + 100)
  await goOn()
})

test('a worker that was blocked, or starts later, knows the memory too', limit, async (t) => {
  const pool = usePool(t, 'shared-memory.js', { minThreads: 1, maxThreads: 4 })
  const all = Array.from({ length: 3 }, () => new SharedArrayBuffer(8))
  for (let i = 0; i < kOften; i++) {
    for (const shared of all) await as(pool, 'count', { shared })
  }
  await as(pool, 'exit').catch(() => {})
  const words = new Int32Array(new SharedArrayBuffer(8))
  const blocked = Array.from({ length: 3 }, () => as(pool, 'block', words))
  await until(() => Atomics.load(words, 1) === 3)
  for (const shared of all) {
    await as(pool, 'count', { shared })
    assert.equal(new Int32Array(shared)[0], kOften + 1)
  }
  Atomics.store(words, 0, 1)
  Atomics.notify(words, 0)
  await Promise.all(blocked)
})

test('what arrives is what structured clone gives, each time that it is sent', limit, async (t) => {
  const pool = sharedPool(t)
  const shared = new SharedArrayBuffer(24)
  for (const [name, view] of Object.entries(views(shared))) {
    const clone = structuredClone(view)
    const expected = {
      class: clone.constructor.name,
      isBuffer: false,
      isShared: true,
      growable: false,
      byteOffset: clone.byteOffset,
      byteLength: clone.byteLength,
      bufferLength: 24
    }
    for (let i = 0; i < 4; i++) {
      assert.deepEqual(await as(pool, 'describe', view), expected, name)
      const back = await pool.run(view)
      assert.equal(Object.getPrototypeOf(back), Object.getPrototypeOf(clone), name)
      assert.deepEqual([back.byteOffset, back.byteLength], [clone.byteOffset, clone.byteLength])
      assert.equal(back.buffer, shared)
    }
  }
})

test('a Buffer on shared memory stays a Buffer, also inside a value', limit, async (t) => {
  const pool = sharedPool(t)
  const buffer = Buffer.from(new SharedArrayBuffer(24), 4, 10)
  for (let i = 0; i < 4; i++) {
    const { isBuffer, isShared, byteOffset, byteLength } = await as(pool, 'describe', buffer)
    assert.deepEqual([isBuffer, isShared, byteOffset, byteLength], [true, true, 4, 10])
    const { list: [back] } = await pool.run({ list: [buffer] })
    assert.ok(Buffer.isBuffer(back))
    back[0] = i + 1
    assert.equal(buffer[0], i + 1)
  }
})

test('growable memory grows on both sides, and views follow it as in structured clone', limit,
  async (t) => {
    const pool = sharedPool(t)
    const shared = new SharedArrayBuffer(8, { maxByteLength: 1024 })
    const following = new Uint8Array(shared)
    const fixed = new Uint8Array(shared, 0, 8)
    let length = 8
    for (let i = 0; i < 4; i++) {
      length += 8
      assert.equal(await as(pool, 'describeGrown', { view: following, to: length }), length)
      assert.equal(shared.byteLength, length)
      length += 8
      assert.equal(await as(pool, 'describeGrown', { view: fixed, to: length }), 8)
      const back = await pool.run(shared)
      assert.equal(back.growable, true)
      length += 8
      shared.grow(length)
      assert.equal(back.byteLength, length)
      assert.equal(new Uint8Array(await pool.run(following)).length, length)
    }
  })

test('memory of no bytes, and memory of another realm', limit, async (t) => {
  const pool = sharedPool(t)
  const empty = new SharedArrayBuffer(0)
  const foreign = require('node:vm').runInNewContext('new SharedArrayBuffer(8)')
  new Int32Array(foreign)[0] = 9
  for (let i = 0; i < 4; i++) {
    assert.equal((await pool.run(empty)).byteLength, 0)
    assert.equal(await as(pool, 'read', { shared: new Int32Array(foreign) }), 9)
    assert.equal(new Int32Array(await pool.run(foreign))[0], 9)
  }
})

test('memory that occurs twice in a value is one object there', limit, async (t) => {
  const pool = sharedPool(t)
  const shared = new SharedArrayBuffer(8)
  const words = new Int32Array(shared)
  for (let i = 0; i < 4; i++) {
    const back = await pool.run({ shared, words, set: new Set([shared]), self: [words, words] })
    assert.equal(back.words.buffer, back.shared)
    assert.ok(back.set.has(back.shared))
    assert.equal(back.self[0], back.self[1])
  }
})

test('a thread has one object for memory that is sent often', limit, async (t) => {
  const pool = sharedPool(t)
  const shared = new SharedArrayBuffer(8)
  for (let i = 0; i < kOften; i++) await as(pool, 'keep', shared)
  for (let i = 0; i < kOften; i++) {
    assert.equal(await as(pool, 'isKept', shared), true)
    assert.equal(await pool.run(shared), shared)
    assert.equal((await as(pool, 'later', { shared })).shared, shared)
    assert.equal(await as(pool, 'returnKept'), shared, 'by a task that did not get it')
  }
})

test('memory that a worker has made is shared, however often it returns it', limit, async (t) => {
  const pool = sharedPool(t)
  const first = await as(pool, 'make', 8)
  for (let i = 0; i < kOften; i++) {
    new Uint8Array(first)[0] = i
    assert.equal(new Uint8Array(await as(pool, 'returnKept'))[0], i)
  }
  const made = await as(pool, 'returnKept')
  for (let i = 0; i < kOften; i++) {
    assert.equal(await as(pool, 'returnKept'), made)
    new Uint8Array(made)[0] = i
    assert.equal(new Uint8Array(await as(pool, 'returnKept'))[0], i)
  }
  assert.equal(new Uint8Array(made)[1], 5)
})

test('memory in an error arrives with it', limit, async (t) => {
  const pool = sharedPool(t)
  const shared = new SharedArrayBuffer(8)
  for (let i = 0; i < 4; i++) {
    await assert.rejects(as(pool, 'fail', { shared }), (error) => error.value.shared === shared)
  }
})

test('what stands beside shared memory arrives as it does elsewhere', limit, async (t) => {
  const pool = sharedPool(t)
  const shared = new SharedArrayBuffer(8)
  const error = Object.assign(new Error('coded'), { code: 'E_CODE' })
  for (let i = 0; i < 4; i++) {
    const back = await pool.run({ shared, bytes: Buffer.from('bytes'), error })
    assert.ok(Buffer.isBuffer(back.bytes))
    assert.equal(back.error.code, 'E_CODE')
  }
})

test('values with many shared memories, and with large parts', limit, async (t) => {
  const pool = sharedPool(t, 2, { sharedMemory: 2 ** 20 })
  const many = Array.from({ length: 300 }, (_, i) => {
    const shared = new SharedArrayBuffer(4)
    new Int32Array(shared)[0] = i
    return shared
  })
  const large = 'x'.repeat(3e6)
  for (let i = 0; i < 4; i++) {
    for (const count of [10, 256, 300]) {
      const back = await pool.run(many.slice(0, count))
      assert.deepEqual(back.map((shared) => new Int32Array(shared)[0]),
        Array.from({ length: count }, (_, i) => i))
    }
    const back = await pool.run({ first: many[0], large, last: many[1], again: many[0] })
    assert.equal(back.large, large)
    assert.deepEqual([back.first, back.last, back.again], [many[0], many[1], many[0]])
    const objects = Array.from({ length: 3000 }, (_, i) => ({ i }))
    const repeated = await pool.run([many[0], objects, objects[2999], many[1], many[0]])
    assert.equal(repeated[2], repeated[1][2999])
    assert.deepEqual([repeated[0], repeated[3], repeated[4]], [many[0], many[1], many[0]])
  }
})

test('a WebAssembly.Module is shared, and is one object in each thread', limit, async (t) => {
  const pool = sharedPool(t)
  const module = new WebAssembly.Module(wasm)
  await as(pool, 'keep', module)
  for (let i = 0; i < 4; i++) {
    assert.equal(await as(pool, 'instantiate', { module, a: 2, b: i }), 2 + i)
    assert.equal((await pool.run([module]))[0], module)
  }
  await assert.rejects(
    pool.run(Object.create(WebAssembly.Module.prototype, { x: { value () {}, enumerable: true } })),
    { name: 'DataCloneError' })
})

test('a shared WebAssembly.Memory and its buffer', limit, async (t) => {
  const pool = sharedPool(t)
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 3, shared: true })
  for (let i = 0; i < 4; i++) {
    new Int32Array(memory.buffer)[0] = i
    assert.equal(await as(pool, 'read', { shared: new Int32Array(memory.buffer) }), i)
    assert.equal((await pool.run({ memory })).memory.buffer.byteLength, memory.buffer.byteLength)
    const back = await pool.run(memory.buffer)
    assert.equal(back.byteLength, memory.buffer.byteLength)
    if (i < 2) memory.grow(1)
  }
})

test('locks and channels in a value keep their class', limit, async (t) => {
  const pool = sharedPool(t, 2)
  const mutex = new Mutex()
  const channel = new Channel()
  for (let i = 0; i < 4; i++) {
    assert.equal(typeof await as(pool, 'locks', { mutex, list: [1] }), 'number')
    const back = await pool.run({ mutex, channel })
    assert.equal(back.mutex, mutex)
    assert.equal(back.channel, channel)
  }
})

test('getters that run tasks do not confuse what values share', limit, async (t) => {
  const pool = sharedPool(t)
  const [one, two, three] = Array.from({ length: 3 }, () => new SharedArrayBuffer(8))
  for (let i = 0; i < 4; i++) {
    const inner = []
    const back = await pool.run({
      one,
      get inner () {
        inner.push(pool.run({ two }), pool.run(7), pool.run([three, one]))
        return two
      },
      three
    })
    assert.deepEqual([back.one, back.inner, back.three], [one, two, three])
    const [first, second, third] = await Promise.all(inner)
    assert.deepEqual([first.two, second, third[0], third[1]], [two, 7, three, one])
  }
})

test('a value whose getter throws shares nothing, and the next one is whole', limit, async (t) => {
  const pool = sharedPool(t)
  const [one, two] = [new SharedArrayBuffer(8), new SharedArrayBuffer(8)]
  for (let i = 0; i < 4; i++) {
    await assert.rejects(
      pool.run({ one, get bad () { throw new TypeError('no') } }), { message: 'no' })
    assert.deepEqual(Object.values(await pool.run({ two, one })), [two, one])
  }
})

test('a task that waits in the scheduler keeps its memory alive', limit, async (t) => {
  const pool = sharedPool(t)
  const makers = Array.from({ length: 3 }, () => new SharedArrayBuffer(8))
  for (const shared of makers) {
    for (let i = 0; i < kOften; i++) await as(pool, 'count', { shared })
  }
  const words = new Int32Array(new SharedArrayBuffer(8))
  const blocked = as(pool, 'block', words)
  await until(() => Atomics.load(words, 1) === 1)
  const results = makers.map((shared) => as(pool, 'read', { shared }))
  makers.length = 0
  for (let i = 0; i < 5; i++) {
    collectGarbage()
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  Atomics.store(words, 0, 1)
  Atomics.notify(words, 0)
  await blocked
  assert.deepEqual(await Promise.all(results), [kOften, kOften, kOften])
})

test('memory that the owner drops is collected in every thread', limit, async (t) => {
  const workers = 2
  const pool = sharedPool(t, workers)
  const make = async () => {
    const all = Array.from({ length: 5 }, () => new SharedArrayBuffer(64))
    for (const shared of all) {
      for (let i = 0; i < kOften; i++) await as(pool, 'watch', shared)
    }
    return all.map((shared) => new WeakRef(shared))
  }
  const refs = await make()
  await until(() => {
    collectGarbage()
    return refs.every((ref) => ref.deref() === undefined)
  })
  // Without tasks: a worker lets go when its event loop turns.
  await until(async () => {
    const alive = await Promise.all(Array.from({ length: 8 }, () => as(pool, 'alive')))
    return alive.every((count) => count === 0)
  })
})

test('memory that a worker drops is collected in the owner', limit, async (t) => {
  const pool = sharedPool(t)
  const make = async () => {
    await as(pool, 'make', 64)
    for (let i = 0; i < kOften; i++) await as(pool, 'returnKept')
    return new WeakRef(await as(pool, 'returnKept'))
  }
  const ref = await make()
  await as(pool, 'watchKept')
  await until(async () => {
    collectGarbage()
    return ref.deref() === undefined && !await as(pool, 'isKeptAlive')
  })
})

test('a worker that ends loses no memory of others, and its own while it is used', limit,
  async (t) => {
    const pool = sharedPool(t)
    const shared = new SharedArrayBuffer(8)
    for (let i = 0; i < kOften; i++) await as(pool, 'count', { shared })
    const made = await as(pool, 'make', 8)
    for (let i = 0; i < kOften; i++) await as(pool, 'returnKept')
    for (let round = 0; round < 3; round++) {
      const waiting = Array.from({ length: 5 }, () => as(pool, 'count', { shared }))
      const ending = as(pool, 'exit').catch(() => {})
      const after = Array.from({ length: 5 }, () => as(pool, 'count', { shared }))
      await Promise.all([...waiting, ending, ...after])
      new Uint8Array(made)[0] = round
      assert.equal(new Uint8Array(await pool.run(made))[0], round)
    }
    assert.equal(new Int32Array(shared)[0], kOften + 30)
  })

test('aborted tasks release their memory', limit, async (t) => {
  const pool = sharedPool(t, 1, { concurrentTasksPerWorker: 2 })
  const make = async () => {
    const shared = new SharedArrayBuffer(8)
    for (let i = 0; i < kOften; i++) await as(pool, 'count', { shared })
    const controllers = Array.from({ length: 5 }, () => new AbortController())
    const tasks = controllers.map(({ signal }) => as(pool, 'later', { shared }, { signal }))
    for (const controller of controllers) controller.abort()
    await Promise.allSettled(tasks)
    return new WeakRef(shared)
  }
  const ref = await make()
  await pool.run(1)
  await until(() => {
    collectGarbage()
    return ref.deref() === undefined
  })
})

test('shared memory and moved buffers in one value', limit, async (t) => {
  const pool = sharedPool(t)
  const shared = new SharedArrayBuffer(8)
  for (const length of [16, 2 ** 20]) {
    for (let i = 0; i < 4; i++) {
      const moved = new Uint8Array(length).fill(3)
      const back = await pool.run({ shared, moved }, { transferList: [moved.buffer] })
      assert.equal(moved.length, 0)
      assert.equal(back.shared, shared)
      assert.deepEqual([back.moved.length, back.moved[length - 1]], [length, 3])
    }
  }
  assert.throws(() => move(shared), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
})
