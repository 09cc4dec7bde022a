'use strict'

// Channels between threads: how they get there, who talks to whom.

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

// Values of several producers, each counting from 0 in steps of `producers`: all there, each in order.
function assertInterleaved (values, producers, each) {
  const next = new Map()
  for (const value of values) {
    const producer = Math.floor(value / each)
    assert.equal(value % each, next.get(producer) ?? 0, `value ${value} of producer ${producer}`)
    next.set(producer, value % each + 1)
  }
  assert.equal(values.length, producers * each)
}

test('main thread to worker and back, by workerData', async () => {
  const to = new Channel()
  const from = new Channel()
  const worker = start({ to, from }, ['echo', 'to', 'from'], ['close', 'from'])
  const ended = once(worker, 'exit')
  to.sendMany(range(0, 5000)).then(() => to.close())
  assert.deepEqual(await collect(from), range(0, 5000))
  assert.deepEqual(await ended, [0])
})

test('a worker that blocks', async () => {
  const to = new Channel({ capacity: 4096 })
  const from = new Channel({ capacity: 4096 })
  start({ to, from }, ['echoSync', 'to', 'from'], ['close', 'from'])
  to.sendMany(range(0, 3000)).then(() => to.close())
  assert.deepEqual(await collect(from), range(0, 3000))
})

test('the main thread blocks', async () => {
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

test('two workers, without the parent', async () => {
  const a = new Channel({ capacity: 8192 })
  const b = new Channel({ capacity: 8192 })
  start({ a }, ['countMany', 'a', 0, 20_000, 300], ['close', 'a'])
  start({ a, b }, ['echo', 'a', 'b'], ['close', 'b'])
  assert.deepEqual(await collect(b), range(0, 20_000))
})

test('many producers, some of which block, and a consumer', async () => {
  const channel = new Channel({ capacity: 4096 })
  const each = 2000
  const verbs = ['count', 'countSync', 'countMany', 'countSync']
  const workers = verbs.map((verb, i) => start({ channel }, [verb, 'channel', i * each, (i + 1) * each, 50], ['stay']))
  const values = []
  while (values.length < verbs.length * each) values.push(...await channel.receiveMany(100))
  assertInterleaved(values, verbs.length, each)
  await Promise.all(workers.map((worker) => worker.terminate()))
})

test('a producer and many consumers', async () => {
  const jobs = new Channel({ capacity: 4096 })
  const results = new Channel({ capacity: 4096 })
  // They stay: else the one that has sent so far may end before another one sends for the first time.
  const workers = ['echo', 'echoSync', 'echo'].map((verb) => start({ jobs, results }, [verb, 'jobs', 'results'], ['stay']))
  jobs.sendMany(range(0, 6000)).then(() => jobs.close())
  const values = []
  while (values.length < 6000) values.push(...await results.receiveMany(100))
  assert.deepEqual(values.sort((a, b) => a - b), range(0, 6000))
  await Promise.all(workers.map((worker) => worker.terminate()))
})

test('with one producer and one consumer, a second thread is refused until the first is gone', async () => {
  const channel = new Channel({ producers: 'one', consumers: 'one' })
  const producer = start({ channel }, ['countSync', 'channel', 0, 10], ['say', 'done'], ['stay'])
  await once(producer, 'message')
  assert.throws(() => channel.trySend(1), { code: 'ERR_TELAR_CHANNEL_ENDS', message: /producers: 'one'/ })
  await assert.rejects(channel.send(1), { code: 'ERR_TELAR_CHANNEL_ENDS' })
  await producer.terminate()
  assert.equal(channel.trySend(10), true)
  const consumer = start({ channel }, ['take', 'channel'], ['say', 'done'], ['stay'])
  await once(consumer, 'message')
  assert.throws(() => channel.tryReceive(), { code: 'ERR_TELAR_CHANNEL_ENDS', message: /consumers: 'one'/ })
  await assert.rejects(channel.receiveMany(2), { code: 'ERR_TELAR_CHANNEL_ENDS' })
  await consumer.terminate()
  await channel.close()
  assert.deepEqual(await collect(channel), range(1, 11))
})

test('detach() gives the part up, and ends what waits', async () => {
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

test('by postMessage and setEnvironmentData, of which from() makes a channel again', async () => {
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

test('as the value and the result of a task, and deep inside of them', async () => {
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

test("a pool's workers feed one consumer, and one producer feeds them", async () => {
  const pool = new Pool({ filename: tasks, minThreads: 3, maxThreads: 3 })
  const jobs = new Channel({ capacity: 4096 })
  const results = new Channel({ capacity: 4096 })
  const workers = Promise.all(range(0, 3).map(() => pool.run({ jobs, results }, { name: 'work' }))).then(() => results.close())
  jobs.sendMany(range(0, 3000)).then(() => jobs.close())
  const values = await collect(results)
  assert.deepEqual(values.sort((a, b) => a - b), range(0, 3000).map((i) => i * 2))
  await workers
  await pool.close()
})

test('a worker whose task has ended is still a sender, collected or not', async () => {
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
