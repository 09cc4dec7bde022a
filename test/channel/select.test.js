'use strict'

// select() and selectSync(): the first of several channels that has something.

const assert = require('node:assert/strict')
const { EventEmitter, once } = require('node:events')
const { test } = require('node:test')
const { setImmediate: nextTurn } = require('node:timers/promises')
const { Channel, select, selectSync } = require('telar')
const { openEnd } = require('../../lib/channel/end')
const { start } = require('../fixtures/channel/actor')
const { collectGarbage } = require('../fixtures/collect-garbage')
const { until } = require('../fixtures/until')

const kNoSender = { code: 'ERR_TELAR_CHANNEL_NO_SENDER' }
const some = (count, options) => Array.from({ length: count }, () => new Channel(options))
const plain = ({ channel, value, done }, channels) => [channels.indexOf(channel), value, done]
const endOf = ({ 'telar:shared': { id, memory } }) => openEnd(id, memory)

const forms = {
  select,
  selectSync: async (channels, limits) => selectSync(channels, limits)
}

for (const [name, call] of Object.entries(forms)) {
  test(`${name}() receives from the channel that has something, and from no other`, async () => {
    const channels = some(3)
    channels[1].trySend({ b: 1 })
    const result = await call(channels)
    assert.deepEqual(result, { channel: channels[1], value: { b: 1 }, done: false })
    channels[2].trySend(undefined)
    channels[2].trySend(2)
    assert.deepEqual(plain(await call(channels), channels), [2, undefined, false])
    assert.deepEqual(channels.map(({ size }) => size), [0, 0, 1])
  })

  test(`${name}() works with a single channel, and with one that is listed twice`, async () => {
    const [channel] = some(1)
    for (const list of [[channel], [channel, channel]]) {
      channel.trySend(1)
      channel.trySend(2)
      assert.deepEqual(plain(await call(list), list), [0, 1, false])
      assert.equal(channel.size, 1)
      channel.tryReceive()
    }
  })

  test(`${name}() chooses the channel that was chosen least recently`, async () => {
    const channels = some(5)
    const counts = channels.map(() => 0)
    for (const channel of channels) for (let i = 0; i < 100; i++) channel.trySend(i)
    for (let i = 0; i < 250; i++) {
      const { channel, value } = await call(channels)
      const index = channels.indexOf(channel)
      assert.equal(value, counts[index]++) // in order within a channel
    }
    assert.deepEqual(counts, [50, 50, 50, 50, 50])
    // Whatever the order of the list.
    for (let i = 0; i < 250; i++) {
      const { channel } = await call(i % 2 === 0 ? channels.toReversed?.() ?? channels : channels)
      counts[channels.indexOf(channel)]++
    }
    assert.deepEqual(counts, [100, 100, 100, 100, 100])
  })

  test(`${name}() starves no channel by calls with other lists`, async () => {
    const [a, b, c, d] = some(4)
    for (const channel of [a, b, c, d]) for (let i = 0; i < 100; i++) channel.trySend(i)
    const counts = new Map([[a, 0], [b, 0], [c, 0], [d, 0]])
    const take = async (list) => {
      const { channel } = await call(list)
      counts.set(channel, counts.get(channel) + 1)
    }
    for (let i = 0; i < 50; i++) {
      await take([a, b, c])
      await take([a, d])
    }
    for (const count of counts.values()) assert.ok(count >= 15, [...counts.values()].join())
  })

  test(`${name}() chooses a channel that begins to have something soon`, async () => {
    const [busy, rare] = some(2)
    for (let i = 0; i < 60; i++) busy.trySend(i)
    for (let i = 0; i < 20; i++) {
      assert.equal((await call([busy, rare])).channel, busy)
      rare.trySend(i)
      // At most one more of the other.
      const next = [await call([busy, rare]), await call([busy, rare])]
      assert.ok(next.some(({ channel, value }) => channel === rare && value === i))
    }
  })

  test(`${name}() gives done for a closed channel, and the values of the others`, async () => {
    const channels = some(2)
    channels[0].trySend('last')
    channels[0].close()
    channels[1].trySend(1)
    channels[1].trySend(2)
    const results = []
    for (let i = 0; i < 4; i++) results.push(plain(await call(channels), channels))
    assert.deepEqual(results,
      [[0, 'last', false], [1, 1, false], [0, undefined, true], [1, 2, false]])
    assert.deepEqual(plain(await call(channels), channels), [0, undefined, true])
  })

  test(`${name}() fails for an aborted channel, says which, and goes on`, async () => {
    const channels = some(2)
    channels[0].abort('why')
    channels[1].trySend(1)
    let failed = 0
    let received = 0
    for (let i = 0; i < 2; i++) {
      await call(channels).then(() => received++, (error) => {
        assert.equal(error.code, 'ERR_TELAR_CHANNEL_ABORTED')
        assert.equal(error.cause, 'why')
        assert.equal(error.channel, channels[0])
        assert.ok(!Object.keys(error).includes('channel'))
        failed++
      })
    }
    assert.deepEqual([failed, received], [1, 1])
  })

  test(`${name}() reports a dead channel only when it would have to wait`, async () => {
    const channels = some(2)
    await once(start({ channel: channels[0] }, ['send', 'channel', 'last']), 'exit')
    channels[1].trySend(1)
    const values = [(await call(channels)).value, (await call(channels)).value]
    assert.deepEqual(values.sort(), [1, 'last'])
    await assert.rejects(call(channels), (error) => {
      assert.equal(error.code, kNoSender.code)
      return error.channel === channels[0]
    })
    channels[1].trySend(2)
    assert.equal((await call(channels)).value, 2)
  })

  test(`${name}() waits for a value of a thread`, async () => {
    const channels = some(3)
    start({ channel: channels[2] }, ['send', 'channel', 'late'], ['stay']).unref()
    assert.deepEqual(plain(await call(channels), channels), [2, 'late', false])
  })

  test(`${name}() learns that the last sender is gone, and that a channel is closed`, async () => {
    const [a, b] = some(2)
    start({ b }, ['close', 'b'])
    assert.deepEqual(await call([a, b]), { channel: b, value: undefined, done: true })
    start({ a }, ['send', 'a', 1])
    assert.equal((await call([a])).value, 1)
    await assert.rejects(call([a]), kNoSender)
  })

  test(`${name}() receives shared memory, whose record may come before the memory`, async () => {
    const [a, b] = some(2)
    const worker = start({ a }, ['sendMemory', 'a', 64], ['stay'])
    const { value } = await call([a, b])
    assert.deepEqual([...new Uint8Array(value)], Array(64).fill(7))
    await worker.terminate()
  })

  test(`${name}() fails after its timeout and has received nothing`, async () => {
    const channels = some(3)
    for (const timeout of [0, 0.5, 5]) {
      await assert.rejects(call(channels, { timeout }), {
        name: 'TelarError',
        code: 'ERR_TELAR_TIMEOUT',
        message: `${name}() timed out after ${timeout} ms`
      })
    }
    for (const channel of channels) {
      channel.trySend(1)
      assert.equal(channel.size, 1)
    }
  })

  test(`${name}() refuses what is not a list of channels, and unknown options`, async () => {
    const [channel] = some(1)
    channel.trySend(1)
    for (const bad of [undefined, null, [], channel, new Set([channel]), 'channel']) {
      await assert.rejects(call(bad), {
        code: 'ERR_TELAR_INVALID_ARGUMENT',
        message: /^channels must be an array of at least one Channel; received/
      })
    }
    for (const bad of [[{}], [channel, null], new Array(1)]) {
      await assert.rejects(call(bad), { code: 'ERR_TELAR_NOT_SHARED' })
    }
    await assert.rejects(call([channel], { timuot: 1 }), { code: 'ERR_TELAR_UNKNOWN_OPTION' })
    await assert.rejects(call([channel], { signal: AbortSignal.abort('why') }), {
      code: 'ERR_TELAR_ABORTED', cause: 'why'
    })
    assert.equal(channel.size, 1)
  })
}

