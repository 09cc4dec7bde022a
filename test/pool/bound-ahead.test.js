'use strict'

// Values that are sent by port need a certain worker. While the tasks are short, they are posted
// before that worker has a free place.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { move } = require('../..')
const { until } = require('../fixtures/until')
const { usePool } = require('../fixtures/use-pool')

const limit = { timeout: 120_000 }
const kLarge = 2 ** 20 // sent by port
const kShortTasks = 300
const kMostBound = 8

const newMemory = (byte) => new Uint8Array(new SharedArrayBuffer(8)).fill(byte)

async function runShortTasks (pool) {
  const values = Array.from({ length: kShortTasks }, (_, i) => newMemory(i % 256))
  const results = await Promise.all(values.map((value) => pool.run(value)))
  assert.deepEqual(results, values)
}

// Starts a task that blocks the only worker of the pool. `end`: how it ends.
async function block (pool, end, options) {
  const words = new Int32Array(new SharedArrayBuffer(8))
  const ended = pool.run({ words, end }, { name: 'block', ...options })
  await until(() => Atomics.load(words, 1) === 1)
  return {
    ended,
    open () {
      Atomics.store(words, 0, 1)
      Atomics.notify(words, 0)
    }
  }
}

// Whether a buffer is posted although the only worker is busy: it is empty here then.
async function isPosted (pool, { before, run } = {}) {
  const blocked = await block(pool, 'return', before)
  const buffer = new ArrayBuffer(kLarge)
  const result = pool.run(move(buffer), run)
  const posted = buffer.byteLength === 0
  blocked.open()
  await blocked.ended
  assert.equal((await result).byteLength, kLarge)
  assert.equal(buffer.byteLength, 0)
  return posted
}

// On a busy machine a short task may be preempted, and counts as a long one.
const becomesPosted = (pool, options) => until(async () => {
  await runShortTasks(pool)
  return isPosted(pool, options)
})

const ahead = (t, options) => usePool(t, 'bound-ahead.js', options)

test('a value is posted to a busy worker once tasks are short', limit, async (t) => {
  const pool = ahead(t)
  assert.equal(await isPosted(pool), false)
  await becomesPosted(pool)
})

test('a value is not posted to a busy worker after a long task', limit, async (t) => {
  const pool = ahead(t)
  await becomesPosted(pool)
  await pool.run(2, { name: 'spin' })
  assert.equal(await isPosted(pool), false)
})

const never = [
  ['with a signal', { run: { signal: new AbortController().signal } }],
  ['with a timeout', { run: { timeout: 60_000 } }],
  ['while a task with a signal runs', { before: { signal: new AbortController().signal } }],
  ['while a task with a timeout runs', { before: { timeout: 60_000 } }]
]

for (const [when, options] of never) {
  test(`a value is not posted to a busy worker ${when}`, limit, async (t) => {
    const pool = ahead(t)
    await becomesPosted(pool)
    for (let round = 0; round < 20; round++) {
      await runShortTasks(pool)
      assert.equal(await isPosted(pool, options), false)
    }
  })
}

test('only a few tasks are bound to a busy worker', limit, async (t) => {
  const pool = ahead(t)
  await becomesPosted(pool)
  await runShortTasks(pool)
  const blocked = await block(pool, 'return')
  const buffers = Array.from({ length: 50 }, () => new ArrayBuffer(kLarge))
  const results = buffers.map((buffer) => pool.run(move(buffer)))
  assert.ok(buffers.filter(({ byteLength }) => byteLength === 0).length <= kMostBound)
  blocked.open()
  await blocked.ended
  for (const { byteLength } of await Promise.all(results)) assert.equal(byteLength, kLarge)
})

test('of tasks bound to a worker that crashes only those with moved values are lost', limit,
  async (t) => {
    const pool = ahead(t)
    await until(async () => {
      await runShortTasks(pool)
      const blocked = await block(pool, 'exit')
      const results = Array.from({ length: kMostBound / 2 }, (_, i) => pool.run(newMemory(i)))
      const buffer = new ArrayBuffer(kLarge)
      const moved = Promise.allSettled([pool.run(move(buffer))])
      const isBound = buffer.byteLength === 0
      blocked.open()
      await assert.rejects(blocked.ended, { code: 'ERR_TELAR_WORKER_EXITED' })
      const firsts = (await Promise.all(results)).map(([first]) => first)
      assert.deepEqual(firsts, [0, 1, 2, 3])
      const [{ reason, value }] = await moved
      if (isBound) assert.equal(reason.code, 'ERR_TELAR_WORKER_EXITED')
      else assert.equal(value.byteLength, kLarge)
      return isBound
    })
  })

test('tasks keep their order, those with a value by port and those without', limit,
  async (t) => {
    const pool = ahead(t)
    await becomesPosted(pool)
    const blocked = await block(pool, 'return')
    const order = []
    const runs = Array.from({ length: 20 }, (_, i) =>
      pool.run(i % 2 === 0 ? newMemory(i) : i, { name: 'firstOf' }).then((n) => order.push(n)))
    blocked.open()
    await blocked.ended
    await Promise.all(runs)
    const byKind = (rest) => order.filter((n) => n % 2 === rest)
    assert.deepEqual(byKind(0), [0, 2, 4, 6, 8, 10, 12, 14, 16, 18])
    assert.deepEqual(byKind(1), [1, 3, 5, 7, 9, 11, 13, 15, 17, 19])
  })
