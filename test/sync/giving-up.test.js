'use strict'

// A call gives up, by a timeout or a signal, at the very moment at which it is granted. Either it
// returns what it was granted, or that goes to another call.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const {
  Barrier, Channel, Condition, Counter, Latch, Mutex, Once, RwLock, Semaphore, notify, waitAsync
} = require('../..')
const { inThread, startThread } = require('../fixtures/sync/threads')

const turn = () => new Promise(setImmediate)

// Blocks this thread until the other one sets the flag. Its event loop learns nothing meanwhile.
function blockUntil (flag, value) {
  for (let now; (now = Atomics.load(flag, 0)) < value;) Atomics.wait(flag, 0, now)
}

function say (flag, value) {
  Atomics.store(flag, 0, value)
  Atomics.notify(flag, 0)
}

// A promise of this thread waits. Another thread grants what it waits for while this thread is
// blocked, and the call gives up before the event loop has turned.
//   make()                creates the object
//   before(object, hold)  runs in the other thread first, as text; hold() keeps a value for grant()
//   wait(object, limits)  the call
//   grant(object, held)   runs in the other thread, as text
//   granted               what the call must return; undefined if it may give up
//   check(object)         asserts what holds if the call has given up
//   isWithoutTimeout      the call takes no timeout
const cases = {
  'Barrier.wait()': {
    make: () => new Barrier(2),
    wait: (barrier, limits) => barrier.wait(limits),
    grant: (barrier) => { if (barrier.waitSync() !== true) throw new Error('not the last one') },
    granted: false
  },
  'Latch.wait()': {
    make: () => new Latch(1),
    wait: (latch, limits) => latch.wait(limits).then(() => 'open'),
    grant: (latch) => latch.countDown(),
    granted: 'open'
  },
  'Condition.wait()': {
    make: () => new Condition(),
    wait: (condition, limits) => condition.wait(new Mutex().lockSync(), limits),
    grant: (condition) => condition.notifyOne(),
    granted: true
  },
  'Mutex.lock()': {
    make: () => new Mutex(),
    before: (mutex) => { mutex.lockSync() },
    wait: (mutex, limits) => mutex.lock(limits),
    grant: (mutex) => mutex.unlock(),
    check: (mutex) => mutex.lockSync({ timeout: 10_000 }).unlock()
  },
  'Semaphore.acquire()': {
    make: () => new Semaphore(0, 1),
    wait: (semaphore, limits) => semaphore.acquire(limits),
    grant: (semaphore) => semaphore.release(),
    check: (semaphore) => assert.equal(semaphore.available, 1)
  },
  'RwLock.read()': {
    make: () => new RwLock(),
    before: (lock, hold) => hold(lock.writeSync()),
    wait: (lock, limits) => lock.read(limits),
    grant: (lock, guard) => guard.unlock(),
    check: (lock) => lock.writeSync({ timeout: 10_000 }).unlock()
  },
  'RwLock.write()': {
    make: () => new RwLock(),
    before: (lock, hold) => hold(lock.readSync()),
    wait: (lock, limits) => lock.write(limits),
    grant: (lock, guard) => guard.unlock(),
    check: (lock) => {
      lock.readSync({ timeout: 10_000 }).unlock()
      lock.writeSync({ timeout: 10_000 }).unlock()
    }
  },
  'Once.run()': {
    make: () => new Once(),
    before: (once, hold) => {
      once.run(() => new Promise((resolve) => hold(resolve))).then(() => {})
    },
    wait: (once, limits) => once.run(() => {}, limits),
    grant: (once, finish) => finish(),
    check: async (once) => assert.equal(await once.run(() => {}, { timeout: 10_000 }), false)
  },
  'Channel.receive()': {
    make: () => new Channel(),
    wait: (channel, { signal }) => channel.receive({ signal }),
    grant: (channel) => channel.trySend('record'),
    check: (channel) => {
      const result = channel.receiveSync({ timeout: 10_000 })
      assert.deepEqual(result, { value: 'record', done: false })
    },
    isWithoutTimeout: true
  },
  'Channel.receiveBytes()': {
    make: () => new Channel(),
    wait: (channel, { signal }) => channel.receiveBytes({ signal }),
    grant: (channel) => channel.trySendBytes(new Uint8Array([5])),
    check: (channel) => {
      const { bytes } = channel.receiveBytesSync({ timeout: 10_000 })
      assert.deepEqual([...bytes], [5])
    },
    isWithoutTimeout: true
  },
  'Channel.send()': {
    make: () => fill(new Channel({ capacity: 4096 })),
    wait: (channel, { signal }) => channel.send('record', { signal }),
    grant: (channel) => channel.tryReceive(),
    check: (channel) => {
      for (let result; (result = channel.tryReceive()) !== undefined;) {
        assert.equal(result.value, 'filled')
      }
    },
    isWithoutTimeout: true
  },
  'Channel.reserve()': {
    make: () => fill(new Channel({ capacity: 4096 })),
    wait: (channel, { signal }) => channel.reserve(10, { signal }),
    grant: (channel) => channel.tryReceive(),
    check: (channel) => assert.equal(channel.trySend('filled'), true),
    isWithoutTimeout: true
  }
}

