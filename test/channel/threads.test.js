'use strict'

// Channels between threads: how they get there, and who sends to whom.

const assert = require('node:assert/strict')
const { once } = require('node:events')
const path = require('node:path')
const { test } = require('node:test')
const { Worker, setEnvironmentData } = require('node:worker_threads')
const { Channel, Pool } = require('telar')
const { start } = require('../fixtures/channel/actor')

const tasks = path.join(__dirname, '..', 'fixtures', 'channel', 'tasks.js')
const range = (from, until) => Array.from({ length: until - from }, (_, i) => from + i)

async function collect (channel) {
  const values = []
  for await (const value of channel) values.push(value)
  return values
}

// Asserts that all values of several producers have arrived, and those of each one in order. Each
// producer has sent `each` integers in a row.
function assertInterleaved (values, producers, each) {
  const next = new Map()
  for (const value of values) {
    const producer = Math.floor(value / each)
    assert.equal(value % each, next.get(producer) ?? 0, `value ${value} of producer ${producer}`)
    next.set(producer, value % each + 1)
  }
  assert.equal(values.length, producers * each)
}

test('values travel to a worker and back by channels from workerData', async () => {
  const to = new Channel()
  const from = new Channel()
  const worker = start({ to, from }, ['echo', 'to', 'from'], ['close', 'from'])
  const ended = once(worker, 'exit')
  to.sendMany(range(0, 5000)).then(() => to.close())
  assert.deepEqual(await collect(from), range(0, 5000))
  assert.deepEqual(await ended, [0])
})

test('a worker may block while it sends and receives', async () => {
  const to = new Channel({ capacity: 4096 })
  const from = new Channel({ capacity: 4096 })
  start({ to, from }, ['echoSync', 'to', 'from'], ['close', 'from'])
  to.sendMany(range(0, 3000)).then(() => to.close())
  assert.deepEqual(await collect(from), range(0, 3000))
})

test('the main thread may block while it sends and receives', async () => {
  const to = new Channel({ capacity: 4096 })
  const from = new Channel({ capacity: 4096 })
  const worker = start({ to, from }, ['echo', 'to', 'from'], ['close', 'from'], ['say', 'ended'])
  for (let i = 0; i < 300; i++) {
    to.sendSync({ i })
    assert.deepEqual(from.receiveSync(), { value: { i }, done: false })
  }
  to.close()
  assert.deepEqual(from.receiveSync(), { value: undefined, done: true })
  await once(worker, 'exit')
})

test('two workers share a channel without their parent', async () => {
  const a = new Channel({ capacity: 8192 })
  const b = new Channel({ capacity: 8192 })
  start({ a }, ['countMany', 'a', 0, 20_000, 300], ['close', 'a'])
  start({ a, b }, ['echo', 'a', 'b'], ['close', 'b'])
  assert.deepEqual(await collect(b), range(0, 20_000))
})

test('many producers, some of which block, feed one consumer', async () => {
  const channel = new Channel({ capacity: 4096 })
  const each = 2000
  const verbs = ['count', 'countSync', 'countMany', 'countSync']
  const workers = verbs.map((verb, i) =>
    start({ channel }, [verb, 'channel', i * each, (i + 1) * each, 50], ['stay']))
  const values = []
  while (values.length < verbs.length * each) values.push(...await channel.receiveMany(100))
  assertInterleaved(values, verbs.length, each)
  await Promise.all(workers.map((worker) => worker.terminate()))
})

test('one producer feeds many consumers', async () => {
  const jobs = new Channel({ capacity: 4096 })
  const results = new Channel({ capacity: 4096 })
  // The workers stay. Otherwise the only one that has sent so far could end before another one
  // sends.
  const workers = ['echo', 'echoSync', 'echo'].map((verb) =>
    start({ jobs, results }, [verb, 'jobs', 'results'], ['stay']))
  jobs.sendMany(range(0, 6000)).then(() => jobs.close())
  const values = []
  while (values.length < 6000) values.push(...await results.receiveMany(100))
  assert.deepEqual(values.sort((a, b) => a - b), range(0, 6000))
  await Promise.all(workers.map((worker) => worker.terminate()))
})

