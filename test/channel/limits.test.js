'use strict'

// How long calls of a channel wait: { timeout, signal }, for those that return a promise and for
// those that block the thread.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { Channel } = require('telar')
const { startThread } = require('../fixtures/sync/threads')

const item = (value) => ({ value, done: false })
const bytes = new Uint8Array(100)

function fill (channel) {
  let sent = 0
  while (channel.trySend(sent)) sent++
  return sent
}

const receiving = {
  receive: (channel, limits) => channel.receive(limits),
  receiveMany: (channel, limits) => channel.receiveMany(5, limits),
  receiveBytes: (channel, limits) => channel.receiveBytes(limits),
  receiveSync: (channel, limits) => channel.receiveSync(limits),
  receiveManySync: (channel, limits) => channel.receiveManySync(5, limits),
  receiveBytesSync: (channel, limits) => channel.receiveBytesSync(limits)
}

const sending = {
  send: (channel, limits) => channel.send('x', limits),
  sendMany: (channel, limits) => channel.sendMany(['x'], limits),
  sendBytes: (channel, limits) => channel.sendBytes(bytes, limits),
  reserve: (channel, limits) => channel.reserve(100, limits),
  sendSync: (channel, limits) => channel.sendSync('x', limits),
  sendManySync: (channel, limits) => channel.sendManySync(['x'], limits),
  sendBytesSync: (channel, limits) => channel.sendBytesSync(bytes, limits),
  reserveSync: (channel, limits) => channel.reserveSync(100, limits)
}

// A channel in which the call `name` has to wait.
function waiting (name) {
  const channel = new Channel({ capacity: 4096 })
  const sent = name in sending ? fill(channel) : 0
  const call = async (limits) => ({ ...sending, ...receiving })[name](channel, limits)
  return { channel, sent, call }
}

