'use strict'

// Tasks that fail, and workers that end while they run tasks: every task settles with the right
// error, no other task is lost, and the worker is replaced.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { createGate, faces, outcomes, until, usePool } = require('../fixtures/fault-helpers')

const limit = { timeout: 30_000 }

const invalid = { name: 'ValidationError', code: 'E_INVALID' }

// The name of the task function, the value of the task, and the error with which it must reject.
const taskFaults = [
  ['throwError', 'thrown', { ...invalid, message: 'thrown', field: 'name' }],
  ['rejectError', 'rejected', { ...invalid, message: 'rejected', field: 'name' }],
  ['throwSymbol', null, { name: 'DataCloneError' }],
  ['throwFunction', null, { name: 'DataCloneError' }],
  ['returnFunction', null, { name: 'DataCloneError' }],
  ['returnSymbol', null, { name: 'DataCloneError' }],
  ['throwingGetter', null, { name: 'ValidationError', message: 'a getter', field: 'value' }]
]

const workerFaults = [
  ['exit', 0, { code: 'ERR_TELAR_WORKER_EXITED', message: /^worker exited with code: 0( |$)/ }],
  ['exit', 7, { code: 'ERR_TELAR_WORKER_EXITED', message: /^worker exited with code: 7( |$)/ }],
  [
    'exitLater', 3, { code: 'ERR_TELAR_WORKER_EXITED', message: /^worker exited with code: 3( |$)/ }
  ],
  ['uncaughtTimer', 'in a timer', { ...invalid, message: 'in a timer', field: 'timer' }],
  [
    'uncaughtImmediate',
    'in an immediate',
    { ...invalid, message: 'in an immediate', field: 'immediate' }
  ],
  ['uncaughtTick', 'in a tick', { ...invalid, message: 'in a tick', field: 'tick' }],
  ['unhandledRejection', 'unhandled', { ...invalid, message: 'unhandled', field: 'promise' }]
]

