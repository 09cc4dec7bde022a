'use strict'

// What the options and properties of a pool promise about its workers.

const assert = require('node:assert/strict')
const { once } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const { test } = require('node:test')
const { setTimeout: sleep } = require('node:timers/promises')
const { SHARE_ENV, setEnvironmentData } = require('node:worker_threads')
const telar = require('../..')
const { FixedQueue, queueOptionsSymbol } = telar
const { until } = require('../fixtures/until')
const { usePool } = require('../fixtures/use-pool')

const limit = { timeout: 30_000 }
const longLimit = { timeout: 60_000 }

const envPool = (t, options) => usePool(t, 'environment.js', options)

function useGate (t, options) {
  const gate = new Int32Array(new SharedArrayBuffer(8))
  const pool = envPool(t, { workerData: gate.buffer, ...options })
  return {
    pool,
    wait: (value, runOptions) => pool.run(value, { name: 'wait', ...runOptions }),
    waiting: async (count) => { while (Atomics.load(gate, 1) < count) await sleep(1) },
    open: () => Atomics.store(gate, 0, 1)
  }
}

// ---- The environment of a worker ----

test('workerData reaches Node and telar, in CommonJS and in ES modules', async (t) => {
  const shared = new SharedArrayBuffer(4)
  const workerData = { text: 'data', map: new Map([[1, 2]]), shared }
  const pool = envPool(t, { workerData })
  const seen = await pool.run(null, { name: 'workerData' })
  assert.deepEqual({ ...seen.node, shared: null }, { ...workerData, shared: null })
  assert.deepEqual({ ...seen.telar, shared: null }, { ...workerData, shared: null })
  assert.equal(seen.isWorkerThread, true)
  assert.equal(await pool.run(3, { name: 'addShared' }), 0)
  assert.equal(new Int32Array(shared)[0], 3)

  const modules = await pool.run(null, { name: 'modules' })
  assert.deepEqual([modules.isWorkerThread, modules.isPiscinaThread, modules.isSame],
    [true, true, true])
  assert.equal(modules.workerData.text, 'data')
  assert.equal(modules.piscinaData.text, 'data')

  assert.equal(telar.isWorkerThread, false)
  assert.equal(telar.workerData, undefined)
})

test('workerData that cannot be cloned makes the constructor throw', () => {
  assert.throws(() => new telar.Pool({ workerData: () => {}, minThreads: 1 }),
    { name: 'DataCloneError' })
})

test('env is a copy, by default that of the process', async (t) => {
  process.env.TELAR_TEST_INHERITED = 'inherited'
  t.after(() => { delete process.env.TELAR_TEST_INHERITED })
  const inherited = envPool(t)
  assert.equal(await inherited.run('TELAR_TEST_INHERITED', { name: 'env' }), 'inherited')
  await inherited.run({ name: 'TELAR_TEST_INHERITED', value: 'changed' }, { name: 'setEnv' })
  assert.equal(process.env.TELAR_TEST_INHERITED, 'inherited')

  const own = envPool(t, { env: { TELAR_TEST_OWN: 'own' } })
  assert.equal(await own.run('TELAR_TEST_OWN', { name: 'env' }), 'own')
  assert.equal(await own.run('TELAR_TEST_INHERITED', { name: 'env' }), undefined)
})

test('SHARE_ENV as env shares the environment of the process', async (t) => {
  t.after(() => { delete process.env.TELAR_TEST_SHARED })
  const pool = envPool(t, { env: SHARE_ENV })
  process.env.TELAR_TEST_SHARED = 'from here'
  assert.equal(await pool.run('TELAR_TEST_SHARED', { name: 'env' }), 'from here')
  await pool.run({ name: 'TELAR_TEST_SHARED', value: 'from the worker' }, { name: 'setEnv' })
  assert.equal(process.env.TELAR_TEST_SHARED, 'from the worker')
})

