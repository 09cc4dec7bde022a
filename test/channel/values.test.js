'use strict'

// What values become on their way: what structured clone makes of them.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const { test } = require('node:test')
const { MessageChannel } = require('node:worker_threads')
const fc = require('fast-check')
const { Channel, Mutex } = require('telar')
const { value, graph } = require('../fixtures/arbitraries')
const { start } = require('../fixtures/channel/actor')
const { difference } = require('../fixtures/difference')
const { inThread } = require('../fixtures/sync/threads')

function through (channel, value) {
  channel.sendSync(value)
  return channel.receiveSync().value
}

test('any value comes as structured clone makes it', () => {
  const channel = new Channel()
  fc.assert(fc.property(fc.oneof(value, graph), (value) => {
    assert.equal(difference(through(channel, value), structuredClone(value)), null)
  }), { numRuns: 1500, seed: 20 })
})

test('values in batches come as they were', async () => {
  const channel = new Channel({ capacity: 16384 })
  await fc.assert(fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 30 }), async (values) => {
    const sent = channel.sendMany(values)
    const received = []
    while (received.length < values.length) received.push(...await channel.receiveMany(fc.sample(fc.integer({ min: 1, max: 9 }), 1)[0]))
    await sent
    assert.equal(difference(received, values.map((value) => structuredClone(value))), null)
  }), { numRuns: 100, seed: 21 })
})

test('what the codec leaves to the platform comes as the platform makes it', () => {
  const channel = new Channel()
  class Point {
    x = 1
    get y () { return 2 }
  }
  assert.deepEqual(through(channel, new Point()), { x: 1 })
  assert.deepEqual(through(channel, { points: [new Point()] }), { points: [{ x: 1 }] })
  const buffer = Buffer.from('buffer')
  assert.ok(Buffer.isBuffer(through(channel, buffer)))
  assert.deepEqual(through(channel, buffer), buffer)
})

test('large values of every kind', () => {
  const channel = new Channel({ capacity: 2 ** 23 })
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i)
  const shifted = new Uint16Array(bytes.buffer, 4, 40_000)
  for (const value of [
    bytes, bytes.buffer, shifted, new DataView(bytes.buffer, 8), 'x'.repeat(50_000), 'ż'.repeat(50_000),
    { bytes, again: bytes, text: 'y'.repeat(300_000) }, Array.from({ length: 100_000 }, (_, i) => i / 3), new Float64Array(20_000).fill(0.5)
  ]) {
    assert.equal(difference(through(channel, value), structuredClone(value)), null)
    channel.trySendMany([1, value, 2])
    const received = []
    while (received.length < 3) received.push(...channel.tryReceiveMany(9))
    assert.equal(difference(received[1], structuredClone(value)), null)
  }
  assert.equal(channel.size, 0)
  const buffer = through(channel, Buffer.from(bytes))
  assert.ok(Buffer.isBuffer(buffer) && buffer.equals(bytes))
})

test('what cannot be cloned rejects with DataCloneError, and nothing is sent', async () => {
  const channel = new Channel()
  const { port1 } = new MessageChannel()
  let deep = {}
  for (let i = 0; i < 1000; i++) deep = { deep }
  for (const value of [() => {}, Symbol('s'), { f () {} }, new WeakMap(), new Proxy({}, {}), port1, { port1 }, new Blob(['a']), deep]) {
    await assert.rejects(channel.send(value), { name: 'DataCloneError' })
    assert.throws(() => channel.trySend(value), { name: 'DataCloneError' })
    assert.throws(() => channel.sendSync([value]), { name: 'DataCloneError' })
    await assert.rejects(channel.sendMany([value]), { name: 'DataCloneError' })
  }
  await assert.rejects(channel.send(new Blob(['a'])), /Send it with postMessage\(\), or as a task of pool.run\(\)/)
  assert.equal(channel.size, 0)
  port1.close()
})

test('what an accessor throws is what the call throws', async () => {
  const channel = new Channel()
  const value = { get x () { throw new RangeError('no') } }
  await assert.rejects(channel.send(value), { name: 'RangeError', message: 'no' })
  assert.throws(() => channel.trySend([value]), { message: 'no' })
  assert.equal(channel.size, 0)
})

test('an accessor that uses the channel itself disturbs nothing', async () => {
  const channel = new Channel()
  const values = []
  const value = {
    before: 'x'.repeat(100),
    get inside () {
      channel.trySend({ inner: 1 })
      channel.sendMany([2, [3]])
      values.push(channel.receiveSync().value)
      return 'inside'
    },
    after: { a: 1 }
  }
  await channel.send(value)
  await channel.sendMany([value])
  for (let result; (result = channel.tryReceive()) !== undefined;) values.push(result.value)
  const outer = { before: 'x'.repeat(100), inside: 'inside', after: { a: 1 } }
  // What the accessor sends is there before the value that it belongs to.
  const inner = [{ inner: 1 }, 2, [3]]
  assert.deepEqual(values, [inner[0], inner[1], inner[2], ...values.slice(3)])
  assert.deepEqual(values.slice(3).filter((value) => value.before !== undefined), [outer, outer])
  assert.deepEqual(values.slice(3).filter((value) => value.before === undefined), inner)
})