for (const [face, Class] of faces) {
  for (const [name, value, expected] of taskFaults) {
    test(`${face}: ${name} rejects its own task and keeps the worker`, limit, async (t) => {
      const pool = usePool(t, Class, { maxThreads: 1 })
      const before = await pool.run('before')
      const [worker] = pool.threads
      const around = [pool.run(1), pool.run(2)]
      await assert.rejects(pool.run(value, { name }), expected)
      assert.equal(before, 'before')
      assert.deepEqual(await Promise.all(around), [1, 2])
      assert.equal(await pool.run('after'), 'after')
      assert.equal(pool.threads[0], worker)
      assert.equal(pool.completed, 5)
      assert.equal(pool.queueSize, 0)
    })
  }

  for (const odd of ['undefined', 'null', 'false', 'zero', 'text', 'bigint', 'object']) {
    test(`${face}: a task may throw or reject with any value: ${odd}`, limit, async (t) => {
      const pool = usePool(t, Class, { maxThreads: 1 })
      const value = {
        undefined,
        null: null,
        false: false,
        zero: 0,
        text: 'a text',
        bigint: 10n ** 30n,
        object: { reason: 'an object', nested: [1, 2] }
      }[odd]
      const settled = await outcomes([
        pool.run(odd, { name: 'throwOdd' }), pool.run(odd, { name: 'rejectOdd' })
      ])
      assert.deepEqual(settled, [{ reason: value }, { reason: value }])
    })
  }

  for (const [name, value, expected] of workerFaults) {
    test(`${face}: ${name} ${value} rejects its task and replaces the worker`, limit, async (t) => {
      const pool = usePool(t, Class, { maxThreads: 1 })
      await pool.run('warm')
      const [worker] = pool.threads
      const failing = pool.run(value, { name })
      const rest = Array.from({ length: 50 }, (_, i) => pool.run(i))
      await assert.rejects(failing, expected)
      assert.deepEqual(await Promise.all(rest), Array.from({ length: 50 }, (_, i) => i))
      assert.equal(pool.threads.length, 1)
      assert.notEqual(pool.threads[0], worker)
      assert.equal(pool.completed, 52)
      assert.equal(pool.queueSize, 0)
    })
  }

  test(`${face}: a task that outgrows its heap rejects, and others go on`, limit, async (t) => {
    const pool = usePool(t, Class, {
      maxThreads: 1,
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 }
    })
    const failing = pool.run(null, { name: 'fillHeap' })
    const rest = [pool.run(1), pool.run(2)]
    await assert.rejects(failing, { code: 'ERR_WORKER_OUT_OF_MEMORY' })
    assert.deepEqual(await Promise.all(rest), [1, 2])
    assert.equal(pool.completed, 3)
  })

  test(`${face}: a terminated worker is replaced and its task rejects`, limit, async (t) => {
    const gate = createGate()
    const pool = usePool(t, Class, { maxThreads: 1, workerData: gate.buffer })
    const running = pool.run(0, { name: 'markAndSpin' })
    const rest = [pool.run(1), pool.run(2)]
    await gate.reached(0, 1)
    pool.threads[0].terminate()
    await assert.rejects(running, { code: 'ERR_TELAR_WORKER_EXITED' })
    assert.deepEqual(await Promise.all(rest), [1, 2])
    assert.equal(pool.completed, 3)
  })

  test(`${face}: an idle worker that is terminated is replaced`, limit, async (t) => {
    const gate = createGate()
    const pool = usePool(t, Class, { minThreads: 2, maxThreads: 2, workerData: gate.buffer })
    const both = [0, 1].map(() => pool.run({ mark: 0, until: 1 }, { name: 'wait' }))
    await gate.reached(0, 2)
    gate.open(1)
    await Promise.all(both)
    const before = pool.threads
    await Promise.all(before.map((worker) => worker.terminate()))
    await until(() =>
      pool.threads.length === 2 && pool.threads.every((worker) => !before.includes(worker)))
    assert.deepEqual(await Promise.all([pool.run(3), pool.run(4)]), [3, 4])
  })

  test(`${face}: a result arrives even if its task then ends the worker`, limit, async (t) => {
    const pool = usePool(t, Class, { maxThreads: 1 })
    for (let i = 0; i < 5; i++) {
      const [worker] = pool.threads
      assert.equal(await pool.run(1, { name: 'exitAfter' }), 'result')
      await until(() => pool.threads.length === 1 && pool.threads[0] !== worker)
    }
    assert.equal(await pool.run('after'), 'after')
  })

  test(`${face}: a failure while no task runs emits an 'error' event`, limit, async (t) => {
    const pool = usePool(t, Class, { maxThreads: 1 })
    const failed = new Promise((resolve) => pool.once('error', resolve))
    assert.equal(await pool.run('too late', { name: 'uncaughtAfter' }), 'result')
    const error = await failed
    assert.equal(error.message, 'too late')
    assert.equal(error.field, 'after')
    assert.equal(await pool.run('after'), 'after')
  })

  test(`${face}: tasks that share a failing worker reject, others do not`, limit, async (t) => {
    const gate = createGate()
    const pool = usePool(t, Class,
      { minThreads: 1, maxThreads: 1, concurrentTasksPerWorker: 4, workerData: gate.buffer })
    const together = Array.from({ length: 3 }, () =>
      pool.run({ mark: 0, until: 1 }, { name: 'waitAsync' }))
    await gate.reached(0, 3)
    const failing = pool.run('shared fate', { name: 'uncaughtTimer' })
    const waiting = Array.from({ length: 20 }, (_, i) => pool.run(i))
    for (const { reason } of await outcomes([failing, ...together])) {
      assert.equal(reason.message, 'shared fate')
    }
    // Tasks that had begun in the worker that failed may fail with it.
    for (const [i, { value, reason }] of (await outcomes(waiting)).entries()) {
      if (reason === undefined) assert.equal(value, i)
      else assert.equal(reason.message, 'shared fate')
    }
    assert.equal(pool.completed, 24)
    assert.equal(await pool.run('after'), 'after')
  })

  test(`${face}: a pool whose workers all fail at once loses no task`, limit, async (t) => {
    const pool = usePool(t, Class, { minThreads: 3, maxThreads: 3 })
    const promises = []
    for (let i = 0; i < 300; i++) {
      promises.push(i % 50 === 0 ? pool.run(5, { name: 'exit' }) : pool.run(i))
    }
    for (const [i, { value, reason }] of (await outcomes(promises)).entries()) {
      if (i % 50 === 0) assert.equal(reason.code, 'ERR_TELAR_WORKER_EXITED')
      else assert.equal(value, i, `task ${i}: ${reason}`)
    }
    assert.equal(pool.completed, 300)
    assert.equal(pool.queueSize, 0)
    await until(() => pool.threads.length === 3)
  })

  test(`${face}: a value that cannot be sent rejects and takes no place`, limit, async (t) => {
    const pool = usePool(t, Class, { maxThreads: 1 })
    for (let i = 0; i < 5000; i++) {
      await assert.rejects(pool.run(() => {}), { name: 'DataCloneError' })
    }
    const getter = { get value () { throw new RangeError('a getter of the caller') } }
    for (let i = 0; i < 5000; i++) await assert.rejects(pool.run(getter), RangeError)
    assert.equal(pool.queueSize, 0)
    assert.equal(await pool.run('after'), 'after')
  })

  test(`${face}: a result that cannot be sent rejects and takes no place`, limit, async (t) => {
    const pool = usePool(t, Class, { maxThreads: 1 })
    for (let round = 0; round < 5; round++) {
      const run = () => pool.run(null, { name: 'returnFunction' })
      const settled = await outcomes(Array.from({ length: 1000 }, run))
      assert.ok(settled.every(({ reason }) => reason.name === 'DataCloneError'))
    }
    assert.equal(await pool.run('after'), 'after')
    assert.equal(pool.completed, 5001)
  })
}
