'use strict'

// When the other side is gone: a thread that ends while it uses a channel leaves no thread waiting
// forever.

const assert = require('node:assert/strict')
const { once } = require('node:events')
const path = require('node:path')
const { test } = require('node:test')
const { setImmediate: nextTurn } = require('node:timers/promises')
const { Channel, Pool } = require('telar')
const { openEnd } = require('../../lib/channel/end')
const { start } = require('../fixtures/channel/actor')

const tasks = path.join(__dirname, '..', 'fixtures', 'channel', 'tasks.js')
const kNoSender = { code: 'ERR_TELAR_CHANNEL_NO_SENDER' }
const kNoReceiver = { code: 'ERR_TELAR_CHANNEL_NO_RECEIVER' }

for (const how of ['exit', 'terminate', 'end']) {
  // Starts a worker that takes the steps and then ends in this way.
  const run = async (channels, ...steps) => {
    const worker = start(channels, ...steps, ['say', 'there'],
      ...{ exit: [['exit']], terminate: [['stay']], end: [] }[how])
    const ended = once(worker, 'exit')
    await Promise.race([once(worker, 'message'), ended])
    if (how === 'terminate') await worker.terminate()
    await ended
  }

  test(`${how}: receivers get what the last sender left, then an error`, async () => {
    const channel = new Channel()
    const waiting = channel.receive()
    await run({ channel }, ['count', 'channel', 0, 3])
    assert.deepEqual(await waiting, { value: 0, done: false })
    assert.deepEqual(await channel.receive(), { value: 1, done: false })
    assert.deepEqual(channel.receiveSync(), { value: 2, done: false })
    await assert.rejects(channel.receive(), kNoSender)
    await assert.rejects(channel.receiveMany(3), kNoSender)
    await assert.rejects(channel.receiveBytes(), kNoSender)
    assert.throws(() => channel.receiveSync(), kNoSender)
    assert.equal(channel.tryReceive(), undefined)
    // Until another sender comes.
    await run({ channel }, ['send', 'channel', 'another'])
    assert.deepEqual(await channel.receive(), { value: 'another', done: false })
  })

  test(`${how}: a waiting receiver learns that the last sender is gone`, async () => {
    const channel = new Channel()
    const channels = { channel, results: new Channel() }
    const waiting = assert.rejects(channel.receive().then(() => channel.receive()), kNoSender)
    await run(channels, ['send', 'channel', 1])
    await waiting
  })

  test(`${how}: senders learn that the last receiver is gone, and a new one helps`, async () => {
    const channel = new Channel({ capacity: 4096 })
    channel.trySend('first')
    await run({ channel }, ['take', 'channel'])
    let sent = 0
    while (channel.trySend(sent)) sent++
    await assert.rejects(channel.send('no'), kNoReceiver)
    assert.throws(() => channel.sendSync('no'), kNoReceiver)
    await assert.rejects(channel.reserve(100), kNoReceiver)
    assert.equal(channel.trySend('no'), false)
    await run({ channel }, ['take', 'channel'])
    await channel.send('yes')
  })

  test(`${how}: the other threads of a channel go on`, async () => {
    const jobs = new Channel({ capacity: 4096 })
    const results = new Channel()
    const consumer = start({ jobs, results }, ['echo', 'jobs', 'results'], ['close', 'results'])
    const ended = once(consumer, 'exit')
    // This thread sends too, so the sender that ends is not the last one.
    await jobs.send(100)
    await run({ jobs }, ['count', 'jobs', 0, 100])
    await jobs.send(101)
    await jobs.close()
    const values = []
    for await (const value of results) values.push(value)
    assert.equal(values.length, 102)
    await ended
  })
}

test('a sender that is terminated while it waits leaves no half-written record', async () => {
  for (const verb of ['count', 'countSync', 'countMany']) {
    const channel = new Channel({ capacity: 4096 })
    channel.trySend(-1)
    channel.tryReceive()
    const worker = start({ channel }, [verb, 'channel', 0, 1e9, 100])
    while (channel.size < 300) await new Promise(setImmediate)
    await worker.terminate()
    const { value: first } = channel.tryReceive()
    let next = first + 1
    for (let result; (result = channel.tryReceive()) !== undefined;) {
      assert.equal(result.value, next++)
    }
    assert.equal(channel.size, 0)
    await channel.send('works')
    assert.deepEqual(channel.tryReceive(), { value: 'works', done: false })
  }
})

test('a receiver that is terminated while it waits skips no record', async () => {
  for (const verb of ['echo', 'echoSync']) {
    const channel = new Channel({ capacity: 4096 })
    const results = new Channel()
    const waiting = [0, 1, 2].map(() => start({ channel, results }, [verb, 'channel', 'results']))
    // This thread sends too, since the remaining worker may still be starting.
    await results.send('here')
    assert.deepEqual(await results.receive(), { value: 'here', done: false })
    await channel.send('a')
    assert.deepEqual(await results.receive(), { value: 'a', done: false })
    await Promise.all(waiting.slice(1).map((worker) => worker.terminate()))
    // A terminated worker may take one record just before it ends, but not several.
    await channel.sendMany(Array.from({ length: 50 }, (_, i) => i))
    const values = []
    while (values.length < 50) values.push(...await results.receiveMany(50))
    assert.deepEqual(values.sort((a, b) => a - b), Array.from({ length: 50 }, (_, i) => i))
    await waiting[0].terminate()
  }
})

