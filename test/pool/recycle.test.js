'use strict'

// The option recycle: workers are replaced between two tasks, and no task is lost or runs twice.

const assert = require('node:assert/strict')
const path = require('node:path')
const { test } = require('node:test')
const { Pool } = require('../..')
const { createGate, faces, until, usePool } = require('../fixtures/fault-helpers')
const { useLife } = require('../fixtures/life/use-life')

const limit = { timeout: 30_000 }

for (const [face, Class] of faces) {
  const create = (t, options) => {
    const { gate, pool } = useLife(t, Class, { minThreads: 1, maxThreads: 1, ...options })
    pool.on('error', (error) => { throw error })
    return { gate, pool }
  }

  test(`${face}: a worker is replaced when it has run enough tasks`, limit, async (t) => {
    const { gate, pool } = create(t, {
      recycle: { tasks: 5 }, setup: 'setup', teardown: 'teardown'
    })
    const counts = new Map()
    while (counts.size < 4) {
      const id = await pool.run(1, { name: 'slowly' })
      counts.set(id, (counts.get(id) ?? 0) + 1)
    }
    // All but the last have run at least that many.
    for (const count of [...counts.values()].slice(0, -1)) assert.ok(count >= 5, `${count} tasks`)
    assert.ok(gate.count(0) >= 4)
    await until(() => gate.count(1) >= 3)
    assert.equal(pool.maxThreads, 1)
  })

  test(`${face}: the replacement is ready before the worker goes`, limit, async (t) => {
    const { gate, pool } = create(t, {
      recycle: { tasks: 1 }, setup: 'setup', teardown: 'teardown'
    })
    const events = []
    pool.on('workerCreate', () => events.push(`created after ${gate.count(0)} setups`))
    pool.on('workerDestroy', () => events.push('destroyed'))
    await pool.ready()
    while (!events.includes('destroyed')) await pool.run(1, { name: 'slowly' })
    assert.deepEqual(events.slice(1, 3), ['created after 2 setups', 'destroyed'])
  })

  for (const concurrentTasksPerWorker of [1, 3]) {
    const title = `${face}: every task runs once, ${concurrentTasksPerWorker} at a time`
    test(title, limit, async (t) => {
      const { pool } = create(t, {
        recycle: { tasks: 1 }, minThreads: 2, maxThreads: 2, concurrentTasksPerWorker
      })
      const perWorker = new Map()
      const gone = []
      let submitted = 0
      pool.on('workerDestroy', (worker) => gone.push(worker))
      while (gone.length < 4) {
        const round = Array.from({ length: 100 }, (_, i) => {
          if (i % 10 === 0) return pool.run(1, { name: 'slowly' })
          // Sent by port, so it belongs to a certain worker.
          if (i % 10 === 1) return pool.run(new SharedArrayBuffer(8))
          return pool.run(null)
        })
        submitted += round.length
        for (const id of await Promise.all(round)) perWorker.set(id, (perWorker.get(id) ?? 0) + 1)
      }
      assert.equal([...perWorker.values()].reduce((sum, count) => sum + count), submitted)
      assert.equal(pool.completed, submitted)
      assert.ok(perWorker.size >= 4)
    })
  }

  test(`${face}: an idle worker is replaced when it is too old`, limit, async (t) => {
    const { gate, pool } = create(t, { recycle: { ageMs: 1 }, setup: 'setupNow' })
    await pool.ready()
    const [first] = pool.threads
    await until(() => !pool.threads.includes(first))
    await pool.ready()
    assert.ok(gate.count(0) >= 2)
  })

  test(`${face}: a worker is replaced when its heap has grown`, limit, async (t) => {
    const { pool } = create(t, { recycle: { heapMb: 60 } })
    const first = await pool.run(null)
    await pool.run(1000, { name: 'slowly' })
    assert.equal(await pool.run(null), first)
    assert.equal(await pool.run(100, { name: 'keep' }), first) // 100 MiB
    await until(async () => await pool.run(null) !== first)
  })

  test(`${face}: a replacement that fails leaves the worker in its place`, limit, async (t) => {
    const gate = createGate()
    gate.set(2, 0b10)
    const pool = usePool(t, Class, {
      filename: path.join(__dirname, '..', 'fixtures', 'boot', 'fails-at.js'),
      minThreads: 1,
      maxThreads: 1,
      recycle: { tasks: 1 },
      workerData: gate.buffer
    })
    const errors = []
    pool.on('error', (error) => errors.push(error.message))
    while (errors.length === 0) await pool.run(1, { name: 'sleep' })
    assert.deepEqual(errors, ['load 1 fails'])
    assert.equal(pool.threads.length, 1)
    assert.equal(await pool.run('still'), 'still')
    while (gate.count(0) < 3) await pool.run(1, { name: 'sleep' }) // it is tried again
  })
}

test('recycle is checked, and misspelled limits are errors', () => {
  for (const recycle of [null, 3, [], 'tasks']) {
    assert.throws(() => new Pool({ recycle }), {
      code: 'ERR_TELAR_INVALID_ARGUMENT',
      message: /^options\.recycle must be an object with tasks, heapMb or ageMs; received /
    })
  }
  for (const name of ['tasks', 'heapMb', 'ageMs']) {
    for (const value of [0, 1.5, '3', NaN, null]) {
      assert.throws(() => new Pool({ recycle: { [name]: value } }), {
        code: 'ERR_TELAR_INVALID_ARGUMENT',
        message: new RegExp(`^options\\.recycle\\.${name} must be a positive integer; received `)
      })
    }
  }
  assert.throws(() => new Pool({ recycle: { task: 3 } }), {
    code: 'ERR_TELAR_UNKNOWN_OPTION',
    message: 'options.recycle.task is not a known option; did you mean options.recycle.tasks?'
  })
})