test('argv and execArgv reach the worker', async (t) => {
  const pool = envPool(t, { argv: ['one', 2], execArgv: ['--no-deprecation'] })
  assert.deepEqual(await pool.run(null, { name: 'argv' }), ['one', '2'])
  assert.deepEqual(await pool.run(null, { name: 'execArgv' }),
    { execArgv: ['--no-deprecation'], noDeprecation: true })
  assert.deepEqual(await envPool(t, { execArgv: [] }).run(null, { name: 'execArgv' }),
    { execArgv: [], noDeprecation: false })
})

test('resourceLimits reach the worker', async (t) => {
  const limits = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 8, stackSizeMb: 2 }
  const pool = envPool(t, { resourceLimits: limits })
  const seen = await pool.run(null, { name: 'resourceLimits' })
  for (const [name, value] of Object.entries(limits)) assert.equal(seen[name], value, name)
})

test('setEnvironmentData() reaches the worker', async (t) => {
  t.after(() => setEnvironmentData('telar test', undefined))
  setEnvironmentData('telar test', { set: 'before' })
  assert.deepEqual(await envPool(t).run('telar test', { name: 'environmentData' }),
    { set: 'before' })
})

test('a BroadcastChannel works in tasks, both ways', limit, async (t) => {
  const pool = envPool(t)
  const name = 'telar test channel'
  const channel = new BroadcastChannel(name)
  t.after(() => channel.close())
  const heard = once(channel, 'message')
  await pool.run({ name, message: { from: 'a task' } }, { name: 'broadcast' })
  assert.deepEqual((await heard)[0].data, { from: 'a task' })

  const there = new BroadcastChannel(`${name} there`)
  t.after(() => there.close())
  const isThere = once(there, 'message')
  const hearing = pool.run(name, { name: 'hear' })
  await isThere
  channel.postMessage({ to: 'a task' })
  assert.deepEqual(await hearing, { to: 'a task' })
})

test('open descriptors are closed with their worker if they are tracked', async (t) => {
  const isOpen = (fd) => {
    try {
      fs.fstatSync(fd)
      return true
    } catch (error) {
      assert.equal(error.code, 'EBADF')
      return false
    }
  }
  for (const trackUnmanagedFds of [true, false]) {
    const pool = envPool(t, { trackUnmanagedFds })
    const fd = await pool.run(null, { name: 'leaveOpen' })
    assert.equal(isOpen(fd), true)
    await pool.destroy()
    assert.equal(isOpen(fd), !trackUnmanagedFds)
    if (!trackUnmanagedFds) fs.closeSync(fd)
  }
})

// Other systems have no priority for a single thread.
if (process.platform === 'linux') {
  test('niceIncrement lowers the priority of the workers and of nothing else', async (t) => {
    const own = os.getPriority()
    const pool = envPool(t, { niceIncrement: 5 })
    assert.equal(await pool.run(null, { name: 'priority' }), Math.min(19, own + 5))
    assert.equal(os.getPriority(), own)
    assert.equal(await envPool(t, { niceIncrement: 1000 }).run(null, { name: 'priority' }), 19)
    assert.equal(await envPool(t).run(null, { name: 'priority' }), own)
  })
}

// ---- Workers start and end ----

test('workers start with the tasks and end when idle, each with an event', longLimit, async (t) => {
  const { pool, wait, waiting, open } = useGate(t,
    { minThreads: 1, maxThreads: 3, idleTimeout: 10 })
  const created = []
  const destroyed = []
  pool.on('workerCreate', (worker) => created.push(worker))
  pool.on('workerDestroy', (worker) => destroyed.push(worker.id))

  await pool.run(0)
  assert.equal(created.length, 1)
  const runs = Array.from({ length: 9 }, (_, i) => wait(i))
  await waiting(3)
  assert.equal(pool.threads.length, 3)
  await until(() => created.length === 3)
  const ids = created.map(({ id }) => id)
  assert.deepEqual([...ids].sort(), pool.threads.map(({ threadId }) => threadId).sort())
  const states = created.map(({ terminating, destroyed, isRunningAbortableTask, histogram }) =>
    [terminating, destroyed, isRunningAbortableTask, histogram])
  assert.deepEqual(states, Array(3).fill([false, false, false, null]))

  open()
  assert.deepEqual(await Promise.all(runs), [0, 1, 2, 3, 4, 5, 6, 7, 8])
  await until(() => pool.threads.length === 1)
  await until(() => destroyed.length === 2)
  assert.deepEqual(created.filter(({ destroyed }) => !destroyed).map(({ id }) => id),
    [pool.threads[0].threadId])
  await pool.destroy()
  assert.equal(destroyed.length, 3)
  assert.equal(await pool.run(1), 1)
})

