'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { setImmediate: turn } = require('node:timers/promises')
const { Mutex, AbortError, TelarError } = require('../..')
const { inThread, startThread } = require('../fixtures/sync/threads')
const { until } = require('../fixtures/until')

test('a guard tells whether it holds the lock, and unlocks it once', () => {
  const mutex = new Mutex()
  const guard = mutex.lockSync()
  assert.equal(mutex.isLocked, true)
  assert.equal(guard.isHeld, true)
  assert.equal(guard.isInconsistent, false)
  guard.unlock()
  assert.equal(mutex.isLocked, false)
  assert.equal(guard.isHeld, false)
  assert.throws(() => guard.unlock(), { code: 'ERR_TELAR_NOT_HELD' })
  assert.throws(() => mutex.unlock(), { code: 'ERR_TELAR_NOT_HELD' })
  assert.throws(() => guard.markConsistent(), { code: 'ERR_TELAR_NOT_HELD' })
  mutex.lockSync()
  mutex.unlock()
  assert.equal(mutex.isLocked, false)
})

test('a guard unlocks once when it is disposed of', async () => {
  const mutex = new Mutex()
  const guard = mutex.lockSync()
  guard[Symbol.dispose]()
  assert.equal(mutex.isLocked, false)
  const other = await mutex.lock()
  guard[Symbol.dispose]()
  assert.equal(other.isHeld, true, 'the old guard changes nothing')
  other[Symbol.dispose]()
})

test('tryLock() returns null while the mutex is locked', async () => {
  const mutex = new Mutex()
  const guard = mutex.tryLock()
  assert.equal(mutex.tryLock(), null)
  guard.unlock()
  const other = await mutex.lock()
  assert.equal(mutex.tryLock(), null)
  other.unlock()
  mutex.tryLock().unlock()
})

test('lockSync() throws ERR_TELAR_DEADLOCK in the thread that holds the lock', async () => {
  const mutex = new Mutex()
  const guard = mutex.lockSync()
  assert.throws(() => mutex.lockSync(), { code: 'ERR_TELAR_DEADLOCK' })
  assert.throws(() => mutex.lockSync({ timeout: 5 }), { code: 'ERR_TELAR_DEADLOCK' })
  guard.unlock()
  const other = await mutex.lock()
  assert.throws(() => mutex.lockSync(), { code: 'ERR_TELAR_DEADLOCK' })
  other.unlock()
})

test('tasks of one thread exclude each other, and each gets its turn', async () => {
  const mutex = new Mutex()
  let inside = 0
  const order = []
  await Promise.all(Array.from({ length: 20 }, async (_, i) => {
    const guard = await mutex.lock()
    assert.equal(++inside, 1)
    order.push(i)
    await turn()
    inside--
    guard.unlock()
  }))
  assert.equal(order.length, 20)
  assert.equal(new Set(order).size, 20)
  assert.equal(mutex.isLocked, false)
})

test('lockSync() goes before waiting tasks of its thread, and they follow', async (t) => {
  const mutex = new Mutex()
  const thread = startThread(t, (mutex, { Mutex }, { parentPort }) => {
    const guard = Mutex.from(mutex).lockSync()
    parentPort.postMessage('locked')
    parentPort.once('message', () => guard.unlock())
  }, mutex)
  await thread.message()
  const waiting = mutex.lock()
  // Long enough for the promise to reserve the lock.
  await new Promise((resolve) => setTimeout(resolve, 20))
  thread.worker.postMessage('unlock')
  const guard = mutex.lockSync()
  guard.unlock()
  ;(await waiting).unlock()
  assert.equal(mutex.isLocked, false)
})

