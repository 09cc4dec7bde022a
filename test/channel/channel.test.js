'use strict'

// What a channel does, in one thread.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { Channel } = require('telar')

const range = (from, until) => Array.from({ length: until - from }, (_, i) => from + i)
const item = (value) => ({ value, done: false })
const end = { value: undefined, done: true }

// Sends integers until there is no room, and returns how many.
function fill (channel) {
  let sent = 0
  while (channel.trySend(sent)) sent++
  return sent
}

// Receives all that is there now, in several calls, since a batch may end at the end of the ring.
function drain (channel) {
  const values = []
  for (let some; (some = channel.tryReceiveMany(10_000)) !== undefined;) values.push(...some)
  return values
}

test('a value that was sent can be received', async () => {
  const channel = new Channel()
  await channel.send({ a: 1 })
  assert.deepEqual(await channel.receive(), item({ a: 1 }))
  channel.sendSync('two')
  assert.deepEqual(channel.receiveSync(), item('two'))
  assert.equal(channel.trySend(undefined), true)
  assert.deepEqual(channel.tryReceive(), item(undefined))
  assert.equal(channel.tryReceive(), undefined)
})

test('values arrive in the order in which they were sent, whatever the call', async () => {
  const channel = new Channel()
  await channel.send(0)
  await channel.sendMany([1, 2])
  channel.trySend(3)
  channel.trySendMany([4, 5])
  channel.sendManySync([6, 7])
  channel.sendSync(8)
  assert.deepEqual(await channel.receiveMany(3), [0, 1, 2])
  assert.deepEqual(channel.tryReceiveMany(2), [3, 4])
  assert.deepEqual(channel.receiveManySync(100), [5, 6, 7, 8])
  assert.equal(channel.tryReceiveMany(1), undefined)
})

test('receive() waits for a later value, and calls are served in order', async () => {
  const channel = new Channel()
  const received = [
    channel.receive(), channel.receive(), channel.receiveMany(10), channel.receive()
  ]
  channel.sendMany([1, 2, 3])
  channel.close()
  assert.deepEqual(await Promise.all(received), [item(1), item(2), [3], end])
})

test('a full channel does not grow: send() waits and trySend() returns false', async () => {
  const channel = new Channel({ capacity: 4096 })
  const room = fill(channel)
  assert.ok(room > 100 && room <= 4096 / 8, `${room} integers in 4096 bytes`)
  let isSent = false
  const sent = channel.send('last').then(() => { isSent = true })
  await new Promise(setImmediate)
  assert.equal(isSent, false)
  assert.equal(channel.trySend('in front'), false)
  assert.equal(channel.trySendMany(['in front']), 0)
  assert.equal(channel.capacity, 4096)
  for (const i of range(0, room)) assert.deepEqual(channel.tryReceive(), item(i))
  assert.deepEqual(await channel.receive(), item('last'))
  await sent
})

test('a waiting send() keeps its place and sends the value as it was at the call', async () => {
  const channel = new Channel({ capacity: 4096 })
  const room = fill(channel)
  const value = { n: 1 }
  const sent = [channel.send(value), channel.sendMany([2, 3]), channel.send(4)]
  value.n = 'changed'
  const received = []
  while (received.length < room + 4) received.push(...await channel.receiveMany(1000))
  assert.deepEqual(received.slice(room), [{ n: 1 }, 2, 3, 4])
  await Promise.all(sent)
})

test('sendMany() sends more than the channel holds', async () => {
  const channel = new Channel({ capacity: 4096 })
  const list = range(0, 5000)
  const sent = channel.sendMany(list)
  const received = []
  while (received.length < list.length) received.push(...await channel.receiveMany(77))
  assert.deepEqual(received, list)
  await sent
  await channel.sendMany([])
  assert.equal(channel.size, 0)
})

test('trySendMany() returns how many values it sent', () => {
  const channel = new Channel({ capacity: 4096 })
  const sent = channel.trySendMany(range(0, 5000))
  assert.ok(sent > 100 && sent < 5000)
  assert.equal(channel.size, sent)
  assert.equal(channel.trySendMany([1]), 0)
  assert.deepEqual(channel.tryReceiveMany(5000), range(0, sent))
})

