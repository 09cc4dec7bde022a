'use strict'

// Something else writes to the memory of a primitive. Whatever the memory holds, every call ends,
// either with a result or with an error of telar.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const telar = require('../..')
const { createRandom } = require('../fixtures/random')

const { Barrier, Counter, Latch, Mutex, Once, RwLock, Semaphore } = telar
const wordsOf = (object) => new Int32Array(object['telar:shared'].memory)
const corrupt = { code: 'ERR_TELAR_CORRUPT_STATE' }
// The index of the state that threads compete for: see lib/sync/memory.js.
const kState = 16

const soon = { timeout: 0.5 }
const give = (guard) => guard?.[Symbol.dispose]?.()
// Every call of each kind. Calls that wait have a timeout.
const calls = {
  Barrier: {
    make: () => new Barrier(2),
    run: [(o) => o.waitSync(soon), (o) => o.wait(soon), (o) => o.tryWait(), (o) => o.waiting]
  },
  Condition: {
    make: () => new telar.Condition(),
    run: [
      (o) => o.notifyOne(),
      (o) => o.waitSync(new Mutex().lockSync(), soon),
      (o) => o.wait(new Mutex().lockSync(), soon),
      (o) => o.notifyAll()
    ]
  },
  Counter: {
    make: () => new Counter(),
    run: [
      (o) => o.add(1),
      (o) => o.tryAdd(1),
      (o) => o.exchange(5),
      (o) => o.compareExchange(5, 6),
      (o) => o.waitForSync(() => false, soon),
      (o) => o.waitFor(() => false, soon)
    ]
  },
  Latch: {
    make: () => new Latch(2),
    run: [
      (o) => o.waitSync(soon),
      (o) => o.wait(soon),
      (o) => o.tryWait(),
      (o) => o.countDown(),
      (o) => o.count
    ]
  },
  Mutex: {
    make: () => new Mutex(),
    run: [
      (o) => give(o.lockSync(soon)),
      async (o) => give(await o.lock(soon)),
      (o) => give(o.tryLock()),
      (o) => o.isLocked,
      (o) => o.unlock()
    ]
  },
  Once: {
    make: () => new Once(),
    run: [
      (o) => o.runSync(() => {}, soon),
      (o) => o.run(() => {}, soon),
      (o) => o.tryRun(() => {}),
      (o) => o.isDone
    ]
  },
  RwLock: {
    make: () => new RwLock(),
    run: [
      (o) => give(o.readSync(soon)),
      async (o) => give(await o.read(soon)),
      (o) => give(o.tryRead()),
      (o) => give(o.writeSync(soon)),
      async (o) => give(await o.write(soon)),
      (o) => give(o.tryWrite())
    ]
  },
  Semaphore: {
    make: () => new Semaphore(1, 3),
    run: [
      (o) => give(o.acquireSync(soon)),
      async (o) => give(await o.acquire(soon)),
      (o) => give(o.tryAcquire()),
      (o) => o.release(),
      (o) => o.available
    ]
  }
}

async function callAll (object, run) {
  for (const call of run) {
    try {
      await call(object)
    } catch (error) {
      assert.match(String(error.code), /^ERR_TELAR_/, error.stack)
    }
  }
}

const rubbish = [
  -1, 1, 0x7fff_ffff, -0x8000_0000, 0x4000_0000, 0x3fff_ffff, 0x1234_5678, -0x7fff_ffff
]

for (const [kind, { make, run }] of Object.entries(calls)) {
  test(`${kind}: every call ends when any one word holds garbage`, async () => {
    const { length } = wordsOf(make())
    for (let word = 1; word < Math.min(length, 52); word++) {
      for (const value of rubbish) {
        const object = make()
        wordsOf(object)[word] = value
        await callAll(object, run)
      }
    }
  })

  test(`${kind}: every call ends while garbage is written to all words`, async () => {
    const random = createRandom(1)
    for (let i = 0; i < 60; i++) {
      const object = make()
      const words = wordsOf(object)
      await callAll(object, run.map((call) => (object) => {
        for (let k = 0; k < 4; k++) {
          const at = random.below(52) % words.length
          words[at] = random.pick([...rubbish, random.below(2 ** 31), 0])
        }
        return call(object)
      }))
    }
  })

  test(`${kind}: from() refuses memory that is not its own`, () => {
    const data = make()['telar:shared']
    const memory = new SharedArrayBuffer(data.memory.byteLength)
    const forged = (memory) => ({ 'telar:shared': { ...data, id: data.id + (1n << 40n), memory } })
    assert.throws(() => telar[kind].from(forged(memory)), corrupt)
    const { byteLength } = memory
    for (const wrong of [undefined, new SharedArrayBuffer(8), new ArrayBuffer(byteLength), {}]) {
      assert.throws(() => telar[kind].from(forged(wrong)), { code: 'ERR_TELAR_NOT_SHARED' })
    }
  })
}

