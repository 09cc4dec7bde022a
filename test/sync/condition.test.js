'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { Condition, Mutex } = require('../..')
const { inThread, startThread } = require('../fixtures/sync/threads')

const kState = 16 // the index of the state of a primitive: see lib/sync/memory.js

test('wait() releases the mutex and takes it again before it returns', async () => {
  const mutex = new Mutex()
  const condition = new Condition()
  const guard = mutex.lockSync()
  const waiting = condition.wait(guard)
  assert.equal(mutex.isLocked, false)
  assert.equal(guard.isHeld, false)
  condition.notifyOne()
  assert.equal(await waiting, true)
  assert.equal(guard.isHeld, true)
  guard.unlock()
})

test('a wait that times out or is aborted holds the mutex again', async () => {
  const mutex = new Mutex()
  const condition = new Condition()
  const guard = mutex.lockSync()
  assert.equal(condition.waitSync(guard, { timeout: 5 }), false)
  assert.equal(guard.isHeld, true)
  assert.equal(await condition.wait(guard, { timeout: 5 }), false)
  assert.equal(guard.isHeld, true)
  await assert.rejects(condition.wait(guard, { signal: AbortSignal.timeout(5) }),
    { name: 'AbortError' })
  assert.equal(guard.isHeld, true, 'after an abort too')
  assert.throws(() => condition.waitSync(guard, { signal: AbortSignal.abort() }),
    { name: 'AbortError' })
  assert.equal(guard.isHeld, true)
  guard.unlock()
})