test('close() ends the channel once its last value has been received', async () => {
  const channel = new Channel()
  await channel.sendMany([1, 2, 3])
  assert.equal(channel.closed, false)
  await channel.close()
  assert.equal(channel.closed, true)
  await assert.rejects(channel.send(4), { code: 'ERR_TELAR_CHANNEL_CLOSED' })
  await assert.rejects(channel.sendMany([4]), { code: 'ERR_TELAR_CHANNEL_CLOSED' })
  await assert.rejects(channel.reserve(4), { code: 'ERR_TELAR_CHANNEL_CLOSED' })
  assert.throws(() => channel.trySend(4), { code: 'ERR_TELAR_CHANNEL_CLOSED' })
  assert.throws(() => channel.trySendMany([4]), { code: 'ERR_TELAR_CHANNEL_CLOSED' })
  assert.throws(() => channel.sendSync(4), { code: 'ERR_TELAR_CHANNEL_CLOSED' })
  assert.deepEqual(await channel.receive(), item(1))
  assert.deepEqual(channel.receiveSync(), item(2))
  assert.deepEqual(channel.tryReceive(), item(3))
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(await channel.receive(), end)
    assert.deepEqual(channel.receiveSync(), end)
    assert.deepEqual(channel.tryReceive(), end)
    assert.deepEqual(await channel.receiveMany(2), [])
    assert.deepEqual(channel.tryReceiveMany(2), [])
    assert.deepEqual(channel.receiveManySync(2), [])
    assert.equal(await channel.receiveBytes(), null)
    assert.equal(channel.tryReceiveBytes(), null)
    assert.equal(channel.receiveBytesSync(), null)
  }
  await channel.close()
})

test('close() waits for what this thread has sent before it', async () => {
  const channel = new Channel({ capacity: 4096 })
  const room = fill(channel)
  const sent = channel.send('last')
  const closed = channel.close()
  assert.equal(channel.closed, true)
  await assert.rejects(channel.send('late'), { code: 'ERR_TELAR_CHANNEL_CLOSED' })
  const received = []
  for await (const value of channel) received.push(value)
  assert.deepEqual(received, [...range(0, room), 'last'])
  await sent
  await closed
})

test('for await takes every value, and leaving the loop leaves the rest', async () => {
  const channel = new Channel()
  await channel.sendMany(range(0, 10))
  for await (const value of channel) {
    if (value === 4) break
  }
  await channel.close()
  const rest = []
  for await (const value of channel) rest.push(value)
  assert.deepEqual(rest, range(5, 10))
})

test('abort() fails both sides with a copy of its reason', async () => {
  const channel = new Channel({ capacity: 4096 })
  fill(channel)
  const sending = channel.send(1)
  const other = new Channel()
  const receiving = other.receive()
  const reason = new RangeError('enough')
  channel.abort(reason)
  other.abort()
  const aborted = (error) => {
    assert.equal(error.code, 'ERR_TELAR_CHANNEL_ABORTED')
    assert.equal(error.cause.name, 'RangeError')
    assert.equal(error.cause.message, 'enough')
    return true
  }
  await assert.rejects(sending, aborted)
  await assert.rejects(channel.receive(), aborted)
  await assert.rejects(channel.send(1), aborted)
  assert.throws(() => channel.tryReceive(), aborted)
  assert.throws(() => channel.receiveSync(), aborted)
  assert.throws(() => channel.trySend(1), aborted)
  await assert.rejects(receiving, { code: 'ERR_TELAR_CHANNEL_ABORTED' })
  channel.abort('later')
  await assert.rejects(channel.receive(), aborted)
  assert.equal(channel.closed, true)
})