test('lock() and lockSync() fail with ERR_TELAR_TIMEOUT at their timeout', async (t) => {
  const mutex = new Mutex()
  const thread = startThread(t, (mutex, { Mutex }, { parentPort }) => {
    const guard = Mutex.from(mutex).lockSync()
    parentPort.postMessage('locked')
    parentPort.once('message', () => guard.unlock())
  }, mutex)
  await thread.message()
  for (const timeout of [0, 1, 5.5]) {
    assert.throws(() => mutex.lockSync({ timeout }),
      { code: 'ERR_TELAR_TIMEOUT', message: `Mutex.lockSync() timed out after ${timeout} ms` })
    await assert.rejects(mutex.lock({ timeout }), { code: 'ERR_TELAR_TIMEOUT' })
  }
  thread.worker.postMessage('unlock')
  mutex.lockSync({ timeout: 60_000 }).unlock()
  ;(await mutex.lock({ timeout: 60_000 })).unlock()
})

test('an aborted lock() rejects with an AbortError that carries the reason', async () => {
  const mutex = new Mutex()
  const reason = new Error('not needed')
  const guard = mutex.lockSync()
  const controller = new AbortController()
  const waiting = mutex.lock({ signal: controller.signal })
  const patient = mutex.lock()
  setImmediate(() => controller.abort(reason))
  await assert.rejects(waiting, (error) =>
    error instanceof AbortError && error instanceof TelarError && error.cause === reason)
  await assert.rejects(mutex.lock({ signal: controller.signal }), { name: 'AbortError' })
  assert.throws(() => mutex.lockSync({ signal: controller.signal }), { name: 'AbortError' })
  guard.unlock()
  ;(await patient).unlock()
  assert.throws(() => mutex.lockSync({ signal: controller.signal }), { name: 'AbortError' },
    'even if the lock is free')
})

test('an abort after the lock was taken changes nothing', async () => {
  const mutex = new Mutex()
  const controller = new AbortController()
  const guard = await mutex.lock({ signal: controller.signal })
  controller.abort()
  assert.equal(guard.isHeld, true)
  guard.unlock()
})

test('lock() and lockSync() check their arguments', async () => {
  const mutex = new Mutex()
  for (const [options, code] of [
    [5, 'ERR_TELAR_INVALID_ARGUMENT'],
    [null, 'ERR_TELAR_INVALID_ARGUMENT'],
    [{ timeout: -1 }, 'ERR_TELAR_INVALID_ARGUMENT'],
    [{ timeout: NaN }, 'ERR_TELAR_INVALID_ARGUMENT'],
    [{ timeout: '5' }, 'ERR_TELAR_INVALID_ARGUMENT'],
    [{ signal: {} }, 'ERR_TELAR_INVALID_ARGUMENT'],
    [{ timeuot: 5 }, 'ERR_TELAR_UNKNOWN_OPTION']
  ]) {
    assert.throws(() => mutex.lockSync(options), { code })
    await assert.rejects(mutex.lock(options), { code })
    assert.equal(mutex.isLocked, false)
  }
})

test('a mutex lets in one thread at a time', async (t) => {
  const mutex = new Mutex()
  const cells = new Int32Array(new SharedArrayBuffer(8))
  const kTurns = 20_000
  const body = async ({ mutex: received, cells, turns, isSync }, { Mutex }) => {
    const mutex = Mutex.from(received)
    for (let i = 0; i < turns; i++) {
      const guard = isSync ? mutex.lockSync() : await mutex.lock()
      const [a, b] = cells
      cells[0] = a + 1
      cells[1] = b - 1
      guard.unlock()
    }
    return mutex.isLocked
  }
  await Promise.all(
    [true, true, false].map((isSync) => inThread(t, body, { mutex, cells, turns: kTurns, isSync }))
  )
  assert.deepEqual([...cells], [3 * kTurns, -3 * kTurns])
})

const holdAndDie = (mutex, { Mutex }, { parentPort }) => {
  const guard = Mutex.from(mutex).lockSync()
  parentPort.postMessage(guard.isInconsistent)
  setInterval(() => {}, 1e6)
}

