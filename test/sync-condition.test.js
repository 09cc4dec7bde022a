'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { Condition, Mutex } = require('..')
const { inThread, startThread } = require('./fixtures/sync/threads')

test('wait lets the mutex go, and has it again', async () => {
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

test('without a notification the timeout ends it, and it holds the mutex', async () => {
  const mutex = new Mutex()
  const condition = new Condition()
  const guard = mutex.lockSync()
  assert.equal(condition.waitSync(guard, { timeout: 5 }), false)
  assert.equal(guard.isHeld, true)
  assert.equal(await condition.wait(guard, { timeout: 5 }), false)
  assert.equal(guard.isHeld, true)
  await assert.rejects(condition.wait(guard, { signal: AbortSignal.timeout(5) }), { name: 'AbortError' })
  assert.equal(guard.isHeld, true, 'after an abort too')
  assert.throws(() => condition.waitSync(guard, { signal: AbortSignal.abort() }), { name: 'AbortError' })
  assert.equal(guard.isHeld, true)
  guard.unlock()
})

test('it takes a guard that holds its mutex', async () => {
  const condition = new Condition()
  const guard = new Mutex().lockSync()
  guard.unlock()
  assert.throws(() => condition.waitSync(guard), { code: 'ERR_TELAR_NOT_HELD' })
  await assert.rejects(condition.wait(guard), { code: 'ERR_TELAR_NOT_HELD' })
  await assert.rejects(condition.waitFor(guard, () => true), { code: 'ERR_TELAR_NOT_HELD' })
  for (const wrong of [undefined, {}, new Mutex()]) assert.throws(() => condition.waitSync(wrong), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
  await assert.rejects(condition.waitFor(guard, 'text'), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
})

test('waitFor waits until its test holds', async (t) => {
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

test('notifyAll wakes all, in threads and tasks', async (t) => {
  const mutex = new Mutex()
  const condition = new Condition()
  const cells = new Int32Array(new SharedArrayBuffer(8))
  const body = async ({ mutex, condition, cells, isSync }, { Condition, Mutex }) => {
    const guard = Mutex.from(mutex).lockSync()
    cells[0]++
    const test = () => cells[1] === 1
    const done = isSync ? Condition.from(condition).waitForSync(guard, test) : await Condition.from(condition).waitFor(guard, test)
    guard.unlock()
    return done
  }
  const waiting = [true, true, false].map((isSync) => inThread(t, body, { mutex, condition, cells, isSync }))
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

test('a bounded queue of cells: nothing lost, nothing twice', async (t) => {
  const mutex = new Mutex()
  const notEmpty = new Condition()
  const notFull = new Condition()
  const ring = new Int32Array(new SharedArrayBuffer(4 * (3 + 4)))
  const kItems = 2000
  const shared = { mutex, notEmpty, notFull, ring }
  const revive = `const { mutex, notEmpty, notFull, ring } = { mutex: telar.Mutex.from(data.mutex), notEmpty: telar.Condition.from(data.notEmpty),
    notFull: telar.Condition.from(data.notFull), ring: data.ring }`
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
    inThread(t, produce, { ...shared, items: kItems }), inThread(t, produce, { ...shared, items: kItems }),
    inThread(t, consume, { ...shared, items: kItems, isSync: true }), inThread(t, consume, { ...shared, items: kItems, isSync: false })
  ])
  assert.equal(sums[2] + sums[3], kItems * (kItems + 1))
})

test('a waiter that was ended keeps no notification', async (t) => {
  const mutex = new Mutex()
  const condition = new Condition()
  const threads = [1, 2].map(() => startThread(t, ({ mutex, condition }, { Condition, Mutex }, { parentPort }) => {
    const guard = Mutex.from(mutex).lockSync()
    parentPort.postMessage('waits')
    Condition.from(condition).waitSync(guard)
  }, { mutex, condition }))
  await Promise.all(threads.map((thread) => thread.message()))
  const guard = await mutex.lock() // both have let it go
  const waiting = condition.wait(guard)
  await Promise.all(threads.map((thread) => thread.end()))
  condition.notifyOne()
  assert.equal(await waiting, true)
  guard.unlock()
})
