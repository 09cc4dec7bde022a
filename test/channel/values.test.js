'use strict'

// A channel turns a value into what structured clone makes of it.

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

test('any value arrives as structured clone makes it', () => {
  const channel = new Channel()
  fc.assert(fc.property(fc.oneof(value, graph), (value) => {
    assert.equal(difference(through(channel, value), structuredClone(value)), null)
  }), { numRuns: 1500, seed: 20 })
})

test('values in batches arrive as structured clone makes them', async () => {
  const channel = new Channel({ capacity: 16384 })
  const batch = fc.array(value, { minLength: 1, maxLength: 30 })
  await fc.assert(fc.asyncProperty(batch, async (values) => {
    const sent = channel.sendMany(values)
    const received = []
    while (received.length < values.length) {
      received.push(...await channel.receiveMany(fc.sample(fc.integer({ min: 1, max: 9 }), 1)[0]))
    }
    await sent
    assert.equal(difference(received, values.map((value) => structuredClone(value))), null)
  }), { numRuns: 100, seed: 21 })
})

test('a value that the codec leaves to the platform arrives as the platform makes it', () => {
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

test('large values of every kind arrive as structured clone makes them', () => {
  const channel = new Channel({ capacity: 2 ** 23 })
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i)
  const shifted = new Uint16Array(bytes.buffer, 4, 40_000)
  for (const value of [
    bytes, bytes.buffer, shifted, new DataView(bytes.buffer, 8),
    'x'.repeat(50_000), 'ż'.repeat(50_000),
    { bytes, again: bytes, text: 'y'.repeat(300_000) },
    Array.from({ length: 100_000 }, (_, i) => i / 3), new Float64Array(20_000).fill(0.5)
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

test('a value that cannot be cloned rejects with DataCloneError and is not sent', async () => {
  const channel = new Channel()
  const { port1 } = new MessageChannel()
  let deep = {}
  for (let i = 0; i < 1000; i++) deep = { deep }
  for (const value of [
    () => {}, Symbol('s'), { f () {} }, new WeakMap(), new Proxy({}, {}), port1, { port1 },
    new Blob(['a']), deep
  ]) {
    await assert.rejects(channel.send(value), { name: 'DataCloneError' })
    assert.throws(() => channel.trySend(value), { name: 'DataCloneError' })
    assert.throws(() => channel.sendSync([value]), { name: 'DataCloneError' })
    await assert.rejects(channel.sendMany([value]), { name: 'DataCloneError' })
  }
  await assert.rejects(channel.send(new Blob(['a'])),
    /Send it with postMessage\(\), or as a task of pool.run\(\)/)
  assert.equal(channel.size, 0)
  port1.close()
})

test('send() throws what an accessor of its value throws', async () => {
  const channel = new Channel()
  const value = { get x () { throw new RangeError('no') } }
  await assert.rejects(channel.send(value), { name: 'RangeError', message: 'no' })
  assert.throws(() => channel.trySend([value]), { message: 'no' })
  assert.equal(channel.size, 0)
})

test('an accessor may use the channel that its value is sent through', async () => {
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
  // What the accessor sends arrives before the value of the accessor.
  const inner = [{ inner: 1 }, 2, [3]]
  assert.deepEqual(values, [inner[0], inner[1], inner[2], ...values.slice(3)])
  assert.deepEqual(values.slice(3).filter((value) => value.before !== undefined), [outer, outer])
  assert.deepEqual(values.slice(3).filter((value) => value.before === undefined), inner)
})

test('an accessor that the platform runs may use the channel too', async () => {
  const channel = new Channel()
  class Point {
    constructor (x) {
      this.x = x
      Object.defineProperty(this, 'y',
        { enumerable: true, get: () => channel.trySend(['inner', x]) && x })
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

// ---- Shared memory ----

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

test('a channel and a lock arrive through a channel as themselves', async () => {
  const channel = new Channel()
  const inner = new Channel({ capacity: 4096 })
  const mutex = new Mutex()
  const { inner: arrived, list } = through(channel, { inner, list: new Map([[mutex, inner]]) })
  assert.equal(arrived, inner)
  assert.deepEqual([...list], [[mutex, inner]])
  class Holder { inner = inner }
  assert.equal(through(channel, new Holder()).inner, inner)
})

test('a channel from a worker arrives through a channel, however it is received', async () => {
  const channel = new Channel()
  const worker = start({ channel },
    ['sendChannel', 'channel', 4096, 'a', 'b'], ['sendMemory', 'channel', 8],
    ['sendChannel', 'channel', 4096, 'c'], ['sendMemory', 'channel', 16],
    ['sendMemory', 'channel', 32], ['say', 'sent'], ['stay'])
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

test('a batch with memory that is new to the receiver arrives whole and in order', async () => {
  const [there, back] = [new Channel(), new Channel()]
  const memories = [new SharedArrayBuffer(4), new SharedArrayBuffer(7)]
  const sent = [1, 'two', [3], memories[0], { five: 5 }, 'six', { seven: memories[1] }, 'eight', 9]
  // Sent before there is a thread that could be told of the memory.
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

test('a waiting receiver keeps the memory of a sender that has ended', async () => {
  const channel = new Channel()
  const early = channel.receive()
  await once(start({ channel }, ['sendChannel', 'channel', 4096, 'kept'],
    ['sendMemory', 'channel', 128]), 'exit')
  assert.deepEqual((await early).value.channel.tryReceive(), { value: 'kept', done: false })
  assert.equal((await channel.receive()).value.byteLength, 128)
})

test('a record whose memory is lost fails with an error, and the next one arrives', () => {
  const program = path.join(__dirname, '..', 'fixtures', 'channel', 'lost.js')
  const { stdout, stderr } = spawnSync(process.execPath, [program], {
    encoding: 'utf8', timeout: 30_000
  })
  assert.deepEqual(stdout.split('\n'), [
    'ERR_TELAR_MEMORY_LOST next', 'ERR_TELAR_MEMORY_LOST next',
    '10 ERR_TELAR_MEMORY_LOST next true', ''
  ], stderr)
})

test('a blocked thread keeps no memory that passes through other channels', () => {
  const program = path.join(__dirname, '..', 'fixtures', 'channel', 'backlog.js')
  const { stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', program], {
    encoding: 'utf8', timeout: 60_000
  })
  assert.equal(stdout, 'true\n', stderr)
})

test('a thread that has left a channel still supplies memory that it has sent', async (t) => {
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