for (const how of ['terminate', 'exit', 'throw']) {
  test(`a lock passes on as inconsistent when its owner ends by ${how}`, async (t) => {
    const mutex = new Mutex()
    const thread = startThread(t, (mutex, { Mutex }, { parentPort }) => {
      Mutex.from(mutex).lockSync()
      parentPort.postMessage('locked')
      parentPort.once('message', (how) => {
        if (how === 'exit') process.exit(0)
        throw new Error('of the owner')
      })
    }, mutex)
    await thread.message()
    const waiting = mutex.lock()
    if (how === 'terminate') await thread.end()
    else thread.worker.postMessage(how)
    const guard = await waiting
    assert.equal(guard.isInconsistent, true)
    guard.unlock()
    const next = mutex.lockSync()
    assert.equal(next.isInconsistent, true, 'until someone calls markConsistent()')
    next.markConsistent()
    assert.equal(next.isInconsistent, false)
    next.unlock()
    assert.equal((await mutex.lock()).isInconsistent, false)
  })
}

test('lockSync() and tryLock() notice that the owner has ended', async (t) => {
  const mutex = new Mutex()
  for (const take of [() => mutex.lockSync(), () => mutex.tryLock()]) {
    const thread = startThread(t, holdAndDie, mutex)
    assert.equal(await thread.message(), false)
    assert.equal(mutex.tryLock(), null)
    await thread.end()
    const guard = take()
    assert.equal(guard.isInconsistent, true)
    guard.markConsistent()
    guard.unlock()
  }
})

test('threads that end while they wait do not block the others', async (t) => {
  const mutex = new Mutex()
  const guard = mutex.lockSync()
  const threads = [true, false, true].map((isSync) =>
    startThread(t, ({ mutex: received, isSync }, { Mutex }, { parentPort }) => {
      const mutex = Mutex.from(received)
      parentPort.postMessage('waits')
      if (isSync) mutex.lockSync()
      else mutex.lock()
    }, { mutex, isSync }))
  await Promise.all(threads.map((thread) => thread.message()))
  await new Promise((resolve) => setTimeout(resolve, 20)) // until one of them has reserved the lock
  const waiting = mutex.lock()
  await Promise.all(threads.map((thread) => thread.end()))
  guard.unlock()
  ;(await waiting).unlock()
  mutex.lockSync().unlock()
  mutex.tryLock().unlock()
  assert.equal(mutex.isLocked, false)
})

test('unlock() throws ERR_TELAR_NOT_HELD in a thread that does not hold the lock', async (t) => {
  const mutex = new Mutex()
  const guard = mutex.lockSync()
  const code = await inThread(t, (mutex, { Mutex }) => {
    try {
      Mutex.from(mutex).unlock()
    } catch (error) {
      return error.code
    }
  }, mutex)
  assert.equal(code, 'ERR_TELAR_NOT_HELD')
  assert.equal(guard.isHeld, true)
  guard.unlock()
})

test('a thread whose event loop is busy lets others take the lock', async (t) => {
  const mutex = new Mutex()
  const flag = new Int32Array(new SharedArrayBuffer(4))
  const guard = mutex.lockSync()
  const thread = startThread(t, ({ mutex, flag }, { Mutex }, { parentPort }) => {
    Mutex.from(mutex).lock().then((guard) => {
      guard.unlock()
      parentPort.postMessage('done')
    })
    setTimeout(() => { // by then the lock is reserved for this thread
      Atomics.store(flag, 0, 1)
      Atomics.notify(flag, 0)
      Atomics.wait(flag, 0, 1)
    }, 20)
  }, { mutex, flag })
  await until(() => Atomics.load(flag, 0) === 1)
  guard.unlock()
  for (let i = 0; i < 3; i++) mutex.lockSync().unlock()
  Atomics.store(flag, 0, 2)
  Atomics.notify(flag, 0)
  assert.equal(await thread.message(), 'done')
})