test('idleTimeout Infinity keeps idle workers', longLimit, async (t) => {
  const [kept, passing] = [Infinity, 1].map((idleTimeout) =>
    envPool(t, { minThreads: 1, maxThreads: 2, idleTimeout }))
  let isGone = false
  passing.on('workerDestroy', () => { isGone = true })
  await Promise.all([kept, passing].flatMap((pool) =>
    Array.from({ length: 6 }, () => pool.run(5, { name: 'sleep' }))))
  assert.equal(kept.threads.length, 2)
  await until(() => isGone)
  assert.equal(passing.threads.length, 1)
  assert.equal(kept.threads.length, 2)
})

test('a pool may start without workers', async (t) => {
  const pool = envPool(t, { minThreads: 0, maxThreads: 2 })
  assert.equal(pool.threads.length, 0)
  assert.equal(pool.idleThreads, 0)
  assert.equal(await pool.run(4), 4)
  assert.equal(pool.threads.length, 1)
})

// ---- Load balancers ----

test('a load balancer is asked about each task and decides who runs it', async (t) => {
  const seen = []
  const pool = envPool(t, {
    minThreads: 2,
    maxThreads: 2,
    loadBalancer: (task, workers) => {
      seen.push({ task, workers: workers.map(({ id }) => id) })
      return workers.at(-1)
    }
  })
  const { signal } = new AbortController()
  const before = performance.now()
  const threadIds = pool.threads.map(({ threadId }) => threadId)
  const ran = []
  for (let i = 0; i < 5; i++) {
    ran.push(await pool.run({ [queueOptionsSymbol]: { key: i } },
      { name: 'threadId', signal: i === 4 ? signal : undefined }))
  }

  assert.deepEqual(ran, new Array(5).fill(threadIds[1]))
  assert.equal(seen.length, 5)
  seen.forEach(({ task, workers }, i) => {
    assert.deepEqual(workers, threadIds)
    assert.equal(task.name, 'threadId')
    assert.equal(task.filename, pool.options.filename)
    assert.equal(task.isAbortable, i === 4)
    assert.deepEqual(task[queueOptionsSymbol], { key: i })
    assert.ok(task.created >= before && task.created <= performance.now())
    assert.equal(typeof task.taskId, 'number')
  })
  assert.equal(new Set(seen.map(({ task }) => task.taskId)).size, 5)
})

test('a load balancer that chooses no worker is asked again after a task', limit, async (t) => {
  // The balancer allows one task at a time in all workers together.
  const { pool, wait, waiting, open } = useGate(t, {
    minThreads: 2,
    maxThreads: 2,
    loadBalancer: (task, workers) =>
      workers.some(({ currentUsage }) => currentUsage > 0) ? null : workers[0]
  })
  const runs = [wait(0), pool.run(1), pool.run(2)]
  await waiting(1)
  assert.equal(pool.queueSize, 2)
  open()
  assert.deepEqual(await Promise.all(runs), [0, 1, 2])
  assert.equal(pool.queueSize, 0)
})

