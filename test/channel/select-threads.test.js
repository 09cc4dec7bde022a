'use strict'

// Several threads select from the same channels, give up at random, and send. Each value arrives
// once. SEED=n repeats what the threads draw.

const assert = require('node:assert/strict')
const { once } = require('node:events')
const { test } = require('node:test')
const { Worker } = require('node:worker_threads')
const { Channel } = require('telar')
const { file } = require('../fixtures/channel/select-worker')
const { createRandom } = require('../fixtures/random')

const seed = process.env.SEED === undefined ? Date.now() % 2 ** 31 : Number(process.env.SEED)

async function round (random) {
  const options = { capacity: random.pick([4096, 65536]), producers: 'many', consumers: 'many' }
  const channels = Array.from({ length: 1 + random.below(5) }, () => new Channel(options))
  const run = (role, id) => {
    const worker = new Worker(file, {
      workerData: { channels, role, id, seed: random.word(), count: 100 + random.below(400) }
    })
    return Promise.race([
      once(worker, 'message').then(([message]) => message),
      once(worker, 'error').then(([error]) => { throw error })
    ])
  }
  const senders = Array.from({ length: 1 + random.below(3) }, (_, id) => run('sender', id))
  const receivers = Array.from({ length: 1 + random.below(3) }, (_, id) => run('receiver', id))
  // A sender that ends before the others have started must not be taken for the last one.
  for (const channel of channels) channel.trySend([channels.indexOf(channel), senders.length, 0])
  const sent = await Promise.all(senders)
  sent.push(channels.map(() => 1))
  await Promise.all(channels.map((channel) => channel.close()))

  const seen = new Set()
  for (const { received, inOrder } of await Promise.all(receivers)) {
    const next = new Map()
    for (const [index, sender, number] of received) {
      const key = `${index} ${sender}`
      assert.ok(!seen.has(`${key} ${number}`), `${key} ${number} arrived twice`)
      seen.add(`${key} ${number}`)
      if (inOrder) {
        assert.ok(number >= (next.get(key) ?? 0), `${key} ${number} overtook another`)
        next.set(key, number + 1)
      }
    }
  }
  assert.equal(seen.size, sent.flat().reduce((sum, count) => sum + count))
  for (const channel of channels) assert.equal(channel.size, 0)
}

test(`each value is received once by selects that give up, SEED=${seed}`, {
  timeout: 300_000
}, async () => {
  const random = createRandom(seed)
  for (let i = 0; i < 15; i++) await round(random)
})