test('receivers and selects that wait are served in the order of their calls', async () => {
  const [a, b] = some(2)
  const order = []
  const note = (name) => ({ value }) => order.push([name, value])
  const calls = [
    a.receive().then(note('receive 1')),
    select([a, b]).then(note('select 1')),
    a.receive().then(note('receive 2')),
    select([b, a]).then(note('select 2')),
    b.receive().then(note('receive 3'))
  ]
  assert.equal(a.tryReceive(), undefined)
  a.trySend(1)
  a.trySend(2)
  a.trySend(3)
  b.trySend(4)
  b.trySend(5)
  await Promise.all(calls)
  assert.deepEqual(order.sort(), [
    ['receive 1', 1], ['receive 2', 3], ['receive 3', 5], ['select 1', 2], ['select 2', 4]
  ])
})

test('a select that is over leaves the other channels to the calls behind it', async () => {
  const [a, b] = some(2)
  const first = select([a, b])
  const second = a.receive()
  const third = select([b, a])
  b.trySend('b')
  assert.equal((await first).value, 'b')
  a.trySend('a')
  assert.deepEqual(await second, { value: 'a', done: false })
  b.trySend('c')
  assert.equal((await third).value, 'c')
  a.trySend('left')
  await nextTurn()
  assert.deepEqual([a.size, b.size], [1, 0])
  // No call waits any more, so nothing is announced: a try may receive.
  assert.deepEqual(a.tryReceive(), { value: 'left', done: false })
})

