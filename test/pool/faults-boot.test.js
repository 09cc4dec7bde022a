'use strict'

// Workers that cannot start, and task files that do not load or export no function.

const assert = require('node:assert/strict')
const path = require('node:path')
const { test } = require('node:test')
const {
  createGate, faces, filename, outcomes, until, usePool
} = require('../fixtures/fault-helpers')
const { BootFailures } = require('../../lib/pool/boot-failures')

const limit = { timeout: 30_000 }
const fixture = (name) => path.join(__dirname, '..', 'fixtures', 'boot', name)

// Files that cannot be loaded, and the error with which their tasks reject.
const failures = [
  [fixture('missing.js'), { code: 'MODULE_NOT_FOUND' }],
  [fixture('throws.js'), { code: 'E_LOAD', message: 'the file fails' }],
  [fixture('rejects.mjs'), { code: 'E_LOAD', message: 'the module fails' }],
  [fixture('exits.js'), { code: 'ERR_TELAR_WORKER_EXITED', message: 'worker exited with code: 9' }]
]

test('the pauses between two starts grow', limit, async () => {
  const failures = new BootFailures()
  failures.add(new Error('a failure'))
  const pauses = []
  while (pauses.length < 4) {
    await until(() => failures.mayStart(0))
    failures.add(new Error('a failure'))
    pauses.push(failures.pause(0))
    assert.equal(failures.mayStart(0), false)
  }
  for (let i = 1; i < pauses.length; i++) assert.ok(pauses[i] > pauses[i - 1], String(pauses))
  failures.clear() // a worker is ready
  assert.equal(failures.mayStart(0), true)
})