test('a reason that cannot be copied is reduced to its text', async () => {
  const reasons = [
    [Object.assign(() => {}, { toString: () => 'a function' }), 'a function'],
    [new Error('x'.repeat(10_000)), 'x'.repeat(500)],
    [{ f () {} }, '[object Object]']
  ]
  for (const [reason, text] of reasons) {
    const channel = new Channel()
    channel.abort(reason)
    await assert.rejects(channel.receive(), ({ cause }) => (cause.message ?? cause) === text)
  }
})

test('a signal ends its own waiting calls and no others', async () => {
  const channel = new Channel({ capacity: 4096 })
  const controller = new AbortController()
  const { signal } = controller
  const aborted = (error) => error.code === 'ERR_TELAR_ABORTED' &&
    error.cause === 'stop' && error.message === 'The call has been aborted'
  const calls = [
    channel.receive({ signal }),
    channel.receiveMany(5, { signal }),
    channel.receiveBytes({ signal })
  ]
  const staying = channel.receive()
  controller.abort('stop')
  for (const call of calls) await assert.rejects(call, aborted)
  channel.trySend('kept')
  assert.deepEqual(await staying, item('kept'))
  await assert.rejects(channel.receive({ signal }), aborted)

  const room = fill(channel)
  const another = new AbortController()
  const by = { signal: another.signal }
  const sends = [channel.send('a', by), channel.sendMany(['b'], by), channel.reserve(8, by)]
    .map((call) => assert.rejects(call, aborted))
  const last = channel.send('c')
  another.abort('stop')
  await Promise.all(sends)
  const received = channel.tryReceiveMany(1)
  await last
  assert.deepEqual([...received, ...drain(channel)], [...range(0, room), 'c'])
})

test('a signal leaves no listener behind', async () => {
  const { EventEmitter } = require('node:events')
  const channel = new Channel()
  const signal = new EventEmitter()
  for (let i = 0; i < 20; i++) {
    const received = channel.receive({ signal })
    assert.equal(signal.listenerCount('abort'), 1)
    channel.trySend(i)
    await received
    assert.equal(signal.listenerCount('abort'), 0)
  }
})

test('an aborted sendMany() reports how many values it has sent', async () => {
  const channel = new Channel({ capacity: 4096 })
  const controller = new AbortController()
  const sent = channel.sendMany(range(0, 5000), { signal: controller.signal })
  controller.abort()
  const error = await sent.catch((error) => error)
  assert.equal(error.code, 'ERR_TELAR_ABORTED')
  assert.deepEqual(drain(channel), range(0, error.sent))
  await assert.rejects(channel.sendMany([1, 2, () => {}, 3]), (error) =>
    error.name === 'DataCloneError' && error.sent === 2)
  assert.deepEqual(drain(channel), [1, 2])
})

test('a blocking call gives up at its timeout', () => {
  const channel = new Channel({ capacity: 4096 })
  for (const timeout of [0, 5]) {
    const waited = { code: 'ERR_TELAR_TIMEOUT' }
    assert.throws(() => channel.receiveSync({ timeout }), waited)
    assert.throws(() => channel.receiveManySync(3, { timeout }), waited)
    assert.throws(() => channel.receiveBytesSync({ timeout }), waited)
  }
  const room = fill(channel)
  assert.throws(() => channel.sendSync(1, { timeout: 5 }), { code: 'ERR_TELAR_TIMEOUT' })
  assert.throws(() => channel.sendManySync([1], { timeout: 5 }),
    { code: 'ERR_TELAR_TIMEOUT', sent: 0 })
  assert.throws(() => channel.reserveSync(1, { timeout: 5 }), { code: 'ERR_TELAR_TIMEOUT' })
  assert.deepEqual(drain(channel), range(0, room))
})