test('a signal ends the wait, and later values stay in their channels', async () => {
  const channels = some(2)
  for (const signal of [new AbortController(), new EventEmitter()]) {
    const waiting = select(channels, { signal: signal.signal ?? signal })
    if (signal instanceof EventEmitter) {
      assert.equal(signal.listenerCount('abort'), 1)
      signal.emit('abort')
      assert.equal(signal.listenerCount('abort'), 0)
    } else {
      signal.abort('why')
    }
    for (const channel of channels) channel.trySend('kept')
    await assert.rejects(waiting, { code: 'ERR_TELAR_ABORTED' })
    for (const channel of channels) assert.equal(channel.tryReceive().value, 'kept')
  }
})

test('a select that succeeds removes its listener', async () => {
  const channels = some(2)
  const signal = new EventEmitter()
  const waiting = select(channels, { signal, timeout: 1e6 })
  assert.equal(signal.listenerCount('abort'), 1)
  channels[1].trySend(1)
  await waiting
  assert.equal(signal.listenerCount('abort'), 0)
})

test('a signal that fires when it gets a listener aborts the call', async () => {
  const channels = some(2)
  const signal = { once (_, listener) { listener() }, off () {} }
  await assert.rejects(select(channels, { signal }), { code: 'ERR_TELAR_ABORTED' })
  channels[0].trySend(1)
  assert.equal(channels[0].tryReceive().value, 1)
})

test('a value that is there at the timeout is received or left, never lost', async () => {
  const channels = some(3)
  const worker = start({ c: channels[1] }, ['count', 'c', 0, 3000], ['close', 'c'])
  const values = []
  let timeouts = 0
  for (let isOver = false; !isOver;) {
    const controller = new AbortController()
    const byTimeout = timeouts % 2 === 0
    if (!byTimeout) setImmediate(() => controller.abort())
    const limits = byTimeout ? { timeout: timeouts % 5 / 10 } : { signal: controller.signal }
    await select(channels, limits).then(({ channel, value, done }) => {
      isOver = done
      if (!done) values.push(value)
    }, (error) => {
      timeouts++
      assert.ok(['ERR_TELAR_TIMEOUT', 'ERR_TELAR_ABORTED'].includes(error.code), error)
    })
  }
  assert.deepEqual(values, Array.from({ length: 3000 }, (_, i) => i))
  await worker.terminate()
})

test('detach() aborts the selects that wait on the channel, and only there', async () => {
  const [a, b] = some(2)
  const both = select([a, b])
  const other = select([b])
  a.detach()
  await assert.rejects(both, (error) => error.name === 'AbortError' && error.channel === a)
  b.trySend(1)
  assert.equal((await other).value, 1)
})