for (const name of [...Object.keys(receiving), ...Object.keys(sending)]) {
  for (const timeout of [0, 0.5, 5]) {
    test(`${name}() fails after a timeout of ${timeout} ms and has no effect`, async () => {
      const { channel, sent, call } = waiting(name)
      const start = performance.now()
      await assert.rejects(call({ timeout }), {
        name: 'TelarError',
        code: 'ERR_TELAR_TIMEOUT',
        message: `Channel.${name}() timed out after ${timeout} ms`
      })
      assert.ok(performance.now() - start >= timeout)
      assert.equal(channel.size, sent)
    })
  }

  test(`${name}() refuses invalid timeouts, invalid signals and unknown options`, async () => {
    const { channel, sent, call } = waiting(name)
    for (const timeout of [-1, NaN, '5', 5n, {}]) {
      await assert.rejects(call({ timeout }), {
        code: 'ERR_TELAR_INVALID_ARGUMENT',
        message: /^options\.timeout must be a number of milliseconds from 0, or Infinity; received/
      })
    }
    await assert.rejects(call({ signal: 'now' }), {
      code: 'ERR_TELAR_INVALID_ARGUMENT',
      message: /^options\.signal must be an object with addEventListener\(\) or once\(\); received/
    })
    await assert.rejects(call({ timeuot: 5 }), {
      code: 'ERR_TELAR_UNKNOWN_OPTION',
      message: /did you mean options\.timeout/
    })
    for (const options of [5, 'soon', null, [5]]) {
      await assert.rejects(call(options), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
    }
    assert.equal(channel.size, sent)
  })

  test(`${name}() fails at once when its signal is already aborted`, async () => {
    const { channel, sent, call } = waiting(name)
    await assert.rejects(call({ signal: AbortSignal.abort('why') }), {
      code: 'ERR_TELAR_ABORTED',
      message: 'The call has been aborted',
      cause: 'why'
    })
    assert.equal(channel.size, sent)
  })

  test(`${name}() ignores its timeout and its signal when it need not wait`, async () => {
    const channel = new Channel({ capacity: 4096 })
    const { signal } = new AbortController()
    if (name in receiving) channel.trySendBytes(bytes)
    const result = await { ...sending, ...receiving }[name](channel, { timeout: 0, signal })
    result?.discard?.()
    result?.release?.()
  })
}

test('null stands for no timeout and no signal', async () => {
  const channel = new Channel()
  await channel.send(1, { timeout: undefined, signal: null })
  assert.deepEqual(await channel.receive({ timeout: null, signal: undefined }), item(1))
})

test('a value that comes in time is received, and the timeout then has no effect', async () => {
  const channel = new Channel()
  const received = channel.receive({ timeout: 20 })
  await channel.send(1)
  assert.deepEqual(await received, item(1))
  const next = channel.receive()
  await new Promise((resolve) => setTimeout(resolve, 40))
  await channel.send(2)
  assert.deepEqual(await next, item(2))
})

test('waiting calls keep their order when calls between them time out', async () => {
  const channel = new Channel()
  const calls = [5, undefined, 1, 60_000, 3].map((timeout) => channel.receive({ timeout }))
  const outcomes = Promise.allSettled(calls)
  await Promise.allSettled([calls[0], calls[2], calls[4]])
  await channel.sendMany(['first', 'second'])
  assert.deepEqual((await outcomes).map(({ value, reason }) => value?.value ?? reason.code), [
    'ERR_TELAR_TIMEOUT', 'first', 'ERR_TELAR_TIMEOUT', 'second', 'ERR_TELAR_TIMEOUT'
  ])
})

test('a small record is sent once the large record ahead of it in the line times out', async () => {
  const channel = new Channel({ capacity: 4096 })
  channel.sendSync('x'.repeat(1900))
  channel.sendSync('y'.repeat(1500))
  const large = channel.send('z'.repeat(1900), { timeout: 5 })
  const small = channel.send('small')
  await assert.rejects(large, { code: 'ERR_TELAR_TIMEOUT' })
  await small
  assert.equal(channel.size, 3)
})

test('a record sent in time is received even if the event loop missed the timeout', async (t) => {
  const channel = new Channel()
  const words = new Int32Array(new SharedArrayBuffer(4))
  const thread = startThread(t, ({ channel, words }, { Channel }) => {
    Atomics.wait(words, 0, 0)
    Channel.from(channel).sendSync('in time')
    Atomics.store(words, 0, 2)
    Atomics.notify(words, 0)
  }, { channel, words })
  const received = channel.receive({ timeout: 1 })
  Atomics.store(words, 0, 1)
  Atomics.notify(words, 0)
  Atomics.wait(words, 0, 1)
  const end = performance.now() + 5
  while (performance.now() < end);
  assert.deepEqual(await received, item('in time'))
  await thread.done
})

test('sendMany() says how many went in before its timeout', async () => {
  const channel = new Channel({ capacity: 4096 })
  const values = Array.from({ length: 5000 }, (_, i) => i)
  const error = await channel.sendMany(values, { timeout: 5 }).catch((error) => error)
  assert.equal(error.code, 'ERR_TELAR_TIMEOUT')
  assert.ok(error.sent > 0 && error.sent < values.length)
  assert.equal(channel.size, error.sent)
})

test('a close() that times out goes on closing, and a pending send() completes', async () => {
  const channel = new Channel({ capacity: 4096 })
  const sent = fill(channel)
  const last = channel.send('last')
  await assert.rejects(channel.close({ timeout: 1 }), {
    code: 'ERR_TELAR_TIMEOUT', message: 'Channel.close() timed out after 1 ms'
  })
  const controller = new AbortController()
  const aborted = channel.close({ signal: controller.signal })
  controller.abort('enough')
  await assert.rejects(aborted, { code: 'ERR_TELAR_ABORTED', cause: 'enough' })
  await assert.rejects(channel.close({ timeout: -1 }), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
  await assert.rejects(channel.send('more'), { code: 'ERR_TELAR_CHANNEL_CLOSED' })
  const values = []
  for await (const value of channel) values.push(value)
  assert.deepEqual(values, [...Array.from({ length: sent }, (_, i) => i), 'last'])
  await last
  await channel.close({ timeout: 0 })
})

test('a call with a timeout does not keep a process alive once the call has ended', async (t) => {
  const thread = startThread(t, async (_, { Channel }) => {
    const channel = new Channel()
    const received = channel.receive({ timeout: 3_600_000 })
    await channel.send(1)
    await received
  })
  assert.equal(await thread.done, 0)
})