test('a record of more than half the ring is refused, and the error names both sizes', async () => {
  const channel = new Channel({ capacity: 4096 })
  assert.equal(channel.maxRecord, 2048)
  const tooLarge = {
    name: 'RangeError',
    code: 'ERR_TELAR_RECORD_TOO_LARGE',
    message: /^A record of 30\d\d bytes is larger than the channel takes: 2048 bytes/
  }
  const value = 'x'.repeat(3000)
  await assert.rejects(channel.send(value), tooLarge)
  await assert.rejects(channel.sendMany([value]), tooLarge)
  await assert.rejects(channel.reserve(3000), tooLarge)
  assert.throws(() => channel.trySend(value), tooLarge)
  assert.throws(() => channel.sendSync(new Uint8Array(3000)), tooLarge)
  await assert.rejects(channel.sendMany([1, value, 2]), (error) =>
    error.code === 'ERR_TELAR_RECORD_TOO_LARGE' && error.sent === 1)
  assert.deepEqual(channel.tryReceiveMany(5), [1])
  const large = new Channel()
  assert.throws(() => large.trySend(new Uint8Array(600_000)),
    { code: 'ERR_TELAR_RECORD_TOO_LARGE', message: /of 6000\d\d bytes .* 524288 bytes/ })
})

test('a record that is far too large is refused before all of it is encoded', async () => {
  const channel = new Channel({ capacity: 4096 })
  let reached = 0
  const part = 'x'.repeat(2 ** 20)
  const value = Array.from({ length: 50 }, () => ({ part, get mark () { return ++reached } }))
  const tooLarge = {
    code: 'ERR_TELAR_RECORD_TOO_LARGE',
    message: /^A record of at least \d{7} bytes is larger .* 2048 bytes/
  }
  await assert.rejects(channel.send(value), tooLarge)
  await assert.rejects(channel.sendMany([value]), tooLarge)
  assert.throws(() => channel.trySend(value), tooLarge)
  await assert.rejects(channel.sendMany([1, value]), (error) =>
    error.code === tooLarge.code && error.sent === 1)
  assert.ok(reached < 50,
    `${reached} parts of 1 MiB were encoded in five times, for a channel of 4 KiB`)
  assert.deepEqual(channel.tryReceiveMany(5), [1])
})

test('a large value that fails to be sent leaves the channel as it was', async () => {
  const value = { large: 'x'.repeat(400_000), get late () { throw new Error('late') } }
  const there = { text: 'a text', list: [1, 2] }
  for (const fail of [(channel) => channel.send(value), (channel) => channel.sendMany([value])]) {
    const channel = new Channel()
    await channel.sendMany([there, there])
    await assert.rejects(fail(channel), /late/)
    assert.deepEqual(await channel.receive(), item(there))
    assert.deepEqual(await channel.receiveMany(5), [there])
  }
})

test('records of every length around the limits arrive whole', async () => {
  for (const capacity of [4096, 65536]) {
    const channel = new Channel({ capacity })
    const most = channel.maxRecord
    for (const length of [0, 1, 7, 8, 9, 2000, most / 2, most - 40, most - 24, most - 16]) {
      const bytes = Buffer.alloc(length, length)
      for (let i = 0; i < 5; i++) {
        await channel.send(bytes)
        assert.deepEqual((await channel.receive()).value, bytes)
        await channel.send(i)
        assert.deepEqual(await channel.receiveMany(2), [i])
      }
    }
    assert.equal(channel.size, 0)
  }
})

test('stats counts what has passed through the channel', async () => {
  const channel = new Channel({ capacity: 5000 })
  assert.equal(channel.capacity, 8192)
  await channel.sendMany([1, 2, 3])
  await channel.receive()
  const { sent, received, size, sentBytes, receivedBytes, sizeBytes } = channel.stats
  assert.deepEqual({ sent, received, size }, { sent: 3, received: 1, size: 2 })
  assert.equal(channel.size, 2)
  assert.equal(sizeBytes, sentBytes - receivedBytes)
})

test('the first thread may use a channel for one producer and one consumer', async () => {
  const channel = new Channel({ producers: 'one', consumers: 'one' })
  await channel.sendMany(range(0, 100))
  assert.deepEqual(await channel.receiveMany(200), range(0, 100))
})