for (const [face, Class] of faces) {
  for (const [file, expected] of failures) {
    const name = path.basename(file)

    test(`${face}: ${name}: waiting tasks reject and no worker restarts`, limit, async (t) => {
      const gate = createGate()
      const pool = usePool(t, Class,
        { filename: file, minThreads: 2, maxThreads: 2, workerData: gate.buffer })
      const errors = []
      pool.on('error', (error) => errors.push(error))
      const settled = await outcomes(Array.from({ length: 20 }, (_, i) => pool.run(i)))
      for (const { reason } of settled) {
        for (const key of Object.keys(expected)) assert.equal(reason[key], expected[key])
      }
      await until(() => pool.threads.length === 0)
      // Long enough for a worker to start again.
      await new Promise((resolve) => setTimeout(resolve, 100))
      assert.deepEqual(pool.threads, [])
      assert.ok(gate.count(0) <= 2)
      assert.equal(pool.completed, 20)
      assert.equal(pool.queueSize, 0)
    })

    test(`${face}: ${name}: an idle pool emits at most one error per worker`, limit, async (t) => {
      const gate = createGate()
      const pool = usePool(t, Class,
        { filename: file, minThreads: 2, maxThreads: 2, workerData: gate.buffer })
      const errors = []
      pool.on('error', (error) => errors.push(error))
      await until(() => pool.threads.length === 0)
      assert.ok(errors.length >= 1 && errors.length <= 2, `${errors.length} events`)
      for (const key of Object.keys(expected)) assert.equal(errors[0][key], expected[key])
      // A new task makes the pool try again.
      const error = await pool.run(1).catch((error) => error)
      for (const key of Object.keys(expected)) assert.equal(error[key], expected[key])
    })
  }

  for (const [file, expected] of failures) {
    const sizes = [[2, 2, 4], [4, 4, 1], [3, 3, 20], [0, 3, 6], [1, 1, 1]]
    for (const [minThreads, maxThreads, tasks] of sizes) {
      const size = `${minThreads} to ${maxThreads} threads, ${tasks} tasks`
      const title = `${face}: ${path.basename(file)}, ${size}`
      test(`${title}: its tasks reject and no 'error' is emitted`, limit, async (t) => {
        const gate = createGate()
        const pool = usePool(t, Class,
          { filename: file, minThreads, maxThreads, workerData: gate.buffer })
        const errors = []
        pool.on('error', (error) => errors.push(error))
        const settled = await outcomes(Array.from({ length: tasks }, (_, i) => pool.run(i)))
        for (const { reason } of settled) {
          for (const key of Object.keys(expected)) assert.equal(reason[key], expected[key])
        }
        await until(() => pool.threads.length === 0)
        await pool.destroy()
        assert.deepEqual(errors, [])
      })
    }
  }

  // Bits for the loads that fail. Each failure emits one 'error' event. The other workers run the
  // tasks.
  for (const failing of [0b0001, 0b0100, 0b1000, 0b0111]) {
    const bits = failing.toString(2)
    test(`${face}: workers that load do the work of those that fail: ${bits}`, limit, async (t) => {
      const gate = createGate()
      gate.set(2, failing)
      const pool = usePool(t, Class,
        { filename: fixture('fails-at.js'), minThreads: 4, maxThreads: 4, workerData: gate.buffer })
      const errors = []
      pool.on('error', (error) => errors.push(error.message))
      const settled = await outcomes(Array.from({ length: 20 }, (_, i) => pool.run(i)))
      assert.deepEqual(settled.map(({ value }) => value), Array.from({ length: 20 }, (_, i) => i))
      const messages = Array.from({ length: 4 }, (_, i) => `load ${i} fails`)
        .filter((_, i) => (failing >> i) & 1)
      await until(() => errors.length === messages.length)
      assert.deepEqual(errors.sort(), messages)
    })
  }

  test(`${face}: a worker that cannot load its file is not restarted often`, limit, async (t) => {
    const gate = createGate()
    gate.set(2, ~1) // all loads but the first fail
    const pool = usePool(t, Class,
      { filename: fixture('fails-at.js'), minThreads: 1, maxThreads: 2, workerData: gate.buffer })
    pool.on('error', () => {})
    for (let round = 0; round < 100; round++) {
      await outcomes([1, 2, 3].map(() => pool.run(1, { name: 'sleep' })))
    }
    // It would be one start for each round. Some starts may happen after a pause.
    assert.ok(gate.count(0) >= 2 && gate.count(0) <= 20, `${gate.count(0)} starts`)
    assert.equal(pool.threads.length, 1)
  })

  test(`${face}: a pool gets its workers back when the file loads again`, limit, async (t) => {
    const gate = createGate()
    gate.set(2, 0b11)
    const pool = usePool(t, Class,
      { filename: fixture('fails-at.js'), minThreads: 2, maxThreads: 2, workerData: gate.buffer })
    await assert.rejects(pool.run(1), /load \d fails/)
    await until(() => pool.threads.length === 0)
    assert.equal(await pool.run(2), 2)
    await until(() => pool.threads.length === 2)
  })

  for (const [name, message, events] of [
    ['throws-later.js', 'the file fails later', 4],
    ['exits-later.js', 'worker exited with code: 7', 1]
  ]) {
    test(`${face}: ${name}: workers that end early stop being restarted`, limit, async (t) => {
      const gate = createGate()
      const pool = usePool(t, Class,
        { filename: fixture(name), minThreads: 1, maxThreads: 1, workerData: gate.buffer })
      const errors = []
      pool.on('error', (error) => errors.push(error.message))
      await until(() => gate.count(0) > 0 && pool.threads.length === 0)
      // Long enough for a worker to start again.
      await new Promise((resolve) => setTimeout(resolve, 100))
      assert.deepEqual(pool.threads, [])
      assert.equal(gate.count(0), 4)
      assert.deepEqual(errors, Array(events).fill(message))
      // A new task makes the pool try again.
      await assert.rejects(pool.run(1), { message: new RegExp(`^${message}`) })
      assert.ok(gate.count(0) > 4)
    })
  }

  test(`${face}: tasks that come during a pause share its next start`, limit, async (t) => {
    const gate = createGate()
    const pool = usePool(t, Class,
      { filename: fixture('throws.js'), minThreads: 1, maxThreads: 4, workerData: gate.buffer })
    const errors = []
    pool.on('error', (error) => errors.push(error))
    await assert.rejects(pool.run(0), { code: 'E_LOAD' })
    for (let round = 1; round <= 3; round++) {
      const starts = gate.count(0)
      const settled = await outcomes(Array.from({ length: 50 }, (_, i) => pool.run(i)))
      for (const { reason } of settled) assert.equal(reason.code, 'E_LOAD')
      await until(() => pool.threads.length === 0)
      // As many workers as the pool may have are started before the first one has failed, but only
      // if it did not pause.
      const limit = round === 1 ? 4 : 1
      assert.ok(gate.count(0) - starts <= limit, `${gate.count(0) - starts} starts`)
    }
    assert.deepEqual(errors, [])
  })

  test(`${face}: a pool that pauses rejects its tasks when it is destroyed`, limit, async (t) => {
    const gate = createGate()
    const pool = usePool(t, Class,
      { filename: fixture('throws.js'), minThreads: 1, maxThreads: 1, workerData: gate.buffer })
    for (let i = 0; i < 3; i++) await assert.rejects(pool.run(i), { code: 'E_LOAD' })
    const starts = gate.count(0)
    const waiting = assert.rejects(pool.run(3), { code: 'ERR_TELAR_TERMINATED' })
    assert.deepEqual(pool.threads, [])
    await pool.destroy()
    await waiting
    assert.equal(gate.count(0), starts)
  })

  test(`${face}: a missing function rejects the task and keeps the worker`, limit, async (t) => {
    const pool = usePool(t, Class,
      { filename: fixture('nothing.js'), minThreads: 1, maxThreads: 1 })
    const none = {
      code: 'ERR_TELAR_NO_HANDLER',
      message: /^No handler function exported from .*nothing\.js: /
    }
    await assert.rejects(pool.run(1), none)
    const [worker] = pool.threads
    await assert.rejects(pool.run(1, { name: 'text' }), none)
    await assert.rejects(pool.run(1, { name: 'absent' }), none)
    assert.equal(await pool.run(1, { name: 'named' }), 1)
    assert.equal(pool.threads[0], worker)
  })

  test(`${face}: a task's own file that fails to load rejects only that task`, limit, async (t) => {
    const gate = createGate()
    const pool = usePool(t, Class, { minThreads: 1, maxThreads: 1, workerData: gate.buffer })
    const settled = await outcomes([
      pool.run(1),
      pool.run(2, { filename: fixture('missing.js') }),
      pool.run(3),
      pool.run(4, { filename: fixture('throws.js') }),
      pool.run(5, { filename: fixture('rejects.mjs') }),
      pool.run(6, { filename: fixture('nothing.js'), name: 'named' }),
      pool.run(7, { filename: fixture('exits.js') }),
      pool.run(8)
    ])
    const results = settled.map(({ value, reason }) => reason === undefined ? value : reason.code)
    assert.deepEqual(results, [
      1, 'MODULE_NOT_FOUND', 3, 'E_LOAD', 'E_LOAD', 6, 'ERR_TELAR_WORKER_EXITED', 8
    ])
    assert.equal(pool.completed, 8)
  })

  test(`${face}: a worker that fails to start takes no task of the others`, limit, async (t) => {
    const gate = createGate()
    const pool = usePool(t, Class, {
      filename: fixture('second-fails.js'),
      minThreads: 2,
      maxThreads: 2,
      workerData: gate.buffer
    })
    const errors = []
    pool.on('error', (error) => errors.push(error.message))
    const waiting = pool.run(null, { name: 'wait' })
    const exiting = pool.run(6, { name: 'exit' })
    const rest = outcomes([1, 2, 3].map((value) => pool.run(value)))
    await until(() => gate.count(0) >= 2 && pool.threads.length === 1)
    gate.open(1)
    await waiting
    await assert.rejects(exiting, { code: 'ERR_TELAR_WORKER_EXITED' })
    assert.deepEqual(await rest, [{ value: 1 }, { value: 2 }, { value: 3 }])
    assert.ok(errors.every((message) => message === 'the second load fails'))
    await until(() => pool.threads.length === 2)
  })

  test(`${face}: a worker that cannot be created makes the constructor throw`, limit, () => {
    assert.throws(() => new Class({ filename, execArgv: ['--no-such-flag'] }),
      { code: 'ERR_WORKER_INVALID_EXEC_ARGV' })
  })

  test(`${face}: a worker that cannot be created for a task rejects the task`, limit, async (t) => {
    const pool = usePool(t, Class, { minThreads: 0, maxThreads: 1, execArgv: ['--no-such-flag'] })
    await assert.rejects(pool.run(1), { code: 'ERR_WORKER_INVALID_EXEC_ARGV' })
    await assert.rejects(pool.run(1), { code: 'ERR_WORKER_INVALID_EXEC_ARGV' })
    assert.equal(pool.queueSize, 0)
  })

  test(`${face}: a file that outgrows the heap while loading rejects tasks`, limit, async (t) => {
    const resourceLimits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 }
    const pool = usePool(t, Class,
      { filename: fixture('fills-heap.js'), minThreads: 1, maxThreads: 1, resourceLimits })
    const settled = await outcomes([pool.run(1), pool.run(2)])
    assert.deepEqual(settled.map(({ reason }) => reason.code),
      Array(2).fill('ERR_WORKER_OUT_OF_MEMORY'))
  })
}