function fill (channel) {
  while (channel.trySend('filled'));
  return channel
}

for (const [name, { make, before, wait, grant, granted, check, isWithoutTimeout }] of
  Object.entries(cases)) {
  for (const how of isWithoutTimeout ? ['signal'] : ['signal', 'timeout']) {
    test(`${name} loses nothing when its ${how} ends it as it is granted`, async (t) => {
      const object = make()
      const flag = new Int32Array(new SharedArrayBuffer(4))
      const thread = startThread(t, `async ({ object, flag, kind }, telar, { parentPort }) => {
        const shared = telar[kind].from(object)
        let held = undefined
        const hold = (value) => { held = value }
        await (${before ?? '() => {}'})(shared, hold)
        parentPort.postMessage('ready')
        Atomics.wait(flag, 0, 0)
        ;(${grant})(shared, held)
        await new Promise(setImmediate) // until what runs in microtasks is done
        Atomics.store(flag, 0, 2)
        Atomics.notify(flag, 0)
        setInterval(() => {}, 1e6)
      }`, { object, flag, kind: object.constructor.name })
      await thread.message()

      const controller = new AbortController()
      const kTimeout = 60
      const limits = how === 'signal' ? { signal: controller.signal } : { timeout: kTimeout }
      const outcome = wait(object, limits)
        .then((value) => ({ value }), (error) => ({ code: error.code }))
      await turn() // it has gone to sleep
      const end = performance.now() + kTimeout
      say(flag, 1)
      blockUntil(flag, 2)
      if (how === 'signal') controller.abort()
      else while (performance.now() <= end);
      const result = await outcome
      if (granted !== undefined) return assert.deepEqual(result, { value: granted })
      if (result.code === undefined) {
        (result.value?.unlock ?? result.value?.release)?.call(result.value)
      } else {
        assert.equal(result.code, how === 'signal' ? 'ERR_TELAR_ABORTED' : 'ERR_TELAR_TIMEOUT')
      }
      await check(object)
    })
  }
}

test('an abort of Counter.waitFor() as its number comes leaves the counter alone', async () => {
  const counter = new Counter()
  const controller = new AbortController()
  const given = counter.waitFor((value) => value === 1, { signal: controller.signal })
  counter.increment()
  controller.abort()
  await given.catch((error) => assert.equal(error.code, 'ERR_TELAR_ABORTED'))
  assert.equal(await counter.waitFor((value) => value === 1), 1)
})

test('waitAsync() reports a change that came before its abort', async () => {
  const words = new Int32Array(new SharedArrayBuffer(4))
  const controller = new AbortController()
  const waiting = waitAsync(words, 0, 0, { signal: controller.signal })
  await turn()
  Atomics.store(words, 0, 1)
  notify(words, 0, 1)
  controller.abort()
  assert.equal(await waiting, 'ok')
})

// ---- At random ----

const limit = { timeout: 300_000 }

test('a barrier counts one call per party in each round, whatever gives up', limit, async (t) => {
  const kParties = 3
  const kCalls = 10_000
  const barrier = new Barrier(kParties)
  const calls = new Int32Array(new SharedArrayBuffer(4))
  const body = async ({ barrier: received, calls, kCalls, me }, { Barrier }) => {
    const barrier = Barrier.from(received)
    let passed = 0
    let last = 0
    let gaveUp = 0
    const settled = (isLast) => {
      passed++
      if (isLast) last++
    }
    for (let i = 0; Atomics.add(calls, 0, 1) < kCalls; i++) {
      const isSync = (i + me) % 3 === 0
      const controller = new AbortController()
      try {
        if (isSync) {
          settled(barrier.waitSync({ timeout: (i % 5) / 10 }))
        } else if (i % 2 === 0) {
          settled(await barrier.wait({ timeout: i % 3 }))
        } else {
          const waiting = barrier.wait({ signal: controller.signal })
          if (i % 4 === 1) setImmediate(() => controller.abort())
          else setTimeout(() => controller.abort(), 1)
          settled(await waiting)
        }
      } catch (error) {
        if (error.code !== 'ERR_TELAR_TIMEOUT' && error.code !== 'ERR_TELAR_ABORTED') throw error
        gaveUp++
      }
      if (i % 16 === 0) await new Promise(setImmediate)
    }
    return { passed, last, gaveUp }
  }
  const threads = [0, 1, 2, 3].map((me) => inThread(t, body, { barrier, calls, kCalls, me }))
  const sums = { passed: 0, last: 0, gaveUp: 0 }
  for (const result of await Promise.all(threads)) {
    for (const name in sums) sums[name] += result[name]
  }
  t.diagnostic(JSON.stringify(sums))
  assert.ok(sums.last > 0 && sums.gaveUp > 0)
  assert.equal(sums.passed, kParties * sums.last)
  assert.equal(barrier.waiting, 0)
})