test('nor does one that the platform runs while it clones', async () => {
  const channel = new Channel()
  class Point {
    constructor (x) {
      this.x = x
      Object.defineProperty(this, 'y', { enumerable: true, get: () => channel.trySend(['inner', x]) && x })
    }
  }
  await channel.sendMany([{ first: 'x'.repeat(100) }, new Point(1), { last: 1 }])
  const values = []
  for (let result; (result = channel.tryReceive()) !== undefined;) values.push(result.value)
  const outer = [{ first: 'x'.repeat(100) }, { x: 1, y: 1 }, { last: 1 }]
  assert.deepEqual(values.filter((value) => !Array.isArray(value)), outer)
  assert.deepEqual(values.filter(Array.isArray), Array(values.length - 3).fill(['inner', 1]))
  assert.ok(values.length > 3)
})

// ---- shared memory ----

test('shared memory is the same at both ends', async () => {
  const channel = new Channel()
  const memory = new SharedArrayBuffer(64)
  const view = new Int32Array(memory, 8, 4)
  const received = through(channel, { memory, view, again: view, none: new SharedArrayBuffer(0) })
  view[1] = 5
  assert.equal(received.view[1], 5)
  assert.equal(received.memory, memory)
  assert.equal(received.view.buffer, memory)
  assert.equal(received.again, received.view)
  assert.equal(received.none.byteLength, 0)
  const [one, two] = [through(channel, memory), through(channel, Buffer.from(memory))]
  assert.equal(one, memory)
  assert.equal(two.buffer, memory)
})

test('a channel and a lock through a channel arrive as what they are', async () => {
  const channel = new Channel()
  const inner = new Channel({ capacity: 4096 })
  const mutex = new Mutex()
  const { inner: arrived, list } = through(channel, { inner, list: new Map([[mutex, inner]]) })
  assert.equal(arrived, inner)
  assert.deepEqual([...list], [[mutex, inner]])
  class Holder { inner = inner }
  assert.equal(through(channel, new Holder()).inner, inner)
})

test('a channel that a worker made comes through a channel, waited for in every way', async () => {
  const channel = new Channel()
  const worker = start({ channel }, ['sendChannel', 'channel', 4096, 'a', 'b'], ['sendMemory', 'channel', 8], ['sendChannel', 'channel', 4096, 'c'],
    ['sendMemory', 'channel', 16], ['sendMemory', 'channel', 32], ['say', 'sent'], ['stay'])
  const said = once(worker, 'message')
  const { value: { channel: first } } = await channel.receive()
  assert.ok(first instanceof Channel)
  assert.deepEqual(first.tryReceiveMany(5), ['a', 'b'])
  assert.deepEqual(new Uint8Array(channel.receiveSync().value), new Uint8Array(8).fill(7))
  assert.deepEqual(channel.receiveSync().value.channel.tryReceive(), { value: 'c', done: false })
  await said
  const rest = []
  while (rest.length < 2) rest.push(...await channel.receiveMany(2))
  assert.deepEqual(rest.map(({ byteLength }) => byteLength), [16, 32])
  await worker.terminate()
})

test('a batch with memory that is not known yet comes whole and in order', async () => {
  const [there, back] = [new Channel(), new Channel()]
  const sent = [1, 'two', [3], new SharedArrayBuffer(4), { five: 5 }, 'six', { seven: new SharedArrayBuffer(7) }, 'eight', 9]
  // Before there is a thread to hear of the memory.
  await there.sendMany(sent)
  await there.close()
  const worker = start({ there, back }, ['echoMany', 'there', 'back'], ['close', 'back'])
  const received = []
  for await (const value of back) received.push(value)
  assert.deepEqual(received, sent)
  assert.equal(received[3], sent[3])
  assert.equal(received[6].seven, sent[6].seven)
  await worker.terminate()
})

test('a memory whose sender has ended is there for who was there, and else an error says so', async () => {
  const channel = new Channel()
  const early = channel.receive()
  await once(start({ channel }, ['sendChannel', 'channel', 4096, 'kept'], ['sendMemory', 'channel', 128]), 'exit')
  assert.deepEqual((await early).value.channel.tryReceive(), { value: 'kept', done: false })
  assert.equal((await channel.receive()).value.byteLength, 128)
})

test('where nobody is left who knows a memory, an error says so, and the next record comes', () => {
  const { stdout, stderr } = spawnSync(process.execPath, [path.join(__dirname, '..', 'fixtures', 'channel', 'lost.js')], { encoding: 'utf8', timeout: 30_000 })
  assert.deepEqual(stdout.split('\n'), [
    'ERR_TELAR_MEMORY_LOST next', 'ERR_TELAR_MEMORY_LOST next',
    '10 ERR_TELAR_MEMORY_LOST next true', ''
  ], stderr)
})

test('a thread that is blocked keeps no memory that goes through channels of others', () => {
  const program = path.join(__dirname, '..', 'fixtures', 'channel', 'backlog.js')
  const { stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', program], {
    encoding: 'utf8', timeout: 60_000
  })
  assert.equal(stdout, 'true\n', stderr)
})

test('a thread that has left a channel gives a memory that is still on its way', async (t) => {
  const channel = new Channel()
  const memory = new SharedArrayBuffer(64)
  new Uint8Array(memory).fill(7)
  channel.trySend(memory)
  channel.detach()
  const received = await inThread(t, async ({ channel }, { Channel }) => {
    const { value } = await Channel.from(channel).receive()
    return [...new Uint8Array(value)]
  }, { channel })
  assert.deepEqual(received, Array(64).fill(7))
  assert.equal(memory.byteLength, 64)
})
