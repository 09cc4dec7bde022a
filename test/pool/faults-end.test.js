'use strict'

// destroy() and close() in every state of a pool.

const assert = require('node:assert/strict')
const path = require('node:path')
const { test } = require('node:test')
const { Worker } = require('node:worker_threads')
const { createGate, faces, outcomes, until, usePool } = require('../fixtures/fault-helpers')

const limit = { timeout: 30_000 }
const terminated = { code: 'ERR_TELAR_TERMINATED', message: 'Terminating worker thread' }

// The value of each promise, or the code of its error.
const codes = async (promises) =>
  (await outcomes(promises)).map(({ value, reason }) => reason === undefined ? value : reason.code)

for (const [face, Class] of faces) {
  const create = (t, options) => {
    const gate = createGate()
    const pool = usePool(t, Class,
      { minThreads: 1, maxThreads: 1, workerData: gate.buffer, ...options })
    return { gate, pool }
  }

  // ---- destroy() ----

  test(`${face}: destroy() during the boot rejects the submitted tasks`, limit, async (t) => {
    const { pool } = create(t, { minThreads: 2, maxThreads: 2 })
    const settling = codes([pool.run(1), pool.run(2), pool.run(3)])
    const destroyed = pool.destroy()
    assert.deepEqual(await settling, Array(3).fill('ERR_TELAR_TERMINATED'))
    await destroyed
    assert.deepEqual(pool.threads, [])
    assert.equal(pool.completed, 3)
  })

  // V8 sometimes loses a request to terminate.
  test(`${face}: destroy() ends an endless loop if its first request is lost`, limit, async (t) => {
    const { gate, pool } = create(t)
    const settling = codes([pool.run(0, { name: 'markAndSpin' })])
    await gate.reached(0, 1)
    const lost = t.mock.method(Worker.prototype, 'terminate', async () => {}, { times: 1 })
    await pool.destroy()
    assert.equal(lost.mock.callCount(), 1) // the second call reached Node
    assert.deepEqual(await settling, ['ERR_TELAR_TERMINATED'])
  })

  test(`${face}: destroy() ends an idle pool`, limit, async (t) => {
    const { pool } = create(t)
    await pool.run(1)
    await pool.destroy()
    assert.deepEqual(pool.threads, [])
    assert.equal(pool.queueSize, 0)
  })

  test(`${face}: destroy() may come before the pool has a thread`, limit, async (t) => {
    const { pool } = create(t, { minThreads: 0 })
    assert.deepEqual(pool.threads, [])
    await pool.destroy()
    assert.equal(await pool.run(1), 1)
  })

  test(`${face}: destroy() rejects running and queued tasks of every kind`, limit, async (t) => {
    const { gate, pool } = create(t)
    const { signal } = new AbortController()
    const settling = codes([
      pool.run(0, { name: 'markAndSpin' }),
      pool.run(3, { name: 'mark' }),
      pool.run(3, { name: 'mark', signal }),
      pool.run(new SharedArrayBuffer(8)),
      pool.run('x'.repeat(100_000)),
      ...Array.from({ length: 5000 }, () => pool.run(3, { name: 'mark' }))
    ])
    await gate.reached(0, 1)
    await pool.destroy()
    const settled = await settling
    assert.equal(settled.length, 5005)
    assert.ok(settled.every((code) => code === 'ERR_TELAR_TERMINATED'))
    assert.equal(gate.count(3), 0)
    assert.equal(pool.completed, 5005)
    assert.equal(pool.queueSize, 0)
  })

  test(`${face}: destroy() rejects asynchronous tasks that are running`, limit, async (t) => {
    const { gate, pool } = create(t, { concurrentTasksPerWorker: 3 })
    const wait = () => pool.run({ mark: 0, until: 1 }, { name: 'waitAsync' })
    const settling = codes(Array.from({ length: 5 }, wait))
    await gate.reached(0, 3)
    await pool.destroy()
    assert.deepEqual(await settling, Array(5).fill('ERR_TELAR_TERMINATED'))
    assert.equal(gate.count(0), 3)
  })

  test(`${face}: destroy() may be called twice at once, and once more`, limit, async (t) => {
    const { gate, pool } = create(t, { minThreads: 2, maxThreads: 2 })
    const settling = codes([pool.run(0, { name: 'markAndSpin' }), pool.run(1)])
    await gate.reached(0, 1)
    await Promise.all([pool.destroy(), pool.destroy()])
    assert.equal((await settling)[0], 'ERR_TELAR_TERMINATED')
    await pool.destroy()
    assert.deepEqual(pool.threads, [])
  })

  test(`${face}: a destroyed pool can be used again, many times`, limit, async (t) => {
    const { gate, pool } = create(t, { minThreads: 2, maxThreads: 2 })
    for (let round = 1; round <= 8; round++) {
      const looping = pool.run(0, { name: 'markAndSpin' })
      assert.equal(await pool.run(round), round)
      await gate.reached(0, round)
      const destroyed = pool.destroy()
      await assert.rejects(looping, terminated)
      await destroyed
      assert.equal(pool.completed, 2 * round)
    }
  })

  test(`${face}: a second destroy() spares tasks submitted after the first`, limit, async (t) => {
    const { pool } = create(t)
    await pool.run(1)
    const [again] = await Promise.all([
      pool.destroy().then(() => pool.run('again')), pool.destroy()
    ])
    assert.equal(again, 'again')
  })

  test(`${face}: destroy() as results arrive settles each task once`, limit, async (t) => {
    const { pool } = create(t)
    let count = 0
    for (let round = 0; round < 20; round++) {
      const promises = Array.from({ length: 50 }, (_, i) => pool.run(i))
      const settling = outcomes(promises)
      await promises[round]
      await pool.destroy()
      for (const [i, { value, reason }] of (await settling).entries()) {
        if (reason === undefined) assert.equal(value, i)
        else assert.equal(reason.code, 'ERR_TELAR_TERMINATED')
      }
      count += 50
      assert.equal(pool.completed, count)
    }
  })

  test(`${face}: destroy() may be called by a 'drain' listener`, limit, async (t) => {
    const { pool } = create(t)
    const destroyed = new Promise((resolve) => pool.once('drain', () => resolve(pool.destroy())))
    assert.equal(await pool.run(1), 1)
    await destroyed
    assert.deepEqual(pool.threads, [])
    assert.equal(await pool.run(2), 2)
  })

  test(`${face}: destroy() may be called as several workers become ready`, limit, async (t) => {
    const gate = createGate()
    // This balancer chooses only workers that are ready.
    const loadBalancer = (task, workers) =>
      workers.find(({ currentUsage }) => currentUsage === 0) ?? null
    const counting = path.join(__dirname, '..', 'fixtures', 'boot', 'fails-at.js')
    const pool = usePool(t, Class,
      { filename: counting, minThreads: 0, maxThreads: 3, loadBalancer, workerData: gate.buffer })
    for (let round = 1; round <= 3; round++) {
      const settling = codes([pool.run(1), pool.run(2), pool.run(3)])
      const destroyed = new Promise((resolve) =>
        pool.once('workerCreate', () => resolve(pool.destroy())))
      // Without a turn of the event loop, so that one turn announces all three workers.
      while (gate.count(0) < 3 * round) gate.pause(10)
      gate.pause(50)
      await destroyed
      assert.deepEqual(await settling, Array(3).fill('ERR_TELAR_TERMINATED'))
    }
    assert.deepEqual(await Promise.all([1, 2, 3, 4, 5, 6].map((value) => pool.run(value))),
      [1, 2, 3, 4, 5, 6])
  })

  test(`${face}: destroy() may come from 'workerCreate' or 'workerDestroy'`, limit, async (t) => {
    const { pool } = create(t)
    const created = new Promise((resolve) =>
      pool.once('workerCreate', () => resolve(pool.destroy())))
    await created
    assert.deepEqual(pool.threads, [])
    const destroyed = new Promise((resolve) =>
      pool.once('workerDestroy', () => resolve(pool.destroy())))
    // The listener runs after the worker has ended and before its task settles.
    const [code] = await codes([pool.run(3, { name: 'exit' })])
    assert.ok(['ERR_TELAR_WORKER_EXITED', 'ERR_TELAR_TERMINATED'].includes(code), code)
    await destroyed
    await until(() => pool.threads.length === 0)
    assert.equal(await pool.run('after'), 'after')
  })

  test(`${face}: every worker is announced once and reported gone once`, limit, async (t) => {
    const { pool } = create(t, { minThreads: 2, maxThreads: 2 })
    const seen = new Map()
    pool.on('workerCreate', (worker) => {
      assert.equal(seen.has(worker), false)
      seen.set(worker, 'came')
    })
    pool.on('workerDestroy', (worker) => {
      assert.equal(seen.get(worker), 'came')
      seen.set(worker, 'gone')
    })
    // Some workers end before they are ready: the second destroy() comes just after their start.
    const tasks = outcomes([pool.run(0), pool.run(1)])
    await pool.destroy()
    await tasks
    const more = outcomes([pool.run(2)])
    await pool.destroy()
    await more
    assert.ok(seen.size >= 3)
    assert.deepEqual(new Set(seen.values()), new Set(['gone']))
  })

  // ---- close() ----

  test(`${face}: close() ends a pool that is idle or still boots`, limit, async (t) => {
    const { pool } = create(t)
    let closed = 0
    pool.on('close', () => closed++)
    await pool.close()
    assert.equal(closed, 1)
    assert.deepEqual(pool.threads, [])
    assert.equal(await pool.run('again'), 'again')
    await pool.close()
    assert.equal(closed, 2)
  })

  test(`${face}: close() waits for accepted tasks and refuses new ones`, limit, async (t) => {
    const { gate, pool } = create(t)
    const running = pool.run({ mark: 0, until: 1 }, { name: 'wait' })
    const queued = Array.from({ length: 100 }, (_, i) => pool.run(i))
    await gate.reached(0, 1)
    let isClosed = false
    pool.on('close', () => { isClosed = true })
    const closing = pool.close()
    const late = await pool.run('late').catch((error) => error)
    assert.equal(late.name, 'AbortError')
    assert.equal(late.cause, 'queue is being terminated')
    assert.equal(isClosed, false)
    gate.open(1)
    assert.equal(await running, 'waited')
    assert.deepEqual(await Promise.all(queued), Array.from({ length: 100 }, (_, i) => i))
    await closing
    assert.equal(isClosed, true)
    assert.deepEqual(pool.threads, [])
  })

  test(`${face}: close({ force: true }) aborts only the queued tasks`, limit, async (t) => {
    const { gate, pool } = create(t)
    const running = pool.run({ mark: 0, until: 1 }, { name: 'wait' })
    await gate.reached(0, 1)
    const { signal } = new AbortController()
    const settling = outcomes([
      ...Array.from({ length: 5000 }, () => pool.run(3, { name: 'mark' })),
      pool.run(3, { name: 'mark', signal }),
      pool.run(new SharedArrayBuffer(4))
    ])
    const closing = pool.close({ force: true })
    gate.open(1)
    for (const { reason } of await settling) {
      assert.equal(reason?.code, 'ERR_TELAR_ABORTED')
      assert.equal(reason.cause, 'pool is closed')
    }
    assert.equal(await running, 'waited')
    await closing
    assert.equal(gate.count(3), 0)
  })

  test(`${face}: close({ force: true }) runs no task that was aborted before`, limit, async (t) => {
    const { gate, pool } = create(t)
    const running = pool.run({ mark: 0, until: 1 }, { name: 'wait' })
    await gate.reached(0, 1)
    const controller = new AbortController()
    const { signal } = controller
    const optionsOf = (at) => ({ name: 'mark', ...(at === 3 ? { signal } : {}) })
    const settling = codes([3, 4, 3, 4].map((at) => pool.run(at, optionsOf(at))))
    controller.abort()
    const closing = pool.close({ force: true })
    gate.open(1)
    assert.deepEqual(await settling, Array(4).fill('ERR_TELAR_ABORTED'))
    assert.equal(await running, 'waited')
    await closing
    assert.deepEqual([gate.count(3), gate.count(4)], [0, 0])
  })

  test(`${face}: close({ force: true }) settles all tasks during the boot`, limit, async (t) => {
    const { pool } = create(t)
    const settling = codes([pool.run('first'), pool.run('second'), pool.run('third')])
    await pool.close({ force: true })
    for (const result of await settling) {
      assert.ok(['first', 'ERR_TELAR_ABORTED'].includes(result), String(result))
    }
    assert.equal(pool.completed, 3)
    assert.deepEqual(pool.threads, [])
  })

  test(`${face}: close() emits an error and destroys after closeTimeout`, limit, async (t) => {
    const { gate, pool } = create(t, { closeTimeout: 50 })
    const settling = codes([pool.run(0, { name: 'markAndSpin' }), pool.run(1)])
    await gate.reached(0, 1)
    const events = []
    pool.on('error', (error) => events.push(error.message))
    pool.on('close', () => events.push('close'))
    await pool.close()
    assert.deepEqual(events, ['Close operation timed out', 'close'])
    assert.deepEqual(await settling, Array(2).fill('ERR_TELAR_TERMINATED'))
  })

  test(`${face}: close() called twice at once resolves both after the tasks`, limit, async (t) => {
    const { gate, pool } = create(t)
    const running = pool.run({ mark: 0, until: 1 }, { name: 'wait' })
    await gate.reached(0, 1)
    const closing = Promise.all([pool.close(), pool.close()])
    gate.open(1)
    assert.equal(await running, 'waited')
    await closing
    assert.deepEqual(pool.threads, [])
    assert.equal(await pool.run('again'), 'again')
  })

  test(`${face}: close() called twice at once emits 'close' once`, limit, async (t) => {
    const { pool } = create(t)
    const running = pool.run(1)
    let count = 0
    pool.on('close', () => count++)
    await Promise.all([pool.close(), pool.close()])
    assert.equal(await running, 1)
    await pool.close()
    assert.equal(count, 2)
  })

  test(`${face}: a forced close() during a waiting close() aborts the queue`, limit, async (t) => {
    const { gate, pool } = create(t)
    const running = pool.run({ mark: 0, until: 1 }, { name: 'wait' })
    await gate.reached(0, 1)
    const settling = codes([pool.run(3, { name: 'mark' }), pool.run(3, { name: 'mark' })])
    const closing = [pool.close(), pool.close({ force: true })]
    assert.deepEqual(await settling, Array(2).fill('ERR_TELAR_ABORTED'))
    gate.open(1)
    assert.equal(await running, 'waited')
    await Promise.all(closing)
    assert.equal(gate.count(3), 0)
  })

  test(`${face}: destroy() during close() ends both`, limit, async (t) => {
    const { gate, pool } = create(t)
    const settling = codes([pool.run(0, { name: 'markAndSpin' }), pool.run(1)])
    await gate.reached(0, 1)
    const closing = pool.close()
    const destroyed = pool.destroy()
    assert.deepEqual(await settling, Array(2).fill('ERR_TELAR_TERMINATED'))
    await Promise.all([closing, destroyed])
    assert.deepEqual(pool.threads, [])
    assert.equal(await pool.run('again'), 'again')
  })

  test(`${face}: close() may be called by a 'drain' listener`, limit, async (t) => {
    const { pool } = create(t)
    const closing = new Promise((resolve) => pool.once('drain', () => resolve(pool.close())))
    assert.equal(await pool.run(1), 1)
    await closing
    assert.deepEqual(pool.threads, [])
  })

  test(`${face}: an abort of the last task lets close() end`, limit, async (t) => {
    const { gate, pool } = create(t)
    const controller = new AbortController()
    const looping = pool.run(0, { name: 'markAndSpin', signal: controller.signal })
    await gate.reached(0, 1)
    const closing = pool.close()
    controller.abort()
    await assert.rejects(looping, { code: 'ERR_TELAR_ABORTED' })
    await closing
    assert.deepEqual(pool.threads, [])
  })

  test(`${face}: a worker that dies during close() is replaced for the rest`, limit, async (t) => {
    const { pool } = create(t)
    const settling = codes([
      pool.run(4, { name: 'exit' }), pool.run(1), pool.run(5, { name: 'exit' }), pool.run(2)
    ])
    await pool.close()
    assert.deepEqual(await settling, ['ERR_TELAR_WORKER_EXITED', 1, 'ERR_TELAR_WORKER_EXITED', 2])
  })

  test(`${face}: Symbol.dispose and Symbol.asyncDispose close the pool`, limit, async (t) => {
    const { pool } = create(t)
    const value = pool.run('value')
    await pool[Symbol.asyncDispose]()
    assert.equal(await value, 'value')
    assert.deepEqual(pool.threads, [])
    const again = pool.run('again')
    const closed = new Promise((resolve) => pool.once('close', resolve))
    pool[Symbol.dispose]()
    assert.equal(await again, 'again')
    await closed
    assert.deepEqual(pool.threads, [])
  })
}