test('a second producer or consumer is refused until the first one is gone', async () => {
  const channel = new Channel({ producers: 'one', consumers: 'one' })
  const producer = start({ channel }, ['countSync', 'channel', 0, 10], ['say', 'done'], ['stay'])
  await once(producer, 'message')
  assert.throws(() => channel.trySend(1),
    { code: 'ERR_TELAR_CHANNEL_ENDS', message: /producers: 'one'/ })
  await assert.rejects(channel.send(1), { code: 'ERR_TELAR_CHANNEL_ENDS' })
  await producer.terminate()
  assert.equal(channel.trySend(10), true)
  const consumer = start({ channel }, ['take', 'channel'], ['say', 'done'], ['stay'])
  await once(consumer, 'message')
  assert.throws(() => channel.tryReceive(),
    { code: 'ERR_TELAR_CHANNEL_ENDS', message: /consumers: 'one'/ })
  await assert.rejects(channel.receiveMany(2), { code: 'ERR_TELAR_CHANNEL_ENDS' })
  await consumer.terminate()
  await channel.close()
  assert.deepEqual(await collect(channel), range(1, 11))
})

test('detach() gives up the end of a channel and ends waiting calls', async () => {
  const channel = new Channel({ producers: 'one', consumers: 'one' })
  channel.trySend('mine')
  channel.detach()
  await once(start({ channel }, ['count', 'channel', 0, 5], ['close', 'channel']), 'exit')
  assert.deepEqual(await collect(channel), ['mine', 0, 1, 2, 3, 4])
  const other = new Channel()
  const receiving = other.receive()
  other.detach()
  await assert.rejects(receiving, { code: 'ERR_TELAR_ABORTED' })
  other.trySend(1)
  assert.equal(other.size, 1)
})

test('from() revives a channel from postMessage() and setEnvironmentData()', async () => {
  const channel = new Channel()
  setEnvironmentData('telar test channel', channel)
  const worker = new Worker(`
    const { getEnvironmentData, parentPort } = require('node:worker_threads')
    const { Channel } = require(${JSON.stringify(path.join(__dirname, '..', '..'))})
    const channel = Channel.from(getEnvironmentData('telar test channel'))
    parentPort.once('message', ({ received }) => {
      channel.trySend(Channel.from(received) === channel)
      channel.trySend(channel instanceof Channel)
      parentPort.postMessage(channel)
    })
  `, { eval: true })
  worker.postMessage({ received: channel })
  const [back] = await once(worker, 'message')
  assert.equal(Channel.from(back), channel)
  assert.deepEqual(channel.tryReceiveMany(2), [true, true])
  setEnvironmentData('telar test channel', undefined)
})

test('a channel travels as a task, as a result, and deep inside of both', async () => {
  const pool = new Pool({ filename: tasks, maxThreads: 2 })
  const channel = new Channel()
  await pool.run(channel, { name: 'sendToIt' })
  assert.deepEqual(await channel.receive(), { value: 'sent', done: false })
  await pool.run({ list: [{ channel }], count: 3 }, { name: 'sendDeep' })
  assert.deepEqual(channel.tryReceiveMany(5), [0, 1, 2])
  const made = await pool.run(undefined, { name: 'make' })
  assert.ok(made instanceof Channel)
  assert.deepEqual(made.tryReceive(), { value: 'from the maker', done: false })
  const { map } = await pool.run(channel, { name: 'giveBack' })
  assert.equal(map.get('it'), channel)
  await pool.close()
})

test('the workers of a pool take jobs from one producer and feed one consumer', async () => {
  const pool = new Pool({ filename: tasks, minThreads: 3, maxThreads: 3 })
  const jobs = new Channel({ capacity: 4096 })
  const results = new Channel({ capacity: 4096 })
  const workers = Promise.all(range(0, 3).map(() => pool.run({ jobs, results }, { name: 'work' })))
    .then(() => results.close())
  jobs.sendMany(range(0, 3000)).then(() => jobs.close())
  const values = await collect(results)
  assert.deepEqual(values.sort((a, b) => a - b), range(0, 3000).map((i) => i * 2))
  await workers
  await pool.close()
})

test('a worker whose task has ended still counts as a sender, collected or not', async () => {
  const pool = new Pool({ filename: tasks, minThreads: 1, maxThreads: 1 })
  const channel = new Channel()
  for (let i = 0; i < 5; i++) {
    const received = channel.receiveMany(2)
    await pool.run({ list: [{ channel }], count: 1 }, { name: 'sendDeep' })
    assert.deepEqual(await received, [0])
    await pool.run(undefined, { name: 'collect' })
  }
  const received = channel.receive()
  await pool.run({ list: [{ channel }], count: 1 }, { name: 'sendDeep' })
  assert.deepEqual(await received, { value: 0, done: false })
  await pool.close()
})