test('a load balancer sees the current state of the workers', limit, async (t) => {
  let seen
  const { pool, wait, waiting, open } = useGate(t, {
    concurrentTasksPerWorker: 4,
    workerHistogram: true,
    loadBalancer: (task, workers) => (seen = workers)[0]
  })
  await pool.run(2, { name: 'busy' })
  const [worker] = seen
  assert.equal(worker.currentUsage, 0)
  assert.ok(worker.histogram.min >= 1.9 && worker.histogram.max >= worker.histogram.min)
  const runs = [wait(0), wait(1)]
  await waiting(2)
  assert.equal(worker.currentUsage, 2)
  open()
  await Promise.all(runs)
  assert.equal(worker.currentUsage, 0)
  await pool.run(0, { name: 'wait', signal: new AbortController().signal })
  assert.equal(worker.isRunningAbortableTask, false)
  await pool.destroy()
  assert.equal(worker.destroyed, true)
})

test('a load balancer that throws rejects the task', async (t) => {
  let isBroken = true
  const pool = envPool(t, {
    loadBalancer: (task, workers) => {
      if (isBroken) throw new RangeError('the balancer is broken')
      return workers[0]
    }
  })
  await assert.rejects(() => {
    const run = pool.run(1)
    assert.ok(run instanceof Promise)
    return run
  }, { message: 'the balancer is broken' })
  isBroken = false
  assert.equal(await pool.run(2), 2)
  assert.equal(pool.queueSize, 0)
})

test('a load balancer that throws when asked again rejects only that task', limit, async (t) => {
  const { pool, wait, waiting, open } = useGate(t, {
    loadBalancer: (task, workers) => {
      if (workers[0].currentUsage > 0) return null
      if (task.name === 'order') throw new RangeError('the balancer is broken')
      return workers[0]
    }
  })
  const first = wait('first')
  await waiting(1)
  const runs = [
    pool.run(0, { name: 'order' }), pool.run(1), pool.run(2, { name: 'order' }), pool.run(3)
  ]
  open()
  const [broken, one, brokenToo, three] = await Promise.allSettled(runs)
  assert.equal(await first, 'first')
  assert.deepEqual([broken.reason?.message, brokenToo.reason?.message],
    ['the balancer is broken', 'the balancer is broken'])
  assert.deepEqual([one.value, three.value], [1, 3])
  assert.equal(pool.queueSize, 0)
})

test('tasks are spread over all workers', longLimit, async (t) => {
  const pool = envPool(t, { minThreads: 3, maxThreads: 3 })
  const ids = new Set()
  while (ids.size < 3) {
    const runs = Array.from({ length: 30 }, () => pool.run(1, { name: 'busy' }))
    for (const id of await Promise.all(runs)) ids.add(id)
  }
  assert.deepEqual([...ids].sort(), pool.threads.map(({ threadId }) => threadId).sort())
})

// ---- Task queues ----

class PriorityQueue {
  items = []
  get size () { return this.items.length }
  shift () { return this.items.shift() ?? null }
  remove (task) { this.items = this.items.filter((item) => item !== task) }
  push (task) {
    const { priority } = task[queueOptionsSymbol] ?? { priority: 0 }
    const at = this.items.findIndex((item) => (item[queueOptionsSymbol]?.priority ?? 0) < priority)
    this.items.splice(at < 0 ? this.items.length : at, 0, task)
  }
}

test('the order of a task queue is kept, even in batches', limit, async (t) => {
  class WithUnshift extends PriorityQueue {
    unshift (task) { this.items.unshift(task) }
  }
  for (const Queue of [PriorityQueue, WithUnshift]) {
    const taskQueue = new Queue()
    const { pool, wait, waiting, open } = useGate(t, { taskQueue })
    const first = wait('first')
    await waiting(1)
    const runs = Array.from({ length: 300 }, (_, i) =>
      pool.run({ [queueOptionsSymbol]: { priority: i % 10 }, i }, { name: 'order' }))
    assert.equal(taskQueue.size, 300)
    assert.equal(pool.queueSize, 300)
    open()
    await first
    const results = await Promise.all(runs)
    const ran = results.sort((a, b) => a.order - b.order).map(({ value }) => value.i)
    const expected = Array.from({ length: 300 }, (_, i) => i)
      .sort((a, b) => b % 10 - a % 10 || a - b)
    assert.deepEqual(ran, expected)
    await pool.destroy()
  }
})

