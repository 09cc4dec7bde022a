'use strict'

// Bytes written and read where they lie in the ring.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { Channel } = require('telar')
const { start } = require('../fixtures/channel/actor')

test('bytes are written in place and read in place', async () => {
  const channel = new Channel()
  const reservation = await channel.reserve(1000)
  assert.equal(reservation.bytes.length, 1000)
  assert.equal(reservation.bytes.byteOffset % 8, 0)
  reservation.bytes.fill(7)
  assert.equal(await Promise.race([
    channel.receiveBytes({ signal: AbortSignal.timeout(5) }).catch(({ code }) => code)
  ]), 'ERR_TELAR_ABORTED')
  reservation.commit(10)
  const claim = await channel.receiveBytes()
  assert.deepEqual(claim.bytes, new Uint8Array(10).fill(7))
  claim.release()
  claim.release()
  assert.throws(() => claim.bytes, { code: 'ERR_TELAR_DISPOSED' })
  assert.throws(() => reservation.bytes, { code: 'ERR_TELAR_DISPOSED' })
  assert.throws(() => reservation.commit(), { code: 'ERR_TELAR_DISPOSED' })
  reservation.discard()
  assert.equal(channel.size, 0)
})

test('the blocking and the try forms reserve and receive bytes', () => {
  const channel = new Channel({ capacity: 4096 })
  channel.reserveSync(4).commit()
  channel.tryReserve(8).commit(0)
  assert.equal(channel.receiveBytesSync().bytes.length, 4)
  const empty = channel.tryReceiveBytes()
  assert.equal(empty.bytes.length, 0)
  assert.equal(channel.tryReceiveBytes(), undefined)
  const reservation = channel.tryReserve(2000)
  channel.tryReserve(100)
  assert.equal(channel.tryReserve(2000), null)
  assert.throws(() => reservation.commit(2001),
    { code: 'ERR_TELAR_INVALID_ARGUMENT', message: /from 0 to 2000, .*; received 2001/ })
  reservation.commit()
})

test('sendBytes() sends bytes as they are, to be read in place or copied', async () => {
  const channel = new Channel()
  const shared = new Uint8Array(new SharedArrayBuffer(300), 3, 200).fill(5)
  for (const bytes of [
    new Uint8Array(0),
    new Uint8Array([1, 2, 3]),
    Buffer.from('some text'),
    new Uint8Array(100_000).fill(9),
    shared
  ]) {
    await channel.sendBytes(bytes)
    assert.equal(channel.trySendBytes(bytes), true)
    channel.sendBytesSync(bytes)
    for (let i = 0; i < 2; i++) {
      const claim = await channel.receiveBytes()
      assert.equal(claim.bytes.byteOffset % 8, 0)
      assert.equal(Buffer.compare(claim.bytes, bytes), 0)
      claim.release()
    }
    assert.deepEqual((await channel.receive()).value, new Uint8Array(bytes))
  }
})

test('bytes wait for room behind earlier calls', async () => {
  const channel = new Channel({ capacity: 4096 })
  const bytes = (n) => new Uint8Array(1500).fill(n)
  channel.trySendBytes(bytes(1))
  channel.trySendBytes(bytes(2))
  const waiting = [
    channel.send('value'.repeat(200)),
    channel.sendBytes(bytes(3)),
    channel.sendBytes(bytes(4), { signal: AbortSignal.timeout(5) })
  ]
  assert.equal(channel.trySendBytes(bytes(5)), false)
  assert.throws(() => channel.sendBytesSync(bytes(6), { timeout: 5 }),
    { code: 'ERR_TELAR_TIMEOUT' })
  await assert.rejects(waiting.pop(), { code: 'ERR_TELAR_ABORTED' })
  const arrived = []
  for (let i = 0; i < 4; i++) arrived.push((await channel.receive()).value.at(0))
  assert.deepEqual(arrived, [1, 2, 'v', 3])
  await Promise.all(waiting)
  await channel.close()
  await assert.rejects(channel.sendBytes(bytes(7)), { code: 'ERR_TELAR_CHANNEL_CLOSED' })
  assert.throws(() => channel.trySendBytes(bytes(7)), { code: 'ERR_TELAR_CHANNEL_CLOSED' })
})

test('sendBytes() rejects when its bytes are transferred while they wait', async () => {
  const channel = new Channel({ capacity: 4096 })
  while (channel.trySend('filled')) continue
  const bytes = new Uint8Array(1000)
  const sent = assert.rejects(channel.sendBytes(bytes),
    { code: 'ERR_TELAR_INVALID_ARGUMENT', message: /from 1000 to 0/ })
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  while (channel.tryReceive() !== undefined) continue
  await sent
  assert.equal(channel.size, 0)
})