test('a misspelled or invalid option is refused with a hint', async () => {
  assert.throws(() => new Channel({ capcity: 1 }),
    { code: 'ERR_TELAR_UNKNOWN_OPTION', message: /did you mean options.capacity/ })
  for (const capacity of [0, 4095, 2 ** 30 + 1, 1.5, '4096', NaN]) {
    assert.throws(() => new Channel({ capacity }), {
      code: 'ERR_TELAR_INVALID_ARGUMENT',
      message: /options.capacity must be an integer between 4096 and 1073741824 \(bytes\); received/
    })
  }
  assert.throws(() => new Channel({ producers: 'two' }), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
  assert.throws(() => new Channel([]), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
  const channel = new Channel()
  const invalid = { code: 'ERR_TELAR_INVALID_ARGUMENT' }
  await assert.rejects(channel.receive({ signal: 'now' }), invalid)
  await assert.rejects(channel.receive({ singal: null }),
    { code: 'ERR_TELAR_UNKNOWN_OPTION', message: /did you mean options.signal/ })
  await assert.rejects(channel.receiveMany(0), invalid)
  await assert.rejects(channel.receiveMany(), invalid)
  await assert.rejects(channel.sendMany('abc'), invalid)
  await assert.rejects(channel.reserve(-1), invalid)
  assert.throws(() => channel.receiveSync({ timeout: -1 }), invalid)
  assert.throws(() => channel.sendSync(1, { timeout: '1' }), invalid)
  assert.equal(channel.size, 0)
})

test('from() takes a channel or a clone of one, and nothing else', () => {
  const channel = new Channel()
  assert.equal(Channel.from(channel), channel)
  assert.equal(Channel.from(structuredClone(channel)), channel)
  for (const value of [
    undefined,
    {},
    { 'telar:shared': {} },
    { 'telar:shared': { kind: 'Channel' } },
    new SharedArrayBuffer(8)
  ]) {
    assert.throws(() => Channel.from(value), { code: /ERR_TELAR_(NOT_SHARED|CORRUPT_STATE)/ })
  }
  const memory = new SharedArrayBuffer(100_000)
  const forged = { 'telar:shared': { ...channel['telar:shared'], id: 1n, memory } }
  assert.throws(() => Channel.from(forged), { code: 'ERR_TELAR_CORRUPT_STATE' })
})

test('a channel whose memory is overwritten throws an error of telar', async () => {
  for (let seed = 1; seed < 60; seed++) {
    const channel = new Channel({ capacity: 4096 })
    const words = new Int32Array(structuredClone(channel)['telar:shared'].memory)
    await channel.sendMany(range(0, 20))
    for (let at = seed; at < words.length; at += 61) words[at] = Math.imul(at, 0x9E3779B1) ^ seed
    for (let i = 0; i < 50; i++) {
      try {
        if (channel.tryReceive() === undefined) channel.trySend(i)
      } catch (error) {
        assert.match(error.code, /^ERR_TELAR_/)
      }
    }
  }
})

test('timers and I/O get their turn beside calls that never wait', async () => {
  const channel = new Channel()
  const over = new Set()
  setTimeout(() => over.add('timer'), 1)
  while (!over.has('timer')) {
    await channel.send(1)
    await channel.receive()
  }
  const many = range(0, 100)
  setImmediate(() => over.add('immediate'))
  while (!over.has('immediate')) {
    await channel.sendMany(many)
    await channel.receiveMany(100)
  }
})

test('a waiting call goes on after a blocking call beside it has timed out', async () => {
  const timeout = { code: 'ERR_TELAR_TIMEOUT' }
  const empty = new Channel()
  const received = empty.receive()
  assert.throws(() => empty.receiveSync({ timeout: 1 }), timeout)
  empty.trySend('first')
  assert.deepEqual(await received, item('first'))

  const full = new Channel({ capacity: 4096 })
  while (full.trySend('filler'));
  const sent = full.send('latest')
  assert.throws(() => full.sendSync('refuse', { timeout: 1 }), timeout)
  while (full.tryReceive() !== undefined);
  await sent
  assert.deepEqual(full.tryReceive(), item('latest'))
})
