'use strict'

// Aborts at every point in the life of a task.

const assert = require('node:assert/strict')
const { EventEmitter, getEventListeners } = require('node:events')
const { test } = require('node:test')
const { createGate, faces, outcomes, until, usePool } = require('../fixtures/fault-helpers')

const limit = { timeout: 30_000 }
const aborted = {
  name: 'AbortError',
  message: 'The task has been aborted',
  code: 'ERR_TELAR_ABORTED'
}

// A pool with a worker that is busy until release().
function occupied (t, Class, options) {
  const gate = createGate()
  const pool = usePool(t, Class,
    { minThreads: 1, maxThreads: 1, workerData: gate.buffer, ...options })
  const busy = pool.run({ mark: 0, until: 1 }, { name: 'wait' })
  busy.catch(() => {}) // since some tests leave it running
  return { gate, pool, busy, release: () => gate.open(1) }
}

for (const [face, Class] of faces) {
  test(`${face}: an abort ends an endless loop and replaces its worker`, limit, async (t) => {
    const gate = createGate()
    const pool = usePool(t, Class, { minThreads: 1, maxThreads: 1, workerData: gate.buffer })
    const controller = new AbortController()
    const looping = pool.run(0, { name: 'markAndSpin', signal: controller.signal })
    const rest = Array.from({ length: 20 }, (_, i) => pool.run(i))
    await gate.reached(0, 1)
    const [worker] = pool.threads
    const reason = new Error('enough')
    controller.abort(reason)
    await assert.rejects(looping, { ...aborted, cause: reason })
    assert.deepEqual(await Promise.all(rest), Array.from({ length: 20 }, (_, i) => i))
    assert.notEqual(pool.threads[0], worker)
    assert.equal(pool.completed, 21)
  })

  test(`${face}: a queued task that is aborted never runs`, limit, async (t) => {
    const { gate, pool, busy, release } = occupied(t, Class)
    await gate.reached(0, 1)
    const controller = new AbortController()
    const before = pool.run(2, { name: 'mark' })
    const queued = pool.run(3, { name: 'mark', signal: controller.signal })
    const after = pool.run(2, { name: 'mark' })
    assert.equal(pool.queueSize, 3)
    controller.abort()
    await assert.rejects(queued, aborted)
    assert.equal(pool.queueSize, 2)
    release()
    assert.equal(await busy, 'waited')
    assert.deepEqual(await Promise.all([before, after]), [1, 2])
    assert.equal(gate.count(3), 0)
    assert.equal(pool.completed, 4)
  })

  test(`${face}: a task may be aborted while the only worker boots`, limit, async (t) => {
    const gate = createGate()
    const pool = usePool(t, Class, { minThreads: 1, maxThreads: 1, workerData: gate.buffer })
    const controller = new AbortController()
    const early = pool.run(3, { name: 'mark', signal: controller.signal })
    const other = pool.run(2, { name: 'mark' })
    controller.abort()
    await assert.rejects(early, aborted)
    assert.equal(await other, 1)
    assert.equal(gate.count(3), 0)
  })

  test(`${face}: an abort after the end of the task changes nothing`, limit, async (t) => {
    const pool = usePool(t, Class, { minThreads: 1, maxThreads: 1 })
    const controller = new AbortController()
    assert.equal(await pool.run('done', { signal: controller.signal }), 'done')
    const [worker] = pool.threads
    controller.abort()
    assert.equal(await pool.run('next'), 'next')
    assert.equal(pool.threads[0], worker)
    assert.equal(pool.completed, 2)
  })

  test(`${face}: an aborted signal rejects before anything is transferred`, limit, async (t) => {
    const gate = createGate()
    const pool = usePool(t, Class, { workerData: gate.buffer })
    const buffer = new ArrayBuffer(16)
    const signal = AbortSignal.abort('no')
    await assert.rejects(pool.run(buffer, { signal, transferList: [buffer] }),
      { ...aborted, cause: 'no' })
    assert.equal(buffer.byteLength, 16)
    await assert.rejects(pool.run(3, { name: 'mark', signal }), aborted)
    assert.equal(await pool.run('next'), 'next')
    assert.equal(gate.count(3), 0)
  })

  test(`${face}: an abort without a reason has the platform's as its cause`, limit, async (t) => {
    const { gate, pool } = occupied(t, Class)
    await gate.reached(0, 1)
    const controller = new AbortController()
    const queued = pool.run(1, { signal: controller.signal })
    controller.abort()
    const error = await queued.catch((error) => error)
    assert.ok(Object.hasOwn(error, 'cause'))
    assert.equal(error.cause, controller.signal.reason)
  })

  test(`${face}: one signal aborts both running and queued tasks`, limit, async (t) => {
    const { gate, pool, busy, release } = occupied(t, Class, { minThreads: 3, maxThreads: 3 })
    const controller = new AbortController()
    const { signal } = controller
    const running = [0, 1].map(() => pool.run(4, { name: 'markAndSpin', signal }))
    await gate.reached(4, 2)
    await gate.reached(0, 1)
    const queued = Array.from({ length: 50 }, () => pool.run(3, { name: 'mark', signal }))
    const others = Array.from({ length: 50 }, (_, i) => pool.run(i))
    controller.abort()
    const settled = await outcomes([...running, ...queued])
    assert.ok(settled.every(({ reason }) => reason.code === 'ERR_TELAR_ABORTED'))
    assert.deepEqual(await Promise.all(others), Array.from({ length: 50 }, (_, i) => i))
    release()
    assert.equal(await busy, 'waited')
    assert.equal(gate.count(3), 0)
    assert.equal(pool.completed, 103)
    assert.deepEqual(getEventListeners(signal, 'abort'), [])
  })

  test(`${face}: thousands of queued tasks can be aborted one by one`, limit, async (t) => {
    const { gate, pool, busy, release } = occupied(t, Class)
    await gate.reached(0, 1)
    const count = 10_000
    const controllers = Array.from({ length: count }, () => new AbortController())
    const settling =
      outcomes(controllers.map(({ signal }) => pool.run(2, { name: 'mark', signal })))
    assert.equal(pool.queueSize, count)
    // Every second task, from the middle on: the head, the tail and all between.
    for (let i = 0; i < count; i += 2) controllers[(i + count / 2) % count].abort(i)
    assert.equal(pool.queueSize, count / 2)
    release()
    assert.equal(await busy, 'waited')
    const settled = await settling
    const rejected = settled.filter(({ reason }) => reason !== undefined)
    assert.equal(rejected.length, count / 2)
    assert.ok(rejected.every(({ reason }) => reason.code === 'ERR_TELAR_ABORTED'))
    assert.equal(gate.count(2), count / 2)
    assert.equal(pool.completed, count + 1)
    assert.equal(pool.queueSize, 0)
  })

  test(`${face}: new tasks run after thousands of queued ones are aborted`, limit, async (t) => {
    const { gate, pool, busy, release } = occupied(t, Class)
    await gate.reached(0, 1)
    // More tasks than the scheduler holds, twice.
    for (let round = 0; round < 2; round++) {
      const controller = new AbortController()
      const promises = Array.from({ length: 6000 }, () =>
        pool.run(3, { name: 'mark', signal: controller.signal }))
      controller.abort()
      const settled = await outcomes(promises)
      assert.ok(settled.every(({ reason }) => reason?.code === 'ERR_TELAR_ABORTED'))
      assert.equal(pool.queueSize, 0)
    }
    const rest = Array.from({ length: 5000 }, (_, i) => pool.run(i))
    release()
    await busy
    assert.deepEqual(await Promise.all(rest), Array.from({ length: 5000 }, (_, i) => i))
    assert.equal(gate.count(3), 0)
  })

  test(`${face}: any emitter of 'abort' works as a signal`, limit, async (t) => {
    const { gate, pool, busy, release } = occupied(t, Class, { minThreads: 2, maxThreads: 2 })
    await gate.reached(0, 1)
    const emitter = new EventEmitter()
    const running = pool.run(4, { name: 'markAndSpin', signal: emitter })
    await gate.reached(4, 1)
    const queued = pool.run(3, { name: 'mark', signal: emitter })
    assert.equal(emitter.listenerCount('abort'), 1)
    emitter.emit('abort')
    const settled = await outcomes([running, queued])
    assert.ok(settled.every(({ reason }) => reason.code === 'ERR_TELAR_ABORTED'))
    assert.equal(emitter.listenerCount('abort'), 0)
    const finished = pool.run('done', { signal: emitter })
    assert.equal(await finished, 'done')
    assert.equal(emitter.listenerCount('abort'), 0)
    release()
    await busy
    assert.equal(gate.count(3), 0)
  })

  test(`${face}: a settled task leaves no listener on its signal`, limit, async (t) => {
    const pool = usePool(t, Class, { minThreads: 1, maxThreads: 1 })
    const controller = new AbortController()
    const { signal } = controller
    const before = getEventListeners(signal, 'abort').length
    const settled = await outcomes([
      pool.run('value', { signal }),
      pool.run('thrown', { name: 'throwError', signal }),
      pool.run(1, { name: 'exit', signal }),
      pool.run('tail', { signal }),
      pool.run(() => {}, { signal }),
      pool.run(1, { name: 'missing', signal })
    ])
    const results = settled.map(({ value, reason }) =>
      reason === undefined ? value : reason.code ?? reason.name)
    assert.deepEqual(results, [
      'value', 'E_INVALID', 'ERR_TELAR_WORKER_EXITED', 'tail', 25, 'ERR_TELAR_NO_HANDLER'
    ])
    assert.equal(getEventListeners(signal, 'abort').length, before)
    const left = pool.run(5, { name: 'spin', signal })
    const destroyed = pool.destroy()
    await assert.rejects(left, { code: 'ERR_TELAR_TERMINATED' })
    await destroyed
    assert.equal(getEventListeners(signal, 'abort').length, before)
  })

  test(`${face}: an abort does not affect other tasks of its worker`, limit, async (t) => {
    const gate = createGate()
    const pool = usePool(t, Class,
      { minThreads: 2, maxThreads: 2, concurrentTasksPerWorker: 3, workerData: gate.buffer })
    const controllers = Array.from({ length: 6 }, () => new AbortController())
    const promises = []
    for (const { signal } of controllers) {
      promises.push(pool.run({ mark: 0, until: 1 }, { name: 'waitAsync' }))
      promises.push(pool.run({ mark: 2, until: 1 }, { name: 'waitAsync', signal }))
    }
    // All that can run at once: 3 tasks in one worker, or one abortable task in each.
    await until(() => gate.count(0) + gate.count(2) >= 2)
    for (const controller of controllers) controller.abort()
    const plain = promises.filter((_, i) => i % 2 === 0)
    const abortable = promises.filter((_, i) => i % 2 === 1)
    const settled = await outcomes(abortable)
    assert.ok(settled.every(({ reason }) => reason.code === 'ERR_TELAR_ABORTED'))
    gate.open(1)
    assert.deepEqual(await Promise.all(plain), Array(6).fill('waited'))
  })

  test(`${face}: abortable and other tasks all run, three at a time`, limit, async (t) => {
    const pool = usePool(t, Class, { minThreads: 2, maxThreads: 2, concurrentTasksPerWorker: 3 })
    const promises = Array.from({ length: 300 }, (_, i) => i % 3 === 0
      ? pool.run(i, { signal: new AbortController().signal })
      : pool.run(i))
    assert.deepEqual(await Promise.all(promises), Array.from({ length: 300 }, (_, i) => i))
    assert.equal(pool.completed, 300)
    assert.equal(pool.queueSize, 0)
  })

  test(`${face}: repeated aborts never leave the pool short of workers`, limit, async (t) => {
    const gate = createGate()
    const pool = usePool(t, Class, { minThreads: 2, maxThreads: 2, workerData: gate.buffer })
    for (let round = 1; round <= 10; round++) {
      const controller = new AbortController()
      const looping = [0, 1].map(() =>
        pool.run(4, { name: 'markAndSpin', signal: controller.signal }))
      await gate.reached(4, 2 * round)
      controller.abort(round)
      const settled = await outcomes(looping)
      assert.deepEqual(settled.map(({ reason }) => [reason.code, reason.cause]),
        [['ERR_TELAR_ABORTED', round], ['ERR_TELAR_ABORTED', round]])
      assert.equal(pool.threads.length, 2)
    }
    assert.deepEqual(await Promise.all([pool.run(1), pool.run(2)]), [1, 2])
  })

  test(`${face}: an abort in the turn of the result settles the task once`, limit, async (t) => {
    const pool = usePool(t, Class, { minThreads: 1, maxThreads: 1 })
    const count = 300
    await pool.run('warm')
    for (let i = 0; i < count; i++) {
      const controller = new AbortController()
      const promise = pool.run(i, { signal: controller.signal })
      if (i % 3 === 0) await null
      // Sometimes the task runs already, so its worker has to be ended.
      if (i % 30 === 0) await new Promise(setImmediate)
      controller.abort()
      const [{ value, reason }] = await outcomes([promise])
      if (reason === undefined) assert.equal(value, i)
      else assert.equal(reason.code, 'ERR_TELAR_ABORTED')
    }
    assert.equal(await pool.run('after'), 'after')
    assert.equal(pool.completed, count + 2)
  })
}