test('a later task takes its place among those that wait', limit, async (t) => {
  const { pool, wait, waiting, open } = useGate(t, { taskQueue: new PriorityQueue() })
  const first = wait('first')
  await waiting(1)
  const low = pool.run({ [queueOptionsSymbol]: { priority: 1 } }, { name: 'order' })
  const high = pool.run({ [queueOptionsSymbol]: { priority: 2 } }, { name: 'order' })
  const none = pool.run({}, { name: 'order' })
  open()
  await first
  assert.deepEqual((await Promise.all([high, low, none])).map(({ order }) => order), [0, 1, 2])
})

for (const [what, options] of [
  ['the default queue', {}],
  ['a FixedQueue of the user', { taskQueue: new FixedQueue() }],
  ['an ArrayTaskQueue', { taskQueue: new telar.ArrayTaskQueue() }]
]) {
  test(`${what} runs tasks first in, first out`, async (t) => {
    const pool = envPool(t, options)
    const runs = Array.from({ length: 6000 }, (_, i) => {
      // Some travel by port.
      if (i % 97 === 0) return pool.run({ i, shared: new SharedArrayBuffer(4) }, { name: 'order' })
      return pool.run({ i }, { name: 'order' })
    })
    const results = await Promise.all(runs)
    const outOfOrder = results.filter(({ order }, i) => order !== i)
    assert.equal(outOfOrder.length, 0)
  })
}

test('a task that is aborted while it waits leaves the queue', limit, async (t) => {
  const taskQueue = new PriorityQueue()
  const { pool, wait, waiting, open } = useGate(t, { taskQueue })
  const first = wait('first')
  await waiting(1)
  const controller = new AbortController()
  const aborted = pool.run(1, { signal: controller.signal })
  const other = pool.run(2)
  assert.equal(taskQueue.size, 2)
  controller.abort()
  await assert.rejects(aborted, { name: 'AbortError' })
  assert.equal(taskQueue.size, 1)
  open()
  assert.equal(await first, 'first')
  assert.equal(await other, 2)
})

// ---- Figures ----

test('histograms are in milliseconds', async (t) => {
  const pool = envPool(t)
  await Promise.all(Array.from({ length: 10 }, () => pool.run(3, { name: 'busy' })))
  const { runTime, waitTime } = pool.histogram
  // At least the time of the task, and not in micro- or nanoseconds.
  assert.ok(runTime.min >= 2.9 && runTime.min < 300, `min ${runTime.min}`)
  assert.ok(runTime.mean >= runTime.min && runTime.mean <= runTime.max)
  assert.equal(runTime.average, runTime.mean)
  // The last of ten tasks waited for the nine before it.
  assert.ok(waitTime.max >= 9 * 2.9 && waitTime.max < 3000, `max ${waitTime.max}`)
  for (const summary of [runTime, waitTime]) {
    const percentiles = Object.keys(summary).filter((name) => /^p\d/.test(name))
      .map((name) => [Number(name.slice(1).replace('_', '.')), summary[name]])
    assert.equal(percentiles.length, 15)
    percentiles.sort(([a], [b]) => a - b)
    for (let i = 1; i < percentiles.length; i++) {
      assert.ok(percentiles[i][1] >= percentiles[i - 1][1], `${percentiles[i]}`)
    }
    assert.ok(percentiles[0][1] >= summary.min && percentiles.at(-1)[1] <= summary.max)
    assert.ok(summary.stddev >= 0)
  }

  pool.histogram.resetRunTime()
  assert.ok(Number.isNaN(pool.histogram.runTime.mean))
  assert.ok(pool.histogram.waitTime.max > 0)
  pool.histogram.resetWaitTime()
  await pool.run(1, { name: 'busy' })
  assert.ok(pool.histogram.waitTime.max < waitTime.max)
  assert.ok(pool.histogram.runTime.max >= 0.9)
})

