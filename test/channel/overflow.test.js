'use strict'

// new Channel({ overflow }): what a full channel drops.

const assert = require('node:assert/strict')
const { once } = require('node:events')
const { test } = require('node:test')
const { pipeline } = require('node:stream/promises')
const { setImmediate: nextTurn } = require('node:timers/promises')
const { Readable } = require('node:stream')
const fc = require('fast-check')
const { Channel, select } = require('telar')
const { start } = require('../fixtures/channel/actor')
const { collectGarbage } = require('../fixtures/collect-garbage')
const { until } = require('../fixtures/until')

const oldest = (options) => new Channel({ capacity: 4096, overflow: 'drop-oldest', ...options })
const newest = (options) => new Channel({ capacity: 4096, overflow: 'drop-newest', ...options })
const range = (from, until) => Array.from({ length: until - from }, (_, i) => from + i)

function takeAll (channel) {
  const values = []
  for (let result; (result = channel.tryReceive()) !== undefined && !result.done;) {
    values.push(result.value)
  }
  return values
}

// How many small integers fit.
const kFit = (() => {
  const channel = new Channel({ capacity: 4096 })
  let sent = 0
  while (channel.trySend(sent)) sent++
  return sent
})()

test('a channel waits for room unless it is told to drop', async () => {
  for (const options of [{}, { overflow: undefined }, { overflow: 'wait' }]) {
    const channel = new Channel({ capacity: 4096, ...options })
    await channel.sendMany(range(0, kFit))
    assert.equal(channel.trySend('more'), false)
    assert.deepEqual(takeAll(channel), range(0, kFit))
    assert.equal(channel.stats.dropped, 0)
  }
})

test('invalid policies and policies that cannot be had are refused', () => {
  for (const overflow of ['drop', 'oldest', true, 1]) {
    assert.throws(() => new Channel({ overflow }), {
      code: 'ERR_TELAR_INVALID_ARGUMENT',
      message: /^options\.overflow must be 'wait', 'drop-oldest' or 'drop-newest'; received/
    })
  }
  assert.throws(() => oldest({ consumers: 'one' }), {
    code: 'ERR_TELAR_OPTION_CONFLICT',
    message: /^options\.consumers must be 'many' with overflow: 'drop-oldest'/
  })
  newest({ consumers: 'one', producers: 'one' }).trySend(1)
  oldest({ producers: 'one' }).trySend(1)
})

// ---- drop-oldest ----

const senders = {
  send: (channel, values) => Promise.all(values.map((value) => channel.send(value))),
  sendSync: (channel, values) => values.forEach((value) => channel.sendSync(value)),
  trySend: (channel, values) => values.forEach((value) => assert.ok(channel.trySend(value))),
  sendMany: (channel, values) => channel.sendMany(values),
  sendManySync: (channel, values) => channel.sendManySync(values),
  trySendMany: (channel, values) => {
    assert.equal(channel.trySendMany(values), values.length)
  }
}

for (const [name, send] of Object.entries(senders)) {
  for (const producers of ['many', 'one']) {
    test(`${name}() drops the oldest values (producers: '${producers}')`, async () => {
      const channel = oldest({ producers })
      await send(channel, range(0, 5000))
      const { sent, received, dropped, size, droppedBytes, sizeBytes, sentBytes } = channel.stats
      assert.deepEqual({ sent, received, dropped, size },
        { sent: 5000, received: 0, dropped: 5000 - kFit, size: kFit })
      assert.equal(droppedBytes + sizeBytes, sentBytes)
      assert.deepEqual(takeAll(channel), range(5000 - kFit, 5000))
      await send(channel, range(0, 100))
      assert.deepEqual(takeAll(channel), range(0, 100))
      assert.equal(channel.stats.dropped, 5000 - kFit)
    })
  }
}

test('values of any size leave the newest ones, in order', async () => {
  const size = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 300 }), fc.constant(1900))
  const step = fc.oneof(
    fc.array(size, { maxLength: 20 }).map((sizes) => ['send', sizes]),
    fc.array(size, { maxLength: 20 }).map((sizes) => ['many', sizes]),
    fc.array(size, { maxLength: 5 }).map((sizes) => ['bytes', sizes]),
    fc.array(size, { maxLength: 5 }).map((sizes) => ['reserve', sizes]),
    fc.integer({ min: 0, max: 10 }).map((count) => ['receive', count]),
    fc.integer({ min: 1, max: 10 }).map((count) => ['receiveMany', count]))
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
    const channel = oldest()
    // Every record has bytes of its own number.
    let sent = 0
    let next = 0
    const bytes = (length) => new Uint8Array(length + 4).fill(sent++ % 251)
    const check = (value) => {
      const before = channel.stats
      next = Math.max(next, before.sent - before.size - 1)
      for (const byte of value) assert.equal(byte, next % 251)
    }
    let received = 0
    for (const [what, argument] of steps) {
      if (what === 'send') for (const length of argument) await channel.send(bytes(length))
      if (what === 'many') await channel.sendMany(argument.map(bytes))
      if (what === 'bytes') {
        for (const length of argument) assert.ok(channel.trySendBytes(bytes(length)))
      }
      if (what === 'reserve') {
        for (const length of argument) {
          const reservation = channel.tryReserve(length + 4)
          reservation.bytes.set(bytes(length))
          reservation.commit()
        }
      }
      if (what === 'receive') {
        for (let i = 0; i < argument; i++) {
          const result = channel.tryReceive()
          if (result === undefined) break
          check(result.value)
          received++
        }
      }
      if (what === 'receiveMany') {
        const list = channel.tryReceiveMany(argument) ?? []
        received += list.length
        if (list.length > 0) check(list.at(-1))
      }
      const { stats } = channel
      assert.equal(stats.sent, sent)
      assert.equal(stats.received, received)
      assert.equal(stats.dropped + stats.received + stats.size, sent)
    }
  }), { numRuns: 150, seed: 30 })
})