test('a semaphore loses no permit when calls give up as one comes', limit, async (t) => {
  const kPermits = 2
  const kCalls = 20_000
  const semaphore = new Semaphore(kPermits)
  const calls = new Int32Array(new SharedArrayBuffer(4))
  const body = async ({ semaphore: received, calls, kCalls, me }, { Semaphore }) => {
    const semaphore = Semaphore.from(received)
    const counts = { got: 0, gaveUp: 0 }
    for (let i = 0; Atomics.add(calls, 0, 1) < kCalls; i++) {
      const controller = new AbortController()
      try {
        let permit
        if ((i + me) % 3 === 0) permit = semaphore.acquireSync({ timeout: (i % 5) / 10 })
        else if (i % 2 === 0) permit = await semaphore.acquire({ timeout: i % 3 })
        else {
          const waiting = semaphore.acquire({ signal: controller.signal })
          setImmediate(() => controller.abort())
          permit = await waiting
        }
        counts.got++
        for (let spin = 0; spin < 2000; spin++);
        if (i % 3 === 0) await new Promise(setImmediate)
        permit.release()
      } catch (error) {
        if (error.code !== 'ERR_TELAR_TIMEOUT' && error.code !== 'ERR_TELAR_ABORTED') throw error
        counts.gaveUp++
      }
    }
    return counts
  }
  const threads = [0, 1, 2, 3].map((me) => inThread(t, body, { semaphore, calls, kCalls, me }))
  const results = await Promise.all(threads)
  t.diagnostic(JSON.stringify(results))
  for (const what of ['got', 'gaveUp']) assert.ok(results.some((counts) => counts[what] > 0), what)
  assert.equal(semaphore.available, kPermits)
})

test('a channel delivers once what it reported as sent, and nothing else', limit, async (t) => {
  const channel = new Channel({ capacity: 4096 })
  const kCalls = 10_000
  const calls = new Int32Array(new SharedArrayBuffer(4))
  const send = async ({ channel: received, calls, kCalls, me }, { Channel }) => {
    const channel = Channel.from(received)
    const sent = []
    for (let i = 0; Atomics.add(calls, 0, 1) < kCalls; i++) {
      const value = me * 1e8 + i
      try {
        if (i % 3 === 0) channel.sendSync(value, { timeout: (i % 4) / 10 })
        else if (i % 4 === 0) await channel.send(value, { timeout: i % 5 })
        else {
          const controller = new AbortController()
          const sending = channel.send(value, { signal: controller.signal })
          if (i % 3 === 1) setImmediate(() => controller.abort())
          else queueMicrotask(() => controller.abort())
          await sending
        }
        sent.push(value)
      } catch (error) {
        if (error.code !== 'ERR_TELAR_TIMEOUT' && error.code !== 'ERR_TELAR_ABORTED') throw error
      }
    }
    return sent
  }
  const receive = async ({ channel: received, me }, { Channel }) => {
    const channel = Channel.from(received)
    const values = []
    for (let i = 0; ; i++) {
      try {
        let result
        if ((i + me) % 3 === 0) result = channel.receiveSync({ timeout: (i % 4) / 10 })
        else if (i % 4 === 0) result = await channel.receive({ timeout: i % 5 })
        else {
          const controller = new AbortController()
          const receiving = channel.receive({ signal: controller.signal })
          setImmediate(() => controller.abort())
          result = await receiving
        }
        if (result.done) return values
        values.push(result.value)
      } catch (error) {
        if (error.code !== 'ERR_TELAR_TIMEOUT' && error.code !== 'ERR_TELAR_ABORTED') throw error
      }
    }
  }
  channel.trySend(0) // receivers wait as long as this thread may send more
  const receivers = [0, 1].map((me) => inThread(t, receive, { channel, me }))
  const senders = [1, 2].map((me) => inThread(t, send, { channel, calls, kCalls, me }))
  const sent = [0, ...(await Promise.all(senders)).flat()]
  await channel.close()
  const values = (await Promise.all(receivers)).flat()
  t.diagnostic(`${sent.length} records`)
  assert.ok(sent.length > 1)
  assert.deepEqual(values.sort((a, b) => a - b), sent.sort((a, b) => a - b))
})
