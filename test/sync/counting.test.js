'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const fc = require('fast-check')
const { Barrier, Counter, Latch, Once } = require('../..')
const { inThread, startThread } = require('../fixtures/sync/threads')

// ---- Latch ----

test('a latch opens at zero and stays open', async () => {
  const latch = new Latch(3)
  const waiting = latch.wait()
  latch.countDown()
  latch.countDown(1)
  assert.equal(latch.count, 1)
  assert.equal(latch.tryWait(), false)
  assert.throws(() => latch.waitSync({ timeout: 5 }), { code: 'ERR_TELAR_TIMEOUT' })
  await assert.rejects(latch.wait({ timeout: 5 }), { code: 'ERR_TELAR_TIMEOUT' })
  await assert.rejects(latch.wait({ signal: AbortSignal.timeout(5) }), { name: 'AbortError' })
  latch.countDown(5)
  await waiting
  assert.equal(latch.count, 0)
  latch.countDown()
  latch.waitSync()
  assert.equal(latch.tryWait(), true)
  new Latch(0).waitSync()
  for (const count of [-1, 1.5, '1', undefined, 2 ** 31]) {
    assert.throws(() => new Latch(count), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
  }
  assert.throws(() => latch.countDown(0), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
})

test('a latch opens for threads that block on it', async (t) => {
  const latch = new Latch(3)
  const waiting = [1, 2].map(() => inThread(t, (latch, { Latch }) => {
    latch = Latch.from(latch)
    latch.countDown()
    latch.waitSync()
    return latch.count
  }, latch))
  while (latch.count > 1) await new Promise(setImmediate)
  latch.countDown()
  assert.deepEqual(await Promise.all(waiting), [0, 0])
})

// ---- Barrier ----

test('a barrier lets all parties go when the last one arrives, and tells that one', async () => {
  const barrier = new Barrier(3)
  for (let round = 0; round < 3; round++) {
    const waiting = [barrier.wait(), barrier.wait()]
    assert.equal(barrier.waiting, 2)
    const last = round === 1 ? barrier.tryWait() : barrier.waitSync()
    assert.equal(last, true)
    assert.deepEqual(await Promise.all(waiting), [false, false])
    assert.equal(barrier.waiting, 0)
  }
  assert.equal(barrier.tryWait(), false)
  assert.equal(barrier.parties, 3)
  assert.equal(new Barrier(1).waitSync(), true)
  for (const parties of [0, 1.5, '1', undefined, 2 ** 14]) {
    assert.throws(() => new Barrier(parties), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
  }
})

test('a call that gives up at a barrier does not count as arrived', async () => {
  const barrier = new Barrier(2)
  assert.throws(() => barrier.waitSync({ timeout: 5 }), { code: 'ERR_TELAR_TIMEOUT' })
  await assert.rejects(barrier.wait({ timeout: 5 }), { code: 'ERR_TELAR_TIMEOUT' })
  await assert.rejects(barrier.wait({ signal: AbortSignal.timeout(5) }), { name: 'AbortError' })
  assert.equal(barrier.waiting, 0)
  const waiting = barrier.wait()
  assert.equal(barrier.waitSync(), true)
  assert.equal(await waiting, false)
})

test('threads at a barrier step together from round to round', async (t) => {
  const barrier = new Barrier(3)
  const steps = new Int32Array(new SharedArrayBuffer(12))
  const kRounds = 500
  const body = async ({ barrier: received, steps, me, rounds, isSync }, { Barrier }) => {
    const barrier = Barrier.from(received)
    let lasts = 0
    let apart = 0
    for (let round = 1; round <= rounds; round++) {
      Atomics.store(steps, me, round)
      if (isSync ? barrier.waitSync() : await barrier.wait()) lasts++
      for (let i = 0; i < 3; i++) {
        const step = Atomics.load(steps, i)
        if (step !== round && step !== round + 1) apart++
      }
    }
    return { lasts, apart }
  }
  const results = await Promise.all([true, true, false].map((isSync, me) =>
    inThread(t, body, { barrier, steps, me, rounds: kRounds, isSync })))
  assert.equal(results.reduce((sum, { lasts }) => sum + lasts, 0), kRounds)
  assert.equal(results.reduce((sum, { apart }) => sum + apart, 0), 0)
})

// ---- Once ----

test('a Once runs a single function a single time', async () => {
  const once = new Once()
  assert.equal(once.isDone, false)
  let runs = 0
  const all = await Promise.all([1, 2, 3].map(() => once.run(async () => {
    await new Promise(setImmediate)
    runs++
  })))
  assert.deepEqual(all.sort(), [false, false, true])
  assert.equal(runs, 1)
  assert.equal(once.isDone, true)
  assert.equal(once.runSync(() => { runs++ }), false)
  assert.equal(once.tryRun(() => { runs++ }), false)
  assert.equal(await once.run(() => { runs++ }), false)
  assert.equal(runs, 1)
  for (const run of [undefined, 5, {}]) {
    assert.throws(() => once.runSync(run), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
  }
})

test('a Once whose function throws runs the next one', async () => {
  const once = new Once()
  assert.throws(() => once.runSync(() => { throw new Error('first') }), /first/)
  await assert.rejects(once.run(async () => { throw new Error('second') }), /second/)
  assert.throws(() => once.tryRun(() => { throw new Error('third') }), /third/)
  assert.equal(once.isDone, false)
  assert.equal(once.tryRun((wasInterrupted) => assert.equal(wasInterrupted, false)), true)
  assert.equal(once.isDone, true)
})

test('a Once refuses to run inside itself, and other callers wait or go without', async () => {
  const once = new Once()
  once.runSync(() => {
    assert.throws(() => once.runSync(() => {}), { code: 'ERR_TELAR_DEADLOCK' })
    assert.equal(once.tryRun(() => {}), false)
  })
  const slow = new Once()
  let finish
  const running = slow.run(() => new Promise((resolve) => { finish = resolve }))
  await new Promise(setImmediate)
  assert.equal(slow.tryRun(() => {}), false)
  await assert.rejects(slow.run(() => {}, { timeout: 5 }), { code: 'ERR_TELAR_TIMEOUT' })
  await assert.rejects(slow.run(() => {}, { signal: AbortSignal.timeout(5) }),
    { name: 'AbortError' })
  finish()
  assert.equal(await running, true)
})

test('a Once runs one function across threads, even if the thread that runs it ends', async (t) => {
  const once = new Once()
  const runs = new Int32Array(new SharedArrayBuffer(4))
  const thread = startThread(t, (once, { Once }, { parentPort }) => {
    Once.from(once).runSync(() => {
      parentPort.postMessage('runs')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    })
  }, once)
  await thread.message()
  const others = [true, false].map((isSync) =>
    inThread(t, async ({ once: received, runs, isSync }, { Once }) => {
      const once = Once.from(received)
      let interrupted = null
      const run = (wasInterrupted) => {
        interrupted = wasInterrupted
        Atomics.add(runs, 0, 1)
      }
      const ran = isSync ? once.runSync(run) : await once.run(run)
      return { ran, interrupted }
    }, { once, runs, isSync }))
  await thread.end()
  const results = await Promise.all(others)
  assert.equal(runs[0], 1)
  assert.deepEqual(results.filter(({ ran }) => ran), [{ ran: true, interrupted: true }])
})

// ---- Counter ----

for (const bits of [32, 64]) {
  const number = (value) => bits === 64 ? BigInt(value) : value

  test(`a counter of ${bits} bits counts, compares and exchanges`, () => {
    const counter = new Counter({ bits, value: number(5) })
    assert.equal(counter.bits, bits)
    assert.equal(counter.value, number(5))
    assert.equal(counter.add(number(3)), number(8))
    assert.equal(counter.increment(), number(9))
    assert.equal(counter.decrement(), number(8))
    assert.equal(counter.exchange(number(-1)), number(8))
    assert.equal(counter.compareExchange(number(0), number(1)), false)
    assert.equal(counter.compareExchange(number(-1), number(1)), true)
    assert.equal(counter.tryAdd(number(2), { max: number(2) }), false)
    assert.equal(counter.tryAdd(number(-2), { min: number(0) }), false)
    assert.equal(counter.tryAdd(number(1), { min: number(0), max: number(2) }), true)
    assert.equal(counter.value, number(2))
    assert.equal(new Counter({ bits }).value, number(0))
    for (const wrong of [
      bits === 64 ? 1 : 1n,
      1.5,
      '1',
      undefined,
      bits === 64 ? 2n ** 63n : 2 ** 31
    ]) {
      assert.throws(() => counter.add(wrong), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
      assert.throws(() => counter.exchange(wrong), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
      assert.throws(() => counter.compareExchange(wrong, wrong),
        { code: 'ERR_TELAR_INVALID_ARGUMENT' })
      if (wrong !== undefined) {
        assert.throws(() => new Counter({ bits, value: wrong }),
          { code: 'ERR_TELAR_INVALID_ARGUMENT' })
      }
    }
    assert.throws(() => counter.tryAdd(number(1), { most: number(2) }),
      { code: 'ERR_TELAR_UNKNOWN_OPTION' })
  })

  test(`a counter of ${bits} bits behaves like an integer of ${bits} bits`, () => {
    const wrap = bits === 64 ? (sum) => BigInt.asIntN(64, sum) : (sum) => sum | 0
    const any = bits === 64
      ? fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)
      : fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
    const range = bits === 64
      ? { min: -(2n ** 63n), max: 2n ** 63n - 1n }
      : { min: -(2 ** 31), max: 2 ** 31 - 1 }
    fc.assert(fc.property(any, fc.array(
      fc.tuple(fc.constantFrom('add', 'exchange', 'increment', 'decrement', 'tryAdd'), any)
    ), (start, steps) => {
      const counter = new Counter({ bits, value: start })
      let model = start
      for (const [name, amount] of steps) {
        if (name === 'add') assert.equal(counter.add(amount), model = wrap(model + amount))
        if (name === 'increment') assert.equal(counter.increment(), model = wrap(model + number(1)))
        if (name === 'decrement') assert.equal(counter.decrement(), model = wrap(model - number(1)))
        if (name === 'exchange') {
          assert.equal(counter.exchange(amount), model)
          model = amount
        }
        if (name === 'tryAdd') {
          const sum = model + amount
          const fits = sum >= range.min && sum <= range.max
          assert.equal(counter.tryAdd(amount), fits)
          if (fits) model = sum
        }
        assert.equal(counter.value, model)
      }
    }))
  })

  test(`threads add to a counter of ${bits} bits and wait for its value`, async (t) => {
    const counter = new Counter({ bits })
    const kTurns = 30_000
    const total = number(2 * kTurns)
    const body = async ({ counter: received, turns, total, isSync }, { Counter }) => {
      const counter = Counter.from(received)
      for (let i = 0; i < turns; i++) counter.increment()
      const test = (value) => value >= total
      return isSync ? counter.waitForSync(test) : await counter.waitFor(test)
    }
    const threads = [true, false].map((isSync) =>
      inThread(t, body, { counter, turns: kTurns, total, isSync }))
    assert.equal(await counter.waitFor((value) => value === total), total)
    assert.deepEqual(await Promise.all(threads), [total, total])
  })
}

test('waitFor() whose function aborts its own call settles once', async (t) => {
  const latch = new Latch(1)
  const thread = startThread(t, async ({ latch }, { Counter, Latch }, { parentPort }) => {
    const codes = []
    for (let i = 0; i < 3; i++) {
      const controller = new AbortController()
      const abort = () => { controller.abort(); return true }
      const { signal } = controller
      await new Counter().waitFor(abort, { signal }).catch(({ code }) => codes.push(code))
    }
    parentPort.postMessage(codes)
    await Latch.from(latch).wait() // keeps the thread alive
    parentPort.postMessage('went on')
  }, { latch })
  assert.deepEqual(await thread.message(), Array(3).fill('ERR_TELAR_ABORTED'))
  await new Promise((resolve) => setTimeout(resolve, 50))
  latch.countDown()
  assert.equal(await Promise.race([thread.message(), thread.done]), 'went on')
})

test('waitFor() of a counter times out, aborts and checks its arguments', async () => {
  const counter = new Counter()
  const never = () => false
  assert.throws(() => counter.waitForSync(never, { timeout: 5 }), { code: 'ERR_TELAR_TIMEOUT' })
  await assert.rejects(counter.waitFor(never, { timeout: 5 }), { code: 'ERR_TELAR_TIMEOUT' })
  await assert.rejects(counter.waitFor(never, { signal: AbortSignal.timeout(5) }),
    { name: 'AbortError' })
  await assert.rejects(counter.waitFor(() => { throw new Error('of the test') }), /of the test/)
  await assert.rejects(counter.waitFor(5), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
  for (const [options, code] of [
    [{ bits: 16 }, 'ERR_TELAR_INVALID_ARGUMENT'],
    [5, 'ERR_TELAR_INVALID_ARGUMENT'],
    [{ bit: 64 }, 'ERR_TELAR_UNKNOWN_OPTION']
  ]) {
    assert.throws(() => new Counter(options), { code })
  }
})