test('others wait for a thread that has a channel and has not used it yet', async () => {
  const channel = new Channel({ capacity: 4096 })
  const go = new Channel()
  // Listens for the exit from the start, since it may come before this thread receives the record.
  const idle = async (...steps) => {
    const worker = start({ channel, go }, ['say', 'there'], ['take', 'go'], ...steps)
    const ended = once(worker, 'exit')
    await once(worker, 'message')
    return { ended }
  }

  const sender = await idle(['send', 'channel', 'late'])
  await once(start({ channel }, ['send', 'channel', 'early']), 'exit')
  assert.deepEqual(await channel.receive(), { value: 'early', done: false })
  const received = channel.receive()
  await nextTurn()
  go.trySend('go')
  assert.deepEqual(await received, { value: 'late', done: false })
  await sender.ended
  await assert.rejects(channel.receive(), kNoSender)

  while (channel.trySend('filled')) continue
  channel.detach() // this thread has received, so it would count as a receiver
  const receiver = await idle(['take', 'channel'])
  await once(start({ channel }, ['take', 'channel']), 'exit')
  while (channel.trySend('filled')) continue
  const sent = channel.send('filled')
  await nextTurn()
  go.trySend('go')
  await sent
  await receiver.ended
  while (channel.trySend('filled')) continue
  await assert.rejects(channel.send('filled'), kNoReceiver)
})

test('what the last sender or receiver does just before it ends counts', async () => {
  const channel = new Channel({ capacity: 4096 })
  channel.tryReceive()
  const { id, memory } = channel['telar:shared']
  const { ring } = openEnd(id, memory)
  const { isDeserted } = ring
  // As if another thread acted and ended at that moment.
  const lastMoment = (act) => {
    ring.isDeserted = () => {
      ring.isDeserted = isDeserted
      act()
      return true
    }
  }
  lastMoment(() => channel.trySend(1))
  assert.deepEqual(await channel.receive(), { value: 1, done: false })
  lastMoment(() => channel.trySend(2))
  assert.deepEqual(channel.receiveSync(), { value: 2, done: false })
  while (channel.trySend('x'));
  lastMoment(() => channel.tryReceive())
  await channel.send('x')
  lastMoment(() => channel.tryReceive())
  channel.sendSync('x')
})

for (const [how, leave, fails] of [
  ['ends', (worker) => worker.terminate()],
  ['detaches', (worker, go) => go.trySend(['detach', 'channel'])],
  // Then no thread is left that could send to that one.
  ['receives itself', (worker, go) => go.trySend(['echo', 'channel', 'elsewhere']), true]
]) {
  test(`nobody waits for a thread that ${how} before it has sent`, async () => {
    const channels = { channel: new Channel(), go: new Channel(), elsewhere: new Channel() }
    const { channel, go } = channels
    const worker = start(channels, ['say', 'there'], ['obey', 'go'])
    await once(worker, 'message')
    const ended = once(worker, 'exit')
    const failing = fails ? assert.rejects(ended, kNoSender) : null
    await once(start({ channel }, ['send', 'channel', 'early']), 'exit')
    assert.deepEqual(await channel.receive(), { value: 'early', done: false })
    const waiting = assert.rejects(channel.receive(), kNoSender)
    await nextTurn()
    leave(worker, go)
    await waiting
    await failing
    await worker.terminate()
  })
}

test('nobody waits for a thread that no longer references the channel', async () => {
  const pool = new Pool({ filename: tasks, minThreads: 1, maxThreads: 1 })
  const channel = new Channel()
  await pool.run(channel, { name: 'giveBack' })
  await once(start({ channel }, ['send', 'channel', 'early']), 'exit')
  assert.deepEqual(await channel.receive(), { value: 'early', done: false })
  const waiting = assert.rejects(channel.receive(), kNoSender)
  await pool.run(undefined, { name: 'collect' })
  await waiting
  await pool.close()
})

// In this file, since its thread has not yet received shared memory through a channel.
test('a thread that has used the channel keeps the memory of an ended sender', async () => {
  const channel = new Channel()
  channel.tryReceive()
  await once(start({ channel }, ['sendMemory', 'channel', 64]), 'exit')
  assert.equal((await channel.receive()).value.byteLength, 64)
})

// ---- A parent that closes when its workers have ended ----

for (const [what, prepare, expected] of [
  ['that has only received closes too late', () => {}, kNoSender],
  ['that has sent a value of its own is in time', (channel) => channel.send(0), null]
]) {
  test(`a parent ${what} when all its workers have exited`, async () => {
    const channel = new Channel()
    await prepare(channel)
    const workers = [1, 2, 3].map((n) => start({ channel }, ['send', 'channel', n]))
    const received = (async () => {
      const values = []
      for await (const value of channel) values.push(value)
      return values.sort()
    })()
    const ended = Promise.all(workers.map((worker) => once(worker, 'exit')))
      .then(() => channel.close())
    if (expected === null) assert.deepEqual(await received, [0, 1, 2, 3])
    else await assert.rejects(received, expected)
    await ended
  })
}