test('a mutex whose owner is no thread throws ERR_TELAR_CORRUPT_STATE', async () => {
  const mutex = new Mutex()
  wordsOf(mutex)[kState] = 0x3fff_ffff
  assert.throws(() => mutex.lockSync(), {
    ...corrupt,
    message: new RegExp('^Expected the number of a thread as the owner ' +
      'in the shared memory of a Mutex but found 1073741823\\.')
  })
  assert.throws(() => mutex.tryLock(), corrupt)
  await assert.rejects(mutex.lock(), corrupt)
})

test('unlock() throws ERR_TELAR_CORRUPT_STATE when the mutex has lost its owner', () => {
  const mutex = new Mutex()
  const guard = mutex.lockSync()
  wordsOf(mutex)[kState] = 0
  assert.throws(() => guard.unlock(), corrupt)
  assert.equal(guard.isHeld, false)
})

test('a mutex that this thread owns without a guard throws ERR_TELAR_CORRUPT_STATE', async () => {
  const mutex = new Mutex()
  const other = new Mutex()
  other.lockSync()
  wordsOf(mutex)[kState] = wordsOf(other)[kState]
  assert.throws(() => mutex.lockSync(), corrupt)
  await assert.rejects(mutex.lock(), corrupt)
  assert.equal(mutex.tryLock(), null)
})

test('a semaphore with more permits than its maximum throws ERR_TELAR_CORRUPT_STATE', async () => {
  const semaphore = new Semaphore(1, 3)
  wordsOf(semaphore)[kState] = 4
  assert.throws(() => semaphore.acquireSync(), corrupt)
  assert.throws(() => semaphore.tryAcquire(), corrupt)
  assert.throws(() => semaphore.release(), corrupt)
  await assert.rejects(semaphore.acquire(), corrupt)
})

test('an RwLock with impossible counts throws ERR_TELAR_CORRUPT_STATE', async () => {
  const lock = new RwLock()
  const reader = lock.readSync()
  const words = wordsOf(lock)
  words[49] = -1 // the readers of the first place
  assert.throws(() => lock.writeSync(), corrupt)
  await assert.rejects(lock.write(), corrupt)
  words[49] = 0
  assert.throws(() => reader.unlock(), corrupt)
  words[34] = 257 // the number of places in use
  assert.throws(() => lock.writeSync(), corrupt)
  words[34] = 1
  lock.writeSync().unlock()
})

test('an RwLock whose gate names no thread throws ERR_TELAR_CORRUPT_STATE', async () => {
  const lock = new RwLock()
  wordsOf(lock)[32] = 0x3fff_ffff
  assert.throws(() => lock.readSync(), corrupt)
  assert.throws(() => lock.tryRead(), corrupt)
  await assert.rejects(lock.read(), corrupt)
})

test('latch, barrier and Once throw ERR_TELAR_CORRUPT_STATE in impossible states', async () => {
  const latch = new Latch(1)
  wordsOf(latch)[kState] = -1
  for (const call of [
    () => latch.count, () => latch.countDown(), () => latch.waitSync(), () => latch.tryWait()
  ]) {
    assert.throws(call, corrupt)
  }
  await assert.rejects(latch.wait(), corrupt)
  const barrier = new Barrier(2)
  wordsOf(barrier)[kState] = 2
  for (const call of [() => barrier.waiting, () => barrier.waitSync(), () => barrier.tryWait()]) {
    assert.throws(call, corrupt)
  }
  await assert.rejects(barrier.wait(), corrupt)
  const once = new Once()
  wordsOf(once)[kState + 8] = 2
  assert.throws(() => once.isDone, corrupt)
  assert.throws(() => once.runSync(() => {}), corrupt)
})

test('a mutex ignores a reservation for a thread that does not exist', async () => {
  for (const heir of [[0, 0], [0x3fff_ffff, 5], [-1, -1]]) {
    const mutex = new Mutex()
    const words = wordsOf(mutex)
    words[kState] = -0x8000_0000
    words[kState + 4] = heir[0]
    words[kState + 5] = heir[1]
    mutex.lockSync().unlock()
    assert.equal(words[kState], 0)
    ;(await mutex.lock()).unlock()
  }
})
