'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { Semaphore } = require('../..')
const { inThread } = require('../fixtures/sync/threads')

test('a semaphore hands out its permits and takes them back', async () => {
  const semaphore = new Semaphore(2)
  assert.equal(semaphore.available, 2)
  const first = semaphore.acquireSync()
  const second = await semaphore.acquire()
  assert.equal(semaphore.available, 0)
  assert.equal(semaphore.tryAcquire(), null)
  assert.equal(first.isHeld, true)
  first.release()
  assert.equal(first.isHeld, false)
  assert.throws(() => first.release(), { code: 'ERR_TELAR_NOT_HELD' })
  first[Symbol.dispose]()
  assert.equal(semaphore.available, 1)
  second[Symbol.dispose]()
  second[Symbol.dispose]()
  assert.equal(semaphore.available, 2)
  assert.equal(new Semaphore().available, 1)
})

test('release() needs no permit and stops at the maximum', () => {
  const semaphore = new Semaphore(0, 3)
  assert.equal(semaphore.max, 3)
  semaphore.release()
  semaphore.release(2)
  assert.throws(() => semaphore.release(), { code: 'ERR_TELAR_OUT_OF_RANGE', name: 'RangeError' })
  assert.equal(semaphore.available, 3)
  for (const count of [0, -1, 1.5, '1', 4]) {
    assert.throws(() => semaphore.release(count), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
  }
  for (const args of [[-1], [1.5], ['1'], [2, 1], [1, 0], [2 ** 30]]) {
    assert.throws(() => new Semaphore(...args), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
  }
})

test('as many waiters go on as permits were released', async () => {
  const semaphore = new Semaphore(0)
  const went = []
  const waiting = Array.from({ length: 5 }, async () => {
    await semaphore.acquire()
    went.push(1)
  })
  semaphore.release(2)
  while (went.length < 2) await new Promise(setImmediate)
  assert.equal(semaphore.available, 0)
  semaphore.release(3)
  await Promise.all(waiting)
  assert.equal(semaphore.available, 0)
})

test('an acquire() that times out or is aborted takes no permit', async () => {
  const semaphore = new Semaphore(0)
  assert.throws(() => semaphore.acquireSync({ timeout: 5 }), { code: 'ERR_TELAR_TIMEOUT' })
  await assert.rejects(semaphore.acquire({ timeout: 5 }), { code: 'ERR_TELAR_TIMEOUT' })
  const controller = new AbortController()
  const aborted = semaphore.acquire({ signal: controller.signal })
  const patient = semaphore.acquire()
  await new Promise((resolve) => setTimeout(resolve, 5))
  controller.abort()
  await assert.rejects(aborted, { name: 'AbortError' })
  semaphore.release()
  ;(await patient).release()
  assert.equal(semaphore.available, 1)
})

test('threads inside a semaphore never outnumber its permits', async (t) => {
  const semaphore = new Semaphore(2)
  const inside = new Int32Array(new SharedArrayBuffer(8))
  const body = async ({ semaphore: received, inside, isSync }, { Semaphore }) => {
    const semaphore = Semaphore.from(received)
    for (let i = 0; i < 3000; i++) {
      const permit = isSync ? semaphore.acquireSync() : await semaphore.acquire()
      const now = Atomics.add(inside, 0, 1) + 1
      if (now > Atomics.load(inside, 1)) Atomics.store(inside, 1, now)
      Atomics.sub(inside, 0, 1)
      permit.release()
    }
  }
  await Promise.all(
    [true, true, false].map((isSync) => inThread(t, body, { semaphore, inside, isSync }))
  )
  assert.equal(inside[0], 0)
  assert.ok(inside[1] <= 2, `${inside[1]} at once`)
  assert.equal(semaphore.available, 2)
})

test('a consumer acquires every permit that a producer releases', async (t) => {
  const items = new Semaphore(0)
  const kItems = 5000
  const consumer = inThread(t, ({ items: received, count }, { Semaphore }) => {
    const items = Semaphore.from(received)
    for (let i = 0; i < count; i++) items.acquireSync()
    return items.available
  }, { items, count: kItems })
  for (let i = 0; i < kItems; i++) items.release()
  assert.equal(await consumer, 0)
})