test('a blocked select serves the other calls of its thread', async () => {
  const [a, b, c] = some(3)
  const served = a.receive()
  const elsewhere = select([a, c])
  start({ a, b }, ['send', 'a', 'first'], ['send', 'a', 'second'], ['send', 'b', 'mine'], ['stay'])
    .unref()
  assert.equal(selectSync([b, c]).value, 'mine')
  // Both were settled while the thread was blocked.
  const pending = Symbol('pending')
  const state = (promise) => Promise.race([promise, Promise.resolve(pending)])
  assert.deepEqual(await state(served), { value: 'first', done: false })
  assert.equal((await state(elsewhere)).value, 'second')
})

test('a blocked select comes after the calls that wait', async () => {
  const [a, b] = some(2)
  const first = a.receive()
  start({ a, b }, ['send', 'a', 1], ['send', 'a', 2], ['stay']).unref()
  assert.equal(selectSync([b, a]).value, 2)
  assert.equal((await first).value, 1)
})

// The number of calls into C of one thread, for so many selects.
async function countCalls (channels, act) {
  let calls = 0
  const restore = channels.map((channel) => {
    const { ring } = endOf(channel)
    const { core } = ring
    ring.core = new Proxy(core, { get: (target, name) => { calls++; return target[name] } })
    return () => { ring.core = core }
  })
  await act()
  for (const undo of restore) undo()
  return calls
}

test('thousands of selects that wait take linear time', async () => {
  const channels = some(3)
  const waitAndServe = async (count) => countCalls(channels, async () => {
    const waiting = Array.from({ length: count }, (_, i) => select(channels,
      { timeout: i % 3 === 0 ? 1 + i % 7 : Infinity }).catch(() => null))
    await Promise.all(waiting.filter((_, i) => i % 3 === 0))
    for (let i = 0; i < count; i++) await channels[i % 3].send(i)
    const results = (await Promise.all(waiting)).filter((result) => result !== null)
    assert.equal(new Set(results.map(({ value }) => value)).size, results.length)
    for (const channel of channels) while (channel.tryReceive() !== undefined);
  })
  await waitAndServe(100)
  const few = await waitAndServe(2000)
  const many = await waitAndServe(8000)
  // Four times as many, and some room for where the timeouts fall.
  assert.ok(many < 8 * few, `${few} calls for 2000 selects, ${many} for 8000`)
})

test('a select over many channels waits for each of them', async () => {
  const channels = some(100, { capacity: 4096 })
  const waiting = channels.map(() => select(channels))
  for (const [i, channel] of channels.entries()) channel.trySend(i)
  const values = (await Promise.all(waiting)).map(({ value }) => value)
  assert.deepEqual(values.sort((x, y) => x - y), channels.map((_, i) => i))
})

test('a channel that only a waiting select refers to is not collected', async () => {
  let refs
  const wait = () => {
    const channels = some(2)
    refs = channels.map((channel) => new WeakRef(channel))
    return select(channels)
  }
  const waiting = wait()
  for (let i = 0; i < 3; i++) {
    await nextTurn()
    collectGarbage()
  }
  refs[1].deref().trySend('there')
  assert.equal((await waiting).value, 'there')
})

test('a select that is over keeps nothing alive', async () => {
  const [a, b] = some(2)
  const waits = async () => {
    const signal = new EventEmitter()
    const waiting = select([a, b], { signal, timeout: 1e6 })
    a.trySend(1)
    await waiting
    return new WeakRef(signal)
  }
  const ref = await waits()
  await until(() => {
    collectGarbage()
    return ref.deref() === undefined
  })
})

test('one loop of selects lets the event loop turn', async () => {
  const channels = some(2)
  for (let i = 0; i < 10_000; i++) channels[i % 2].trySend(i)
  let received = 0
  let receivedAtTurn = 0
  setImmediate(() => { receivedAtTurn = received })
  while (received < 10_000) {
    await select(channels)
    received++
  }
  assert.ok(receivedAtTurn > 0 && receivedAtTurn < 10_000)
})
