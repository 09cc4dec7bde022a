'use strict'

// Channels as Node streams and as web streams.

const assert = require('node:assert/strict')
const { once } = require('node:events')
const { Readable, Transform } = require('node:stream')
const { pipeline } = require('node:stream/promises')
const { test } = require('node:test')
const { Channel } = require('telar')

const range = (from, until) => Array.from({ length: until - from }, (_, i) => from + i)

test('a channel carries objects from stream to stream, with backpressure', async () => {
  const channel = new Channel({ capacity: 4096 })
  const values = range(0, 2000).map((i) => ({ i }))
  const sent = pipeline(Readable.from(values), channel.writable({ objectMode: true }))
  const doubled = channel.readable({ objectMode: true }).pipe(
    new Transform({ objectMode: true, transform: ({ i }, _, callback) => callback(null, 2 * i) })
  )
  assert.deepEqual(await doubled.toArray(), values.map(({ i }) => 2 * i))
  await sent
  assert.equal(channel.closed, true)
})

test('a channel carries bytes and strings from stream to stream', async () => {
  const channel = new Channel({ capacity: 8192 })
  const bytes = Buffer.from('0123456789'.repeat(10_000))
  const chunks = range(0, 100).map((i) => bytes.subarray(i * 1000, (i + 1) * 1000))
  const sent = pipeline(Readable.from(chunks), channel.writable())
  assert.deepEqual(Buffer.concat(await channel.readable().toArray()), bytes)
  await sent
  const text = new Channel()
  const writable = text.writable()
  writable.write('žluťoučký')
  writable.end(' kůň')
  assert.equal(Buffer.concat(await text.readable().toArray()).toString(), 'žluťoučký kůň')
})

test('a stream with end: false leaves the channel open for others', async () => {
  const channel = new Channel()
  const writables = [
    channel.writable({ objectMode: true, end: false }),
    channel.writable({ objectMode: true, end: false })
  ]
  for (const writable of writables) writable.end('one')
  await Promise.all(writables.map((writable) => once(writable, 'finish')))
  assert.equal(channel.closed, false)
  writables[0].destroy()
  assert.deepEqual(channel.tryReceiveMany(5), ['one', 'one'])
})

test('a source that fails aborts the channel and fails the other end', async () => {
  const channel = new Channel()
  const failing = new Readable({
    objectMode: true,
    read () { this.destroy(new RangeError('no more')) }
  })
  await assert.rejects(pipeline(failing, channel.writable({ objectMode: true })),
    { message: 'no more' })
  await assert.rejects(channel.readable({ objectMode: true }).toArray(), ({ code, cause }) =>
    code === 'ERR_TELAR_CHANNEL_ABORTED' && cause.message === 'no more')
})

test('a readable fails on null, which ends a stream', async () => {
  const channel = new Channel()
  channel.trySendMany([1, null, 2])
  const received = []
  const readable = channel.readable({ objectMode: true })
  await assert.rejects(async () => {
    for await (const value of readable) received.push(value)
  }, { code: 'ERR_TELAR_INVALID_ARGUMENT', message: /^null was received.*use readableStream\(\)$/ })
  channel.trySend(null)
  assert.deepEqual(await channel.readableStream().getReader().read(), { value: null, done: false })
})

test('a destroyed readable stops waiting and takes nothing more', async () => {
  const channel = new Channel()
  const readable = channel.readable({ objectMode: true })
  readable.resume()
  await new Promise(setImmediate)
  readable.destroy()
  await once(readable, 'close')
  await channel.send('left')
  assert.deepEqual(await channel.receive(), { value: 'left', done: false })
})

test('a destroyed writable stops waiting', async () => {
  const channel = new Channel({ capacity: 4096 })
  while (channel.trySend(1));
  const writable = channel.writable({ objectMode: true, end: false })
  writable.on('error', () => {})
  writable.write('waits')
  await new Promise(setImmediate)
  const closed = new Promise((resolve) => writable.once('close', resolve))
  writable.destroy(new Error('away'))
  await closed
  const left = []
  for (let values; (values = channel.tryReceiveMany(1000)) !== undefined && values.length > 0;) {
    left.push(...values)
  }
  assert.ok(left.length > 0)
  assert.ok(!left.includes('waits'))
})

test('a channel carries values between web streams', async () => {
  const channel = new Channel({ capacity: 4096 })
  const values = range(0, 1000)
  const sent = ReadableStream.from?.(values).pipeTo(channel.writableStream()) ??
    writeAll(channel.writableStream(), values)
  const received = []
  for await (const value of channel.readableStream()) received.push(value)
  assert.deepEqual(received, values)
  await sent
  const other = new Channel()
  const reader = other.readableStream().getReader()
  const reading = reader.read()
  await reader.cancel()
  assert.deepEqual(await reading, { value: undefined, done: true })
  await other.send('kept')
  assert.deepEqual(other.tryReceive(), { value: 'kept', done: false })
  await other.writableStream().abort(new Error('web'))
  await assert.rejects(other.receive(), ({ cause }) => cause.message === 'web')
})

async function writeAll (stream, values) {
  const writer = stream.getWriter()
  for (const value of values) await writer.write(value)
  await writer.close()
}