test('a condition accepts only a guard that holds its mutex', async () => {
  const condition = new Condition()
  const guard = new Mutex().lockSync()
  guard.unlock()
  assert.throws(() => condition.waitSync(guard), { code: 'ERR_TELAR_NOT_HELD' })
  await assert.rejects(condition.wait(guard), { code: 'ERR_TELAR_NOT_HELD' })
  await assert.rejects(condition.waitFor(guard, () => true), { code: 'ERR_TELAR_NOT_HELD' })
  for (const wrong of [undefined, {}, new Mutex()]) {
    assert.throws(() => condition.waitSync(wrong), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
  }
  await assert.rejects(condition.waitFor(guard, 'text'), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
})

test('waitFor() waits until its test holds', async (t) => {
  const mutex = new Mutex()
  const condition = new Condition()
  const cell = new Int32Array(new SharedArrayBuffer(4))
  const thread = inThread(t, ({ mutex: m, condition: c, cell }, { Condition, Mutex }) => {
    const mutex = Mutex.from(m)
    const condition = Condition.from(c)
    for (let i = 0; i < 5; i++) {
      const guard = mutex.lockSync()
      cell[0]++
      condition.notifyAll()
      guard.unlock()
    }
  }, { mutex, condition, cell })
  const guard = await mutex.lock()
  assert.equal(await condition.waitFor(guard, () => cell[0] === 5), true)
  assert.equal(guard.isHeld, true)
  assert.equal(condition.waitForSync(guard, () => cell[0] === 6, { timeout: 5 }), false)
  assert.equal(await condition.waitFor(guard, () => cell[0] === 6, { timeout: 5 }), false)
  assert.equal(condition.waitForSync(guard, () => true), true)
  guard.unlock()
  await thread
})

test('notifyAll() wakes every waiter, blocked thread or promise', async (t) => {
  const mutex = new Mutex()
  const condition = new Condition()
  const cells = new Int32Array(new SharedArrayBuffer(8))
  const body = async ({ mutex, condition, cells, isSync }, { Condition, Mutex }) => {
    const guard = Mutex.from(mutex).lockSync()
    cells[0]++
    const test = () => cells[1] === 1
    const done = isSync
      ? Condition.from(condition).waitForSync(guard, test)
      : await Condition.from(condition).waitFor(guard, test)
    guard.unlock()
    return done
  }
  const waiting = [true, true, false].map((isSync) =>
    inThread(t, body, { mutex, condition, cells, isSync }))
  for (;;) {
    const guard = await mutex.lock()
    if (cells[0] === 3) {
      cells[1] = 1
      condition.notifyAll()
      guard.unlock()
      break
    }
    guard.unlock()
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  assert.deepEqual(await Promise.all(waiting), [true, true, true])
})

test('a bounded queue built on two conditions loses and repeats nothing', async (t) => {
  const mutex = new Mutex()
  const notEmpty = new Condition()
  const notFull = new Condition()
  const ring = new Int32Array(new SharedArrayBuffer(4 * (3 + 4)))
  const kItems = 2000
  const shared = { mutex, notEmpty, notFull, ring }
  const revive = `
    const mutex = telar.Mutex.from(data.mutex)
    const notEmpty = telar.Condition.from(data.notEmpty)
    const notFull = telar.Condition.from(data.notFull)
    const { ring } = data`
  const produce = `(data, telar) => { ${revive}
    for (let i = 1; i <= data.items; i++) {
      const guard = mutex.lockSync()
      notFull.waitForSync(guard, () => ring[1] - ring[0] < 4)
      ring[3 + ring[1]++ % 4] = i
      notEmpty.notifyOne()
      guard.unlock()
    } }`
  const consume = `async (data, telar) => { ${revive}
    let sum = 0
    for (let i = 0; i < data.items; i++) {
      const guard = data.isSync ? mutex.lockSync() : await mutex.lock()
      if (data.isSync) notEmpty.waitForSync(guard, () => ring[1] - ring[0] > 0)
      else await notEmpty.waitFor(guard, () => ring[1] - ring[0] > 0)
      sum += ring[3 + ring[0]++ % 4]
      notFull.notifyOne()
      guard.unlock()
    }
    return sum }`
  const sums = await Promise.all([
    inThread(t, produce, { ...shared, items: kItems }),
    inThread(t, produce, { ...shared, items: kItems }),
    inThread(t, consume, { ...shared, items: kItems, isSync: true }),
    inThread(t, consume, { ...shared, items: kItems, isSync: false })
  ])
  assert.equal(sums[2] + sums[3], kItems * (kItems + 1))
})

test('notifyOne() wakes one promise of a thread, and notifyAll() wakes all of them', async () => {
  const mutex = new Mutex()
  const condition = new Condition()
  const began = []
  const order = []
  const waiting = Array.from({ length: 20 }, async (_, i) => {
    const guard = await mutex.lock()
    began.push(i)
    assert.equal(await condition.wait(guard), true)
    order.push(i)
    guard.unlock()
  })
  const turns = async () => { for (let i = 0; i < 20; i++) await new Promise(setImmediate) }
  const wokenAre = async (count) => {
    while (order.length < count) await turns()
    await turns() // none follows
    assert.deepEqual(order, began.slice(0, count))
  }
  while (began.length < 20) await turns()
  condition.notifyOne()
  await wokenAre(1)
  condition.notifyOne()
  condition.notifyOne()
  await wokenAre(3)
  condition.notifyAll()
  await Promise.all(waiting)
  assert.equal(order.length, 20)
})

// The platform cannot cancel the sleep of an aborted promise. Here that sleep receives a wake-up.
// The next promise of this thread began to wait too late for it, so it belongs to the other thread.
test('the leftover sleep of an aborted wait passes its wake-up to another thread', async (t) => {
  const condition = new Condition()
  const guard = new Mutex().lockSync()
  const state = new Int32Array(condition['telar:shared'].memory)
  const ready = new Int32Array(new SharedArrayBuffer(4))
  const thread = startThread(t, ({ state, ready, kState }, telar, { parentPort }) => {
    parentPort.postMessage('ready')
    Atomics.wait(ready, 0, 0)
    parentPort.postMessage(Atomics.wait(state, kState, 0, 3000))
  }, { state, ready, kState })
  await thread.message()
  const controller = new AbortController()
  const aborted = condition.wait(guard, { signal: controller.signal })
  controller.abort()
  await assert.rejects(aborted, { name: 'AbortError' })
  Atomics.store(ready, 0, 1)
  Atomics.notify(ready, 0)
  for (const begun = performance.now(); performance.now() - begun < 20;); // until it sleeps
  // notifyOne() by hand: another promise begins to wait between its two steps.
  Atomics.add(state, kState, 1)
  const waiting = condition.wait(guard)
  Atomics.notify(state, kState, 1)
  const outcome = await thread.message()
  condition.notifyAll()
  assert.equal(await waiting, true)
  assert.equal(outcome, 'ok')
})

test('a waiter whose thread was ended takes no notification', async (t) => {
  const mutex = new Mutex()
  const condition = new Condition()
  const threads = [1, 2].map(() =>
    startThread(t, ({ mutex, condition }, { Condition, Mutex }, { parentPort }) => {
      const guard = Mutex.from(mutex).lockSync()
      parentPort.postMessage('waits')
      Condition.from(condition).waitSync(guard)
    }, { mutex, condition }))
  await Promise.all(threads.map((thread) => thread.message()))
  const guard = await mutex.lock() // both threads have released it in waitSync()
  const waiting = condition.wait(guard)
  await Promise.all(threads.map((thread) => thread.end()))
  condition.notifyOne()
  assert.equal(await waiting, true)
  guard.unlock()
})
