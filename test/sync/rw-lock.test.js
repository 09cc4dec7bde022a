'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { setImmediate: turn } = require('node:timers/promises')
const { RwLock } = require('../..')
const { inThread, startThread } = require('../fixtures/sync/threads')

test('readers share the lock, and a writer excludes all others', async () => {
  const lock = new RwLock()
  const first = lock.readSync()
  const second = await lock.read()
  const third = lock.tryRead()
  assert.ok(first.isHeld && second.isHeld && third.isHeld)
  assert.equal(lock.tryWrite(), null)
  first.unlock()
  second.unlock()
  assert.equal(lock.tryWrite(), null)
  third[Symbol.dispose]()
  third[Symbol.dispose]()
  assert.throws(() => third.unlock(), { code: 'ERR_TELAR_NOT_HELD' })

  const writer = lock.tryWrite()
  assert.equal(lock.tryRead(), null)
  assert.equal(lock.tryWrite(), null)
  writer.unlock()
  assert.throws(() => writer.unlock(), { code: 'ERR_TELAR_NOT_HELD' })
  assert.throws(() => writer.markConsistent(), { code: 'ERR_TELAR_NOT_HELD' })
  lock.writeSync().unlock()
  ;(await lock.write()).unlock()
  lock.tryRead().unlock()
})

test('a synchronous call throws ERR_TELAR_DEADLOCK if its own thread holds the lock', () => {
  const lock = new RwLock()
  const reader = lock.readSync()
  assert.throws(() => lock.writeSync(), { code: 'ERR_TELAR_DEADLOCK' })
  lock.readSync().unlock()
  reader.unlock()
  const writer = lock.writeSync()
  assert.throws(() => lock.writeSync(), { code: 'ERR_TELAR_DEADLOCK' })
  assert.throws(() => lock.readSync(), { code: 'ERR_TELAR_DEADLOCK' })
  writer.unlock()
  lock.readSync().unlock()
})

test('the lock admits many readers or one writer among the tasks of a thread', async () => {
  const lock = new RwLock()
  let readers = 0
  let writers = 0
  let most = 0
  await Promise.all(Array.from({ length: 40 }, async (_, i) => {
    const isWriter = i % 5 === 0
    const guard = isWriter ? await lock.write() : await lock.read()
    if (isWriter) writers++
    else readers++
    most = Math.max(most, readers)
    assert.ok(writers === 0 || (writers === 1 && readers === 0),
      `${writers} writers, ${readers} readers`)
    await turn()
    if (isWriter) writers--
    else readers--
    guard.unlock()
  }))
  assert.ok(most > 1)
  lock.writeSync().unlock()
})

test('synchronous calls go before a waiting writer of their thread', async (t) => {
  const lock = new RwLock()
  const thread = startThread(t, (lock, { RwLock }, { parentPort }) => {
    const guard = RwLock.from(lock).readSync()
    parentPort.postMessage('reads')
    parentPort.once('message', () => guard.unlock())
  }, lock)
  await thread.message()
  const waiting = lock.write() // closes the gate and waits for the reader
  lock.readSync().unlock()
  assert.equal(lock.tryWrite(), null)
  assert.throws(() => lock.writeSync({ timeout: 5 }), { code: 'ERR_TELAR_TIMEOUT' })
  thread.worker.postMessage('unlock')
  lock.writeSync().unlock()
  ;(await waiting).unlock()
})

test('a reader or writer that times out or is aborted leaves the lock as it was', async (t) => {
  const lock = new RwLock()
  const thread = startThread(t, (lock, { RwLock }, { parentPort }) => {
    let guard = RwLock.from(lock).readSync()
    parentPort.postMessage('reads')
    parentPort.on('message', async (message) => {
      guard.unlock()
      if (message === 'end') return parentPort.unref()
      guard = RwLock.from(lock).writeSync()
      parentPort.postMessage('writes')
    })
  }, lock)
  await thread.message()
  for (const timeout of [0, 5]) {
    assert.throws(() => lock.writeSync({ timeout }), { code: 'ERR_TELAR_TIMEOUT' })
    await assert.rejects(lock.write({ timeout }), { code: 'ERR_TELAR_TIMEOUT' })
    lock.tryRead().unlock()
  }
  await assert.rejects(lock.write({ signal: AbortSignal.timeout(5) }), { name: 'AbortError' })
  lock.tryRead().unlock()
  thread.worker.postMessage('write')
  await thread.message()
  for (const timeout of [0, 5]) {
    assert.throws(() => lock.readSync({ timeout }), { code: 'ERR_TELAR_TIMEOUT' })
    assert.throws(() => lock.writeSync({ timeout }), { code: 'ERR_TELAR_TIMEOUT' })
    await assert.rejects(lock.read({ timeout }), { code: 'ERR_TELAR_TIMEOUT' })
  }
  await assert.rejects(lock.read({ signal: AbortSignal.timeout(5) }), { name: 'AbortError' })
  thread.worker.postMessage('end')
  ;(await lock.write()).unlock()
  lock.readSync().unlock()
})

