'use strict'

// The option isolate: every task gets a worker that has run nothing.

const assert = require('node:assert/strict')
const path = require('node:path')
const { test } = require('node:test')
const { Pool } = require('../..')
const { byPort } = require('../fixtures/by-port')
const { createGate, faces, outcomes, until, usePool } = require('../fixtures/fault-helpers')
const { useLife } = require('../fixtures/life/use-life')

const limit = { timeout: 30_000 }

for (const [face, Class] of faces) {
  const create = (t, options) =>
    useLife(t, Class, { minThreads: 1, maxThreads: 2, isolate: true, ...options })

  test(`${face}: every task has a fresh worker`, limit, async (t) => {
    const { gate, pool } = create(t, { setup: 'setup', teardown: 'teardown' })
    const ran = await Promise.all(Array.from({ length: 10 }, () => pool.run(null, { name: 'ran' })))
    assert.deepEqual(ran, Array(10).fill(1))
    const ids = await Promise.all(Array.from({ length: 5 }, () => pool.run(null)))
    assert.equal(new Set(ids).size, 5)
    assert.equal(gate.count(2), 0)
    assert.equal(pool.completed, 15)
    await pool.close()
    assert.ok(gate.count(0) >= 15)
    assert.equal(gate.count(1), gate.count(0))
  })

  test(`${face}: values of every kind arrive, and failures do not count`, limit, async (t) => {
    const { pool } = create(t)
    const settled = await outcomes([
      pool.run(new SharedArrayBuffer(8), { name: 'ran' }),
      pool.run(() => {}),
      pool.run('x'.repeat(100_000), { name: 'ran' }),
      pool.run(null, { name: 'absent' }),
      pool.run(new ArrayBuffer(8), { name: 'ran', ...byPort() })
    ])
    assert.deepEqual(settled.map(({ value, reason }) => value ?? reason.code ?? reason.name),
      [1, settled[1].reason.code ?? 'DataCloneError', 1, 'ERR_TELAR_NO_HANDLER', 1])
    assert.equal(pool.queueSize, 0)
  })

  test(`${face}: at most maxThreads tasks run at a time`, limit, async (t) => {
    const { gate, pool } = create(t, { spareThreads: 3 })
    const tasks = Array.from({ length: 5 }, () => pool.run(null, { name: 'wait' }))
    await gate.reached(4, 2)
    await until(() => pool.threads.length === 5) // with the spare ones
    assert.equal(gate.count(4), 2)
    assert.equal(pool.queueSize, 3)
    gate.open(3)
    assert.equal(new Set(await Promise.all(tasks)).size, 5)
    await until(() => pool.threads.length === 3)
  })

  test(`${face}: spare workers are ready before a task comes`, limit, async (t) => {
    const { gate, pool } = create(t, { spareThreads: 2, setup: 'setup', minThreads: 0 })
    await pool.ready()
    assert.equal(gate.count(0), 2)
    assert.equal(pool.idleThreads, 2)
    await pool.run(null)
    await until(() => gate.count(0) === 3 && pool.threads.length === 2)
    await pool.ready()
  })

  test(`${face}: a pool without spare workers starts one for each task`, limit, async (t) => {
    const { pool } = create(t, { spareThreads: 0 })
    assert.equal(pool.threads.length, 0)
    assert.equal(await pool.run(null, { name: 'ran' }), 1)
    assert.equal(await pool.run(null, { name: 'ran' }), 1)
    await until(() => pool.threads.length === 0)
  })

  test(`${face}: an abort and a crash leave the pool as it was`, limit, async (t) => {
    const { gate, pool } = create(t)
    const controller = new AbortController()
    const aborted = assert.rejects(
      pool.run(null, { name: 'wait', signal: controller.signal }), { code: 'ERR_TELAR_ABORTED' })
    await gate.reached(4, 1)
    controller.abort()
    await aborted
    await until(() => pool.threads.length === 1)
    assert.equal(await pool.run(null, { name: 'ran' }), 1)
  })

  test(`${face}: a file that does not load rejects the tasks, without a spin`, limit, async (t) => {
    const gate = createGate()
    const pool = usePool(t, Class, {
      filename: path.join(__dirname, '..', 'fixtures', 'boot', 'throws.js'),
      minThreads: 2,
      maxThreads: 2,
      isolate: true,
      workerData: gate.buffer
    })
    pool.on('error', () => {})
    const settled = await outcomes([pool.run(1), pool.run(2), pool.run(3)])
    assert.deepEqual(settled.map(({ reason }) => reason.code), Array(3).fill('E_LOAD'))
    await until(() => pool.threads.length === 0)
    // Two that get a task, their successors, and what the third task tries.
    assert.ok(gate.count(0) <= 6, `${gate.count(0)} starts`)
  })
}

test('isolate excludes the options that make no sense with it', () => {
  for (const other of [
    { loadBalancer: (task, workers) => workers[0] }, { recycle: { tasks: 1 } },
    { concurrentTasksPerWorker: 2 }
  ]) {
    assert.throws(() => new Pool({ isolate: true, ...other }),
      { code: 'ERR_TELAR_OPTION_CONFLICT', message: /^options\.isolate gives each task / })
  }
  assert.throws(() => new Pool({ spareThreads: 2 }), { code: 'ERR_TELAR_OPTION_CONFLICT' })
  assert.throws(() => new Pool({ isolate: 1 }), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
  assert.throws(() => new Pool({ isolate: true, spareThreads: -1 }),
    { code: 'ERR_TELAR_INVALID_ARGUMENT' })
})
