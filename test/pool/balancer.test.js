'use strict'

// Load balancers and task queues of the user: which tasks count as waiting, and what happens to
// tasks that a queue does not return.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { createGate, faces, outcomes, until, usePool } = require('../fixtures/fault-helpers')

const limit = { timeout: 30_000 }

const leastBusy = (task, workers) => workers.find(({ currentUsage }) => currentUsage === 0) ?? null
const none = (task, workers) => null

// Runs `count` tasks, and notes queueSize after each of them.
function submit (pool, count) {
  const sizes = []
  const promises = Array.from({ length: count }, (_, i) => {
    const promise = pool.run(i)
    sizes.push(pool.queueSize)
    return promise
  })
  return { sizes, settling: outcomes(promises) }
}

const codesOf = (settled) => settled.map(({ reason }) => reason?.code)

for (const [face, Class] of faces) {
  for (const [name, options] of [
    ['no balancer', {}], ['a balancer', { loadBalancer: leastBusy }]
  ]) {
    test(`${face}: with ${name}, queueSize omits a starting worker's task`, limit, async (t) => {
      const pool = usePool(t, Class, { minThreads: 0, maxThreads: 1, maxQueue: 2, ...options })
      const { sizes, settling } = submit(pool, 4)
      assert.deepEqual(sizes, [0, 1, 2, 2])
      assert.deepEqual(codesOf(await settling),
        [undefined, undefined, undefined, 'ERR_TELAR_QUEUE_FULL'])
    })

    test(`${face}: with ${name}, queueSize omits every task it has room for`, limit, async (t) => {
      const pool = usePool(t, Class,
        { minThreads: 0, maxThreads: 1, maxQueue: 1, concurrentTasksPerWorker: 3, ...options })
      const { sizes, settling } = submit(pool, 5)
      assert.deepEqual(sizes, [0, 0, 0, 1, 1])
      assert.deepEqual(codesOf(await settling),
        [undefined, undefined, undefined, undefined, 'ERR_TELAR_QUEUE_FULL'])
    })

    test(`${face}: with ${name}, maxQueue 0 admits a starting worker's task`, limit, async (t) => {
      const pool = usePool(t, Class, { minThreads: 0, maxThreads: 1, maxQueue: 0, ...options })
      const { sizes, settling } = submit(pool, 3)
      assert.deepEqual(sizes, [0, 0, 0])
      assert.deepEqual(codesOf(await settling),
        [undefined, 'ERR_TELAR_NO_QUEUE', 'ERR_TELAR_NO_QUEUE'])
    })
  }

  test(`${face}: maxQueue bounds tasks that the balancer has no worker for`, limit, async (t) => {
    const pool = usePool(t, Class,
      { minThreads: 2, maxThreads: 2, maxQueue: 3, loadBalancer: none })
    const { sizes, settling } = submit(pool, 5)
    assert.deepEqual(sizes, [1, 2, 3, 3, 3])
    await pool.destroy()
    assert.deepEqual(codesOf(await settling), [
      ...Array(3).fill('ERR_TELAR_TERMINATED'), 'ERR_TELAR_QUEUE_FULL', 'ERR_TELAR_QUEUE_FULL'
    ])
  })

  test(`${face}: a task refused with maxQueue 0 rejects and never runs`, limit, async (t) => {
    const gate = createGate()
    let isRefusing = true
    const pool = usePool(t, Class, {
      minThreads: 1,
      maxThreads: 1,
      maxQueue: 0,
      workerData: gate.buffer,
      loadBalancer: (task, workers) => isRefusing ? null : leastBusy(task, workers)
    })
    await assert.rejects(pool.run(3, { name: 'mark' }), { code: 'ERR_TELAR_NO_QUEUE' })
    isRefusing = false
    assert.equal(await pool.run('next'), 'next')
    assert.equal(gate.count(3), 0)
  })

  for (const way of ['close', 'destroy']) {
    test(`${face}: tasks that a queue has lost reject at ${way}()`, limit, async (t) => {
      const gate = createGate()
      // Keeps only the last task.
      let last = null
      const taskQueue = {
        get size () { return last === null ? 0 : 1 },
        push (task) { last = task },
        remove (task) { if (task === last) last = null },
        shift () {
          const task = last
          last = null
          return task
        }
      }
      const pool = usePool(t, Class,
        { minThreads: 1, maxThreads: 1, taskQueue, workerData: gate.buffer })
      const running = outcomes([pool.run({ mark: 0, until: 1 }, { name: 'wait' })])
      await gate.reached(0, 1)
      const settling = outcomes([1, 2, 3].map((value) => pool.run(value)))
      const ended = pool[way]()
      gate.open(1)
      await ended
      await running
      const codes = codesOf(await settling)
      assert.deepEqual(codes.slice(0, 2), Array(2).fill('ERR_TELAR_TERMINATED'))
      assert.equal(codes[2], way === 'close' ? undefined : 'ERR_TELAR_TERMINATED')
      assert.equal(pool.completed, 4)
    })
  }

  test(`${face}: a task that a queue returns twice runs once`, limit, async (t) => {
    const gate = createGate()
    const tasks = []
    const taskQueue = {
      get size () { return tasks.length },
      push: (task) => { tasks.push(task, task) },
      shift: () => tasks.shift() ?? null,
      remove (task) { while (tasks.includes(task)) tasks.splice(tasks.indexOf(task), 1) }
    }
    const pool = usePool(t, Class,
      { minThreads: 2, maxThreads: 2, taskQueue, workerData: gate.buffer })
    const running = [0, 0].map((mark) => pool.run({ mark, until: 1 }, { name: 'wait' }))
    await gate.reached(0, 2)
    const waiting = Promise.all([1, 2, 3].map(() => pool.run(3, { name: 'mark' })))
    gate.open(1)
    assert.deepEqual((await waiting).sort(), [1, 2, 3])
    await Promise.all(running)
    await until(() => pool.queueSize === 0)
    assert.equal(gate.count(3), 3)
  })
}
