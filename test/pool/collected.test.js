'use strict'

// An object with pending calls, or with a guard or a reservation that is held, is not collected
// even if nothing refers to it. Its calls end as they would with a reference.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { Channel, RwLock } = require('../..')
const { startThread } = require('../fixtures/sync/threads')

const kEach = 10
const collector = JSON.stringify(require.resolve('../fixtures/collect-garbage'))

// begin(channel) starts something in a thread that then forgets the channel. This thread calls
// end(channel) while the other one is blocked. That one collects garbage, then calls finish(begun).
// `expected` is the result, or the code of the error.
const cases = {
  'receive()': {
    begin: (channel) => channel.receive(),
    end: (channel) => channel.close(),
    expected: { value: undefined, done: true }
  },
  'receiveMany()': {
    begin: (channel) => channel.receiveMany(5),
    end: (channel) => channel.close(),
    expected: []
  },
  'receiveBytes()': {
    begin: (channel) => channel.receiveBytes(),
    end: (channel) => channel.close(),
    expected: null
  },
  'a loop over the values': {
    begin: async (channel) => {
      const values = []
      for await (const value of channel) values.push(value)
      return values
    },
    end: (channel) => channel.close(),
    expected: []
  },
  'a channel that is aborted: receive()': {
    begin: (channel) => channel.receive(),
    end: (channel) => channel.abort('reason'),
    expected: 'ERR_TELAR_CHANNEL_ABORTED'
  },
  'a channel that is aborted: send()': {
    begin: (channel) => {
      while (channel.trySend('more'));
      return channel.send('more')
    },
    end: (channel) => channel.abort('reason'),
    expected: 'ERR_TELAR_CHANNEL_ABORTED'
  },
  'a reservation': {
    begin: (channel) => ({ reservation: channel.tryReserve(8) }),
    end: (channel) => channel.close(),
    finish: ({ reservation }) => {
      reservation.bytes.fill(1)
      reservation.commit()
      return 'committed'
    },
    expected: 'committed'
  }
}

for (const [name, { begin, end, finish = (begun) => begun, expected }] of Object.entries(cases)) {
  test(`a channel without references is not given up: ${name}`, async (t) => {
    const channels = Array.from({ length: kEach }, () => new Channel({ capacity: 4096 }))
    const flag = new Int32Array(new SharedArrayBuffer(8))
    const thread = startThread(t, `async ({ channels, flag }, { Channel }, { parentPort }) => {
      const { collectGarbage } = require(${collector})
      const later = () => new Promise((resolve) => setTimeout(resolve, 1))
      // Made from copies, so that workerData does not refer to the channels.
      const begin = (shared) => (${begin})(Channel.from({ 'telar:shared': shared }))
      const begun = channels.map((channel) => begin(channel['telar:shared']))
      for (const one of begun) one.catch?.(() => {})
      for (let turn = 0; turn < 5; turn++) await later()
      Atomics.store(flag, 0, 1)
      Atomics.notify(flag, 0)
      Atomics.wait(flag, 1, 0)
      collectGarbage()
      collectGarbage()
      for (let turn = 0; turn < 5; turn++) await later()
      const finish = async (one) => (${finish})(await one)
      const outcomes = begun.map((one) => finish(one).catch((error) => error.code))
      parentPort.postMessage(await Promise.all(outcomes))
    }`, { channels, flag })
    await Atomics.waitAsync(flag, 0, 0).value
    for (const channel of channels) await end(channel)
    Atomics.store(flag, 1, 1)
    Atomics.notify(flag, 1)
    assert.deepEqual(await thread.message(), Array(kEach).fill(expected))
  })
}

for (const [name, held] of [['read', 'readSync'], ['write', 'writeSync']]) {
  test(`a lock without references stays known through its guard: ${name}`, async (t) => {
    const thread = startThread(t, `async ({ lock }, { RwLock }, { parentPort }) => {
      const { collectGarbage } = require(${collector})
      const from = () => RwLock.from({ 'telar:shared': lock['telar:shared'] })
      const guard = from().${held}()
      for (let turn = 0; turn < 5; turn++) {
        await new Promise((resolve) => setTimeout(resolve, 1))
        collectGarbage()
      }
      try {
        from().writeSync({ timeout: 10 })
      } catch (error) {
        parentPort.postMessage(error.code)
      }
      guard.unlock()
    }`, { lock: new RwLock() })
    assert.equal(await thread.message(), 'ERR_TELAR_DEADLOCK')
  })
}
