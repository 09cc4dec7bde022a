'use strict'

// No waiter starves: it gets the lock while other threads take it again and again without a pause.
// The test of a starved waiter would reach its deadline.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { startThread, inThread } = require('../fixtures/sync/threads')
const { Mutex, RwLock, Semaphore } = require('../..')

const deadline = { timeout: 120_000 }

// Takes and releases without a pause until `stop` is set. At most a microtask runs in between.
const greedy = ({ stop, kind, object, name, isSync }, telar, { parentPort }) => {
  const shared = telar[kind].from(object)
  let turns = 0
  const over = () => {
    turns++
    if (turns === 100) parentPort.postMessage('started')
    return Atomics.load(stop, 0) !== 0
  }
  const loop = async () => {
    for (;;) {
      const guard = isSync ? shared[`${name}Sync`]() : await shared[name]()
      guard[Symbol.dispose]()
      if (over()) break
    }
    parentPort.postMessage(turns)
  }
  loop()
}

const patient = async ({ kind, object, name, times, isSync }, telar) => {
  const shared = telar[kind].from(object)
  for (let i = 0; i < times; i++) {
    const guard = isSync ? shared[`${name}Sync`]() : await shared[name]()
    guard[Symbol.dispose]()
  }
  return times
}

for (const [kind, object, name, greedyName] of [
  ['Mutex', new Mutex(), 'lock', 'lock'],
  ['Semaphore', new Semaphore(1), 'acquire', 'acquire'],
  ['RwLock', new RwLock(), 'write', 'read'],
  ['RwLock', new RwLock(), 'read', 'write'],
  ['RwLock', new RwLock(), 'write', 'write']
]) {
  test(`${kind}: ${name}() succeeds while threads ${greedyName} nonstop`, deadline, async (t) => {
    const stop = new Int32Array(new SharedArrayBuffer(4))
    const rivals = [1, 2, 3].map(() =>
      startThread(t, greedy, { stop, kind, object, name: greedyName, isSync: true }))
    await Promise.all(rivals.map((thread) => thread.message()))
    const times = 20
    const done = await Promise.all(
      [true, false].map((isSync) => inThread(t, patient, { kind, object, name, times, isSync }))
    )
    assert.deepEqual(done, [times, times])
    for (let i = 0; i < times; i++) (await object[name]())[Symbol.dispose]()
    Atomics.store(stop, 0, 1)
    const turns = await Promise.all(rivals.map((thread) => thread.message()))
    t.diagnostic(`meanwhile ${turns.join(', ')}`)
  })
}

test('threads that hold a lock for a long time take turns', deadline, async (t) => {
  const mutex = new Mutex()
  const log = new Int32Array(new SharedArrayBuffer(4 * 1000))
  const kTurns = 40
  const body = ({ mutex: received, log, me, turns }, { Mutex }) => {
    const mutex = Mutex.from(received)
    const pause = new Int32Array(new SharedArrayBuffer(4))
    for (let i = 0; i < turns; i++) {
      const guard = mutex.lockSync()
      log[1 + log[0]++] = me
      Atomics.wait(pause, 0, 0, 3)
      guard.unlock()
    }
  }
  const guard = mutex.lockSync()
  const threads = [1, 2].map((me) => inThread(t, body, { mutex, log, me, turns: kTurns }))
  await new Promise((resolve) => setTimeout(resolve, 100))
  guard.unlock()
  await Promise.all(threads)
  const owners = [...log.subarray(1, 1 + log[0])]
  assert.equal(owners.length, 2 * kTurns)
  // While both threads take turns, neither passes the waiting one often. The waiter reserves the
  // lock after a millisecond, which is within the first turn, unless the machine does not let it
  // run.
  const shared = owners.slice(Math.max(owners.indexOf(1), owners.indexOf(2)),
    Math.min(owners.lastIndexOf(1), owners.lastIndexOf(2)))
  let longest = 0
  let run = 0
  shared.forEach((me, i) => {
    run = i > 0 && shared[i - 1] === me ? run + 1 : 1
    longest = Math.max(longest, run)
  })
  t.diagnostic(`at most ${longest} in a row`)
  assert.ok(longest <= kTurns / 2, `one thread had ${longest} turns in a row`)
})