test('a reader in any thread sees no half-written data', async (t) => {
  const lock = new RwLock()
  const cells = new Int32Array(new SharedArrayBuffer(8))
  const kWrites = 3000
  const body = async ({ lock: received, cells, writes, isSync }, { RwLock }) => {
    const lock = RwLock.from(received)
    let torn = 0
    for (let i = 0; i < writes; i++) {
      const writer = isSync ? lock.writeSync() : await lock.write()
      cells[0]++
      cells[1]++
      writer.unlock()
      for (let k = 0; k < 4; k++) {
        const reader = isSync ? lock.readSync() : await lock.read()
        if (cells[0] !== cells[1]) torn++
        reader.unlock()
      }
    }
    return torn
  }
  const torn = await Promise.all(
    [true, true, false].map((isSync) => inThread(t, body, { lock, cells, writes: kWrites, isSync }))
  )
  assert.deepEqual(torn, [0, 0, 0])
  assert.deepEqual([...cells], [3 * kWrites, 3 * kWrites])
})

test('a reader whose thread was ended no longer counts', async (t) => {
  const lock = new RwLock()
  const thread = startThread(t, (lock, { RwLock }, { parentPort }) => {
    RwLock.from(lock).readSync()
    RwLock.from(lock).readSync()
    parentPort.postMessage('reads')
    setInterval(() => {}, 1e6)
  }, lock)
  await thread.message()
  assert.equal(lock.tryWrite(), null)
  const waiting = lock.write()
  await thread.end()
  const guard = await waiting
  assert.equal(guard.isInconsistent, false, 'the ended thread only read')
  guard.unlock()
  lock.tryWrite().unlock()
})

for (const next of ['writeSync', 'write', 'tryWrite', 'readSync', 'read', 'tryRead']) {
  test(`${next}() notices that the thread of the writer was ended`, async (t) => {
    const lock = new RwLock()
    const thread = startThread(t, (lock, { RwLock }, { parentPort }) => {
      RwLock.from(lock).writeSync()
      parentPort.postMessage('writes')
      setInterval(() => {}, 1e6)
    }, lock)
    await thread.message()
    await thread.end()
    const guard = await lock[next]()
    assert.equal(guard.isInconsistent, true)
    guard.unlock()
    const writer = lock.tryWrite()
    assert.equal(writer.isInconsistent, true)
    writer.markConsistent()
    writer.unlock()
    assert.equal(lock.readSync().isInconsistent, false)
  })
}

test('a writer that was ended while it waited leaves the lock consistent', async (t) => {
  const lock = new RwLock()
  const reader = lock.readSync()
  const thread = startThread(t, (lock, { RwLock }, { parentPort }) => {
    parentPort.postMessage('waits')
    RwLock.from(lock).writeSync()
  }, lock)
  await thread.message()
  for (let other; (other = lock.tryRead()) !== null; await turn()) other.unlock()
  await thread.end()
  reader.unlock()
  const writer = await lock.write()
  assert.equal(writer.isInconsistent, false)
  writer.unlock()
  lock.tryRead().unlock()
})

test('places of threads that have ended are used again', async (t) => {
  const lock = new RwLock()
  for (let i = 0; i < 6; i++) {
    await Promise.all(
      [1, 2].map(() => inThread(t, (lock, { RwLock }) => { RwLock.from(lock).readSync() }, lock))
    )
    lock.writeSync().unlock()
  }
  lock.readSync().unlock()
})

test('a thread that meets a lock again takes no second place', async (t) => {
  const lock = new RwLock()
  const thread = startThread(t, (lock, { RwLock }, { parentPort }) => {
    RwLock.from(lock).readSync()
    parentPort.postMessage('reads')
    setInterval(() => {}, 1e6)
  }, lock)
  await thread.message()
  lock.readSync().unlock() // takes the second place
  await thread.end()
  // As if the object had been collected and received again.
  const data = lock['telar:shared']
  const again = RwLock.from({ 'telar:shared': { ...data, id: data.id + (1n << 40n) } })
  again.readSync().unlock()
  again.writeSync({ timeout: 60_000 }).unlock()
  lock.writeSync({ timeout: 60_000 }).unlock()
})