test('a pool without recordTiming has no histograms', async (t) => {
  const pool = envPool(t, { recordTiming: false })
  await pool.run(1)
  assert.equal(pool.histogram.runTime, undefined)
  assert.equal(pool.histogram.waitTime, undefined)
  assert.equal(pool.utilization, 0)
})

test('utilization is the share of time in which the workers worked', async (t) => {
  const pool = envPool(t)
  assert.equal(pool.utilization, 0)
  await Promise.all(Array.from({ length: 20 }, () => pool.run(5, { name: 'busy' })))
  const { duration, utilization } = pool
  assert.ok(utilization * duration >= 0.95 * 20 * 5, `${utilization} of ${duration} ms`)
  assert.ok(utilization <= 1)
})

test('completed, queueSize, idleThreads and duration follow the tasks', limit, async (t) => {
  const { pool, wait, waiting, open } = useGate(t, { minThreads: 2, maxThreads: 2 })
  const { duration } = pool
  assert.ok(duration >= 0)
  assert.deepEqual([pool.completed, pool.queueSize], [0, 0])
  await Promise.all([
    pool.run(1),
    pool.run(() => {}).catch(() => {}),
    pool.run(1, { name: 'none' }).catch(() => {})
  ])
  assert.equal(pool.completed, 3)
  await until(() => pool.idleThreads === 2)
  const runs = Array.from({ length: 5 }, (_, i) => wait(i))
  await waiting(2)
  assert.deepEqual([pool.completed, pool.queueSize, pool.idleThreads], [3, 3, 0])
  open()
  await Promise.all(runs)
  assert.deepEqual([pool.completed, pool.queueSize, pool.idleThreads], [8, 0, 2])
  assert.ok(pool.duration > duration)
})

test("the pool emits 'needsDrain' and 'drain' in turn", limit, async (t) => {
  const { pool, wait, waiting, open } = useGate(t, { minThreads: 2, maxThreads: 2 })
  const events = []
  pool.on('needsDrain', () => events.push('needsDrain'))
  pool.on('drain', () => events.push('drain'))
  assert.equal(pool.needsDrain, false)
  const first = wait(0)
  assert.equal(pool.needsDrain, false)
  const runs = [first, wait(1), wait(2)]
  assert.equal(pool.needsDrain, true)
  await waiting(2)
  assert.deepEqual(events, ['needsDrain'])
  open()
  await Promise.all(runs)
  await until(() => events.length > 1)
  assert.equal(pool.needsDrain, false)
  assert.deepEqual(events, ['needsDrain', 'drain'])
})

test("a producer that waits for 'drain' sees all its tasks done", longLimit, async (t) => {
  const pool = envPool(t, { minThreads: 2, maxThreads: 2, maxQueue: 'auto' })
  let done = 0
  const runs = []
  for (let i = 0; i < 20_000; i++) {
    runs.push(pool.run(i).then(() => { done++ }))
    if (pool.queueSize === pool.options.maxQueue) await once(pool, 'drain')
  }
  await Promise.all(runs)
  assert.equal(done, 20_000)
})

// ---- The end ----

test('Symbol.asyncDispose waits for the tasks, then ends the workers', limit, async (t) => {
  const { pool, wait, waiting, open } = useGate(t)
  const runs = [wait('one'), wait('two')]
  await waiting(1)
  let isClosed = false
  pool.on('close', () => { isClosed = true })
  const disposed = pool[Symbol.asyncDispose]()
  await assert.rejects(pool.run(1), { name: 'AbortError' })
  assert.equal(isClosed, false)
  open()
  assert.deepEqual(await Promise.all(runs), ['one', 'two'])
  await disposed
  assert.equal(isClosed, true)
  assert.equal(pool.threads.length, 0)
})

test('Symbol.dispose begins to close the pool', limit, async (t) => {
  const pool = envPool(t)
  const run = pool.run(5, { name: 'sleep' })
  const closed = once(pool, 'close')
  assert.equal(pool[Symbol.dispose](), undefined)
  await run
  await closed
  assert.equal(pool.threads.length, 0)
})
