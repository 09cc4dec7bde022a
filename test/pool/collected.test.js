'use strict'

// An object that has calls under way, or something of which is held, is not collected,
// although nobody refers to it: its calls end as they would with somebody who does.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { Channel, RwLock } = require('../..')
const { startThread } = require('../fixtures/sync/threads')

const kEach = 10

// begin(channel) starts something in a thread that then forgets the channel; end(channel) comes
// from this thread, while the other one is blocked and about to collect; then finish(begun).
// What comes of it, or the code that it rejects with, is to be `expected`.
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
  test(`a channel that nobody refers to is not given up: ${name}`, async (t) => {
    const channels = Array.from({ length: kEach }, () => new Channel({ capacity: 4096 }))
    const flag = new Int32Array(new SharedArrayBuffer(8))
    const thread = startThread(t, `async ({ channels, flag }, { Channel }, { parentPort }) => {
      require('node:v8').setFlagsFromString('--expose-gc')
      const gc = require('node:vm').runInNewContext('gc')
      const later = () => new Promise((resolve) => setTimeout(resolve, 1))
      // From copies: what came as workerData is not to refer to them.
      const begin = (shared) => (${begin})(Channel.from({ 'telar:shared': shared }))
      const begun = channels.map((channel) => begin(channel['telar:shared']))
      for (const one of begun) one.catch?.(() => {})
      for (let turn = 0; turn < 5; turn++) await later()
      Atomics.store(flag, 0, 1)
      Atomics.notify(flag, 0)
      Atomics.wait(flag, 1, 0)
      gc()
      gc()
      for (let turn = 0; turn < 5; turn++) await later()
      const outcome = async (one) => (${finish})(await one)
      parentPort.postMessage(await Promise.all(begun.map((one) => outcome(one).catch((error) => error.code))))
    }`, { channels, flag })
    await Atomics.waitAsync(flag, 0, 0).value
    for (const channel of channels) await end(channel)
    Atomics.store(flag, 1, 1)
    Atomics.notify(flag, 1)
    assert.deepEqual(await thread.message(), Array(kEach).fill(expected))
  })
}

for (const [name, held] of [['read', 'readSync'], ['write', 'writeSync']]) {
  test(`a lock that nobody refers to is known by its guard: ${name}`, async (t) => {
    const thread = startThread(t, `async ({ lock }, { RwLock }, { parentPort }) => {
      require('node:v8').setFlagsFromString('--expose-gc')
      const gc = require('node:vm').runInNewContext('gc')
      const from = () => RwLock.from({ 'telar:shared': lock['telar:shared'] })
      const guard = from().${held}()
      for (let turn = 0; turn < 5; turn++) {
        await new Promise((resolve) => setTimeout(resolve, 1))
        gc()
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
