'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { notify, wait, waitAsync } = require('../..')
const { inThread, startThread } = require('../fixtures/sync/threads')

const words = () => new Int32Array(new SharedArrayBuffer(8))
const longs = () => new BigInt64Array(new SharedArrayBuffer(16))

test('wait() and waitAsync() return at once when the word has another value', async () => {
  assert.equal(wait(words(), 1, 5), 'not-equal')
  assert.equal(await waitAsync(words(), 1, 5), 'not-equal')
  assert.equal(wait(longs(), 1, 5n), 'not-equal')
  assert.equal(await waitAsync(longs(), 1, 5n), 'not-equal')
})

test('wait() and waitAsync() take a timeout as an option or as a number', async () => {
  for (const options of [
    0,
    3,
    { timeout: 0 },
    { timeout: 3 },
    { timeout: 3, signal: new AbortController().signal }
  ]) {
    assert.equal(wait(words(), 0, 0, options), 'timed-out')
    assert.equal(await waitAsync(words(), 0, 0, options), 'timed-out')
    assert.equal(wait(longs(), 0, 0n, options), 'timed-out')
  }
})

test('an abort rejects waitAsync() and makes wait() throw', async () => {
  const array = words()
  const reason = new Error('not needed')
  const controller = new AbortController()
  const waiting = waitAsync(array, 0, 0, { signal: controller.signal })
  setImmediate(() => controller.abort(reason))
  await assert.rejects(waiting, (error) => error.name === 'AbortError' && error.cause === reason)
  await assert.rejects(waitAsync(array, 0, 0, { signal: controller.signal }),
    { name: 'AbortError' })
  assert.throws(() => wait(array, 0, 0, { signal: controller.signal }), { name: 'AbortError' })
})

test('a wake-up that reaches an aborted wait goes on to the next one', async () => {
  const array = words()
  const controller = new AbortController()
  const aborted = waitAsync(array, 0, 0, { signal: controller.signal })
  const patient = waitAsync(array, 0, 0)
  await new Promise((resolve) => setTimeout(resolve, 5))
  controller.abort()
  await assert.rejects(aborted, { name: 'AbortError' })
  Atomics.store(array, 0, 1)
  notify(array, 0, 1)
  assert.equal(await patient, 'ok')
})

test('notify() returns how many waits it woke', async () => {
  const array = words()
  assert.equal(notify(array, 0), 0)
  const waiting = [waitAsync(array, 0, 0), waitAsync(array, 0, 0), waitAsync(array, 0, 0)]
  await new Promise((resolve) => setTimeout(resolve, 5))
  assert.equal(notify(array, 0, 0), 0)
  assert.equal(notify(array, 0, 1), 1)
  assert.equal(notify(array, 0), 2)
  assert.deepEqual(await Promise.all(waiting), ['ok', 'ok', 'ok'])
})

test('a thread and the main thread wake each other while they sleep or spin', async (t) => {
  const array = words()
  const kTurns = 500
  const thread = inThread(t, ({ array, turns }, { notify, wait }) => {
    for (let i = 0; i < turns; i++) {
      while (Atomics.load(array, 0) === 2 * i) wait(array, 0, 2 * i)
      Atomics.store(array, 0, 2 * i + 2)
      notify(array, 0)
    }
    return 'done'
  }, { array, turns: kTurns })
  for (let i = 0; i < kTurns; i++) {
    Atomics.store(array, 0, 2 * i + 1)
    notify(array, 0)
    while (Atomics.load(array, 0) === 2 * i + 1) {
      if (i % 2 === 0) wait(array, 0, 2 * i + 1)
      else await waitAsync(array, 0, 2 * i + 1)
    }
  }
  assert.equal(await thread, 'done')
})

test('waitAsync() waits for a word of 64 bits', async (t) => {
  const array = longs()
  const thread = inThread(t, async (array, { notify, waitAsync }) => {
    const outcome = await waitAsync(array, 1, 0n)
    return [outcome, array[1]]
  }, array)
  await new Promise((resolve) => setTimeout(resolve, 20))
  Atomics.store(array, 1, 2n ** 40n)
  notify(array, 1)
  const [outcome, value] = await thread
  assert.ok(outcome === 'ok' || outcome === 'not-equal')
  assert.equal(value, 2n ** 40n)
})

test('a thread that waits can be ended', async (t) => {
  const array = words()
  for (const name of ['wait', 'waitAsync']) {
    const thread = startThread(t, ({ array, name }, telar, { parentPort }) => {
      parentPort.postMessage('waits')
      telar[name](array, 0, 0)
    }, { array, name })
    await thread.message()
    assert.equal(await thread.end(), 1)
  }
})

test('wait(), waitAsync() and notify() check their arguments', async () => {
  const array = words()
  const cases = [
    [[new Int32Array(2), 0, 0], 'ERR_TELAR_INVALID_ARGUMENT'],
    [[new Uint32Array(new SharedArrayBuffer(8)), 0, 0], 'ERR_TELAR_INVALID_ARGUMENT'],
    [[null, 0, 0], 'ERR_TELAR_INVALID_ARGUMENT'],
    [[array, 2, 0], 'ERR_TELAR_INVALID_ARGUMENT'],
    [[array, -1, 0], 'ERR_TELAR_INVALID_ARGUMENT'],
    [[array, 0.5, 0], 'ERR_TELAR_INVALID_ARGUMENT'],
    [[array, 0, 0n], 'ERR_TELAR_INVALID_ARGUMENT'],
    [[array, 0, 2 ** 31], 'ERR_TELAR_INVALID_ARGUMENT'],
    [[longs(), 0, 0], 'ERR_TELAR_INVALID_ARGUMENT'],
    [[array, 0, 0, -1], 'ERR_TELAR_INVALID_ARGUMENT'],
    [[array, 0, 0, NaN], 'ERR_TELAR_INVALID_ARGUMENT'],
    [[array, 0, 0, { timeout: 'long' }], 'ERR_TELAR_INVALID_ARGUMENT'],
    [[array, 0, 0, { singal: null }], 'ERR_TELAR_UNKNOWN_OPTION']
  ]
  for (const [args, code] of cases) {
    assert.throws(() => wait(...args), { code })
    await assert.rejects(waitAsync(...args), { code })
  }
  for (const args of [[new Int32Array(2), 0], [array, 2], [array, 0, -1], [array, 0, 1.5]]) {
    assert.throws(() => notify(...args), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
  }
})