test('sendBytes() refuses other values and too many bytes', async () => {
  const channel = new Channel({ capacity: 4096 })
  for (const value of ['text', [1, 2], new Uint16Array(2), new ArrayBuffer(2), undefined]) {
    await assert.rejects(channel.sendBytes(value),
      { code: 'ERR_TELAR_INVALID_ARGUMENT', message: /bytes must be a Uint8Array; received/ })
    assert.throws(() => channel.trySendBytes(value), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
    assert.throws(() => channel.sendBytesSync(value), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
  }
  const most = channel.maxRecord - 8
  await channel.sendBytes(new Uint8Array(most))
  const tooLarge = { code: 'ERR_TELAR_RECORD_TOO_LARGE', message: /2049.*2048/ }
  await assert.rejects(channel.sendBytes(new Uint8Array(most + 1)), tooLarge)
  assert.throws(() => channel.trySendBytes(new Uint8Array(most + 1)), tooLarge)
  assert.throws(() => channel.sendBytesSync(new Uint8Array(most + 1)), tooLarge)
})

test('a discarded reservation leaves no record', async () => {
  const channel = new Channel()
  const first = channel.tryReserve(100)
  await channel.send('behind')
  assert.equal(channel.tryReceive(), undefined)
  first[Symbol.dispose]()
  assert.deepEqual(channel.tryReceive(), { value: 'behind', done: false })
})

test('receive() copies bytes, and receiveBytes() leaves a value to receive()', async () => {
  const channel = new Channel()
  for (const length of [5, 20_000]) {
    const reservation = channel.tryReserve(length)
    reservation.bytes.fill(3)
    reservation.commit()
    assert.deepEqual((await channel.receive()).value, new Uint8Array(length).fill(3))
    channel.tryReserve(length).commit()
    assert.equal((await channel.receiveMany(1))[0].length, length)
  }
  channel.trySendMany(['value', 2])
  await assert.rejects(channel.receiveBytes(), { code: 'ERR_TELAR_NOT_BYTES' })
  assert.throws(() => channel.tryReceiveBytes(), { code: 'ERR_TELAR_NOT_BYTES' })
  assert.deepEqual(await channel.receive(), { value: 'value', done: false })
  assert.deepEqual(await channel.receiveMany(5), [2])
})

test('claims are released in any order, and their bytes stay taken until then', async () => {
  const channel = new Channel({ capacity: 4096 })
  for (let i = 0; i < 4; i++) channel.tryReserve(900).commit()
  const claims = Array.from({ length: 4 }, () => channel.tryReceiveBytes())
  assert.equal(channel.trySend(new Uint8Array(900)), false)
  const sent = channel.send(new Uint8Array(900))
  claims[2].release()
  claims[0].release()
  claims[1].release()
  await sent
  claims[3].release()
  assert.equal((await channel.receive()).value.length, 900)
})

test('a thread holds at most sixteen reservations and sixteen claims', async () => {
  const channel = new Channel()
  const open = Array.from({ length: 16 }, () => channel.tryReserve(8))
  assert.throws(() => channel.tryReserve(8), { code: 'ERR_TELAR_CHANNEL_ENDS', message: /16/ })
  await assert.rejects(channel.reserve(8), { code: 'ERR_TELAR_CHANNEL_ENDS' })
  for (const reservation of open) reservation.commit()
  const claims = open.map(() => channel.tryReceiveBytes())
  channel.tryReserve(8).commit()
  assert.throws(() => channel.tryReceiveBytes(), { code: 'ERR_TELAR_CHANNEL_ENDS' })
  claims[5].release()
  channel.tryReceiveBytes().release()
})

test('detach() releases open reservations and claims', () => {
  const channel = new Channel()
  channel.tryReserve(8).commit()
  const claim = channel.tryReceiveBytes()
  const reservation = channel.tryReserve(8)
  channel.detach()
  assert.throws(() => reservation.commit(), { code: 'ERR_TELAR_DISPOSED' })
  claim.release()
  assert.equal(channel.size, 0)
  channel.trySend('works')
  assert.deepEqual(channel.tryReceive(), { value: 'works', done: false })
})

test('a thread that ends releases its open reservations and claims', async () => {
  const channel = new Channel({ capacity: 4096 })
  const { once } = require('node:events')
  channel.trySend('before')
  const worker = start({ channel }, ['reserve', 'channel', 500], ['say', 'reserved'], ['stay'])
  await once(worker, 'message')
  channel.trySend('behind')
  assert.deepEqual(channel.tryReceive(), { value: 'before', done: false })
  assert.equal(channel.tryReceive(), undefined)
  const received = channel.receive()
  await worker.terminate()
  assert.deepEqual(await received, { value: 'behind', done: false })

  let count = 0
  for (let place; (place = channel.tryReserve(900)) !== null; count++) place.commit()
  const steps = [['claim', 'channel'], ['claim', 'channel'], ['say', 'claimed'], ['stay']]
  const taker = start({ channel }, ...steps)
  await once(taker, 'message')
  const sent = channel.send(new Uint8Array(900))
  await taker.terminate()
  await sent
  assert.equal(channel.size, count - 1)
})