test('a receiver of another thread gets what was not dropped, in order and once', async () => {
  for (const verb of ['count', 'countSync', 'countMany']) {
    const channel = oldest()
    const workers = [0, 1].map((i) =>
      start({ channel }, [verb, 'channel', i * 1e6, i * 1e6 + 20_000, 50], ['stay']))
    const next = [0, 1e6]
    const count = () => channel.stats.sent
    let received = 0
    const check = (values) => {
      for (const value of values) {
        const producer = value >= 1e6 ? 1 : 0
        assert.ok(value >= next[producer], `${value} after ${next[producer] - 1}`)
        next[producer] = value + 1
        received++
      }
    }
    while (count() < 39_000) check(await channel.receiveMany(50))
    // A value can be received a moment before it is counted, so there may be no more to wait for.
    while (count() < 40_000 || channel.size > 0) {
      check(channel.tryReceiveMany(50) ?? [])
      await nextTurn()
    }
    const { sent, dropped } = channel.stats
    assert.deepEqual([sent, received + dropped], [40_000, 40_000])
    // The last value of all is never dropped.
    assert.ok(next[0] === 20_000 || next[1] === 1e6 + 20_000, next.join())
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
})

test('a sender waits while the oldest value is read in place', async () => {
  const channel = oldest()
  await channel.sendBytes(new Uint8Array(100).fill(1))
  const claim = await channel.receiveBytes()
  await channel.sendMany(range(0, 100))
  while (channel.trySend('filled')) continue
  const { dropped } = channel.stats
  const sent = channel.send('waits')
  await nextTurn()
  assert.equal(channel.stats.dropped, dropped) // nothing was dropped in vain
  assert.ok(claim.bytes.every((byte) => byte === 1))
  assert.throws(() => channel.sendSync('no', { timeout: 1 }), { code: 'ERR_TELAR_TIMEOUT' })
  claim.release()
  await sent
  assert.equal(takeAll(channel).at(-1), 'waits')
})

test('a sender waits while the oldest value is written in place', async () => {
  const channel = oldest()
  const reservation = channel.tryReserve(100)
  reservation.bytes.fill(2)
  while (channel.trySend('filled')) continue
  const sent = channel.send('waits')
  await nextTurn()
  assert.equal(channel.stats.dropped, 0)
  reservation.commit()
  await sent
  assert.equal(takeAll(channel).at(-1), 'waits')
})

test('a sender that drops is not taken for a receiver', async () => {
  const channel = oldest()
  await once(start({ channel }, ['count', 'channel', 0, 2000]), 'exit')
  assert.equal(takeAll(channel).length, kFit)
  await assert.rejects(channel.receive(), { code: 'ERR_TELAR_CHANNEL_NO_SENDER' })
})

for (const make of [oldest, newest]) {
  test(`${make.name}: memory of values that were dropped is released, in all threads`, async () => {
    const channel = make()
    const worker = start({ channel }, ['send', 'channel', 'hello'], ['stay'])
    assert.equal((await channel.receive()).value, 'hello')
    const refs = []
    const sendOne = async (i) => {
      const memory = new SharedArrayBuffer(1024)
      refs.push(new WeakRef(memory))
      if (i % 2 === 0) await channel.send({ memory })
      else await channel.sendMany([{ memory }, i])
    }
    for (let i = 0; i < 1000; i++) await sendOne(i)
    assert.ok(channel.stats.dropped > 500)
    const isAlive = (ref) => ref.deref() !== undefined
    // Those that are still in the channel.
    const size = 4096 / 28
    await until(async () => {
      await nextTurn()
      collectGarbage()
      return refs.filter(isAlive).length <= size
    })
    for (const value of takeAll(channel)) {
      if (typeof value === 'object') assert.equal(value.memory.byteLength, 1024)
    }
    await worker.terminate()
  })
}

// ---- drop-newest ----

for (const name of Object.keys(senders)) {
  test(`${name}() drops the values for which there is no room, and counts them`, async () => {
    const channel = newest()
    const values = range(0, 5000)
    if (name === 'trySend') {
      assert.deepEqual(values.map((value) => channel.trySend(value)),
        values.map((value) => value < kFit))
    } else if (name === 'trySendMany') {
      assert.equal(channel.trySendMany(values), kFit)
      assert.equal(channel.trySendMany(values.slice(0, 10)), 0)
      assert.equal(channel.stats.dropped, 5010 - kFit)
      return
    } else {
      await senders[name](channel, values)
    }
    const { sent, received, dropped, size } = channel.stats
    assert.deepEqual({ sent, received, dropped, size },
      { sent: kFit, received: 0, dropped: 5000 - kFit, size: kFit })
    assert.deepEqual(takeAll(channel), range(0, kFit))
  })
}

test('a smaller value after one that was dropped is sent if it fits', async () => {
  const channel = newest()
  const large = 'x'.repeat(1500)
  await channel.sendMany([large, large, large, 'small', large, 'last'])
  assert.deepEqual(takeAll(channel), [large, large, 'small', 'last'])
  assert.equal(channel.stats.dropped, 2)
})

test('large bytes, which are encoded in place if there is room, are dropped too', async () => {
  for (const make of [oldest, newest]) {
    const channel = make({ capacity: 65536 })
    const large = (i) => new Uint8Array(12_000).fill(i)
    for (let i = 0; i < 10; i++) await channel.send(large(i))
    await channel.sendMany(range(10, 20).map(large))
    const { dropped, size } = channel.stats
    assert.ok(size >= 4)
    assert.equal(size + dropped, 20)
    assert.deepEqual(takeAll(channel).map(([first]) => first),
      make === oldest ? range(20 - size, 20) : range(0, size))
  }
})

test('bytes are dropped too, and bytes in place when they are committed', async () => {
  const channel = newest()
  await channel.sendMany(range(0, kFit))
  await channel.sendBytes(new Uint8Array(8))
  channel.sendBytesSync(new Uint8Array(8))
  assert.equal(channel.trySendBytes(new Uint8Array(8)), false)
  assert.equal(channel.tryReserve(8), null)
  const { dropped } = channel.stats
  for (const reservation of [await channel.reserve(8), channel.reserveSync(8)]) {
    assert.equal(reservation.bytes.length, 8)
    reservation.commit()
  }
  ;(await channel.reserve(8)).discard()
  assert.deepEqual([dropped, channel.stats.dropped], [3, 5])
  // With room by then, they are sent.
  const late = await channel.reserve(8)
  late.bytes.set([1, 2, 3])
  takeAll(channel)
  late.commit(3)
  assert.deepEqual([...channel.tryReceive().value], [1, 2, 3])
  const detached = newest()
  detached.trySendMany(range(0, kFit))
  const reservation = await detached.reserve(8)
  detached.detach()
  assert.throws(() => reservation.commit(), { code: 'ERR_TELAR_DISPOSED' })
})

// ---- both ----

for (const make of [oldest, newest]) {
  test(`${make.name}: what cannot be sent is refused as in any channel`, async () => {
    const channel = make()
    await channel.sendMany(range(0, 2 * kFit))
    const { sent, dropped } = channel.stats
    await assert.rejects(channel.send(() => {}), { name: 'DataCloneError' })
    await assert.rejects(channel.send('x'.repeat(5000)), { code: 'ERR_TELAR_RECORD_TOO_LARGE' })
    await assert.rejects(channel.sendMany([1, 2, () => {}]), { name: 'DataCloneError', sent: 2 })
    assert.equal(channel.stats.sent + channel.stats.dropped,
      sent + dropped + (make === oldest ? 4 : 2))
    await channel.close()
    await assert.rejects(channel.send(1), { code: 'ERR_TELAR_CHANNEL_CLOSED' })
    await assert.rejects(channel.sendMany([1]), { code: 'ERR_TELAR_CHANNEL_CLOSED', sent: 0 })
    assert.equal(takeAll(channel).length, kFit)
    channel.abort()
    await assert.rejects(channel.send(1), { code: 'ERR_TELAR_CHANNEL_ABORTED' })
  })

  test(`${make.name}: a stream that writes never waits`, async () => {
    for (const write of [
      (channel) => pipeline(Readable.from(range(0, 3000)), channel.writable({ objectMode: true })),
      (channel) => Readable.toWeb(Readable.from(range(0, 3000))).pipeTo(channel.writableStream())
    ]) {
      const channel = make()
      await write(channel)
      const values = takeAll(channel)
      assert.deepEqual(values, make === oldest ? range(3000 - kFit, 3000) : range(0, kFit))
      assert.equal(channel.stats.dropped, 3000 - kFit)
    }
  })

  test(`${make.name}: a thread that receives the channel drops as its maker said`, async () => {
    const channel = make()
    await once(start({ channel }, ['count', 'channel', 0, 3000]), 'exit')
    assert.equal(channel.stats.dropped, 3000 - kFit)
    assert.equal((await select([channel])).value, make === oldest ? 3000 - kFit : 0)
  })
}
