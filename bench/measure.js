'use strict'

// One function for each kind of task. Each gets a loaded library and returns figures. It does not
// close its pool: trial.js ends the process.

const { once } = require('node:events')
const { setTimeout: sleep } = require('node:timers/promises')

const { filename } = require('./drivers')
const { Source, flow, latencies, assertEcho } = require('./flow')
const { useHogs } = require('./hogs')
const { watchLoop } = require('./loop')
const { writeModules } = require('./modules')
const { RootTally } = require('./tally')

const DEFAULT_IN_FLIGHT = 1000
const WARM_TASKS = 1000

function quantile (sorted, q) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]
}

const measurements = {
  /** Throughput with many tasks in flight, then the latency of tasks awaited one by one. */
  async flow ({ driver, library, task, threads, times }) {
    await useHogs(task.hogs ?? 0)
    const { name, mark } = task.moves ? driver.moving : { name: task.run, mark: null }
    const pool = await driver[task.opens ?? 'open'](library, { name, threads })
    const run = mark === null ? pool.run : (value) => pool.run(mark(value))
    const values = task.values()
    const { tasks, milliseconds, cpuMicroseconds } = await flow(run, values, {
      ...task,
      inFlight: task.inFlight ?? DEFAULT_IN_FLIGHT,
      warm: times.warm,
      measure: times.measure
    })
    const sorted = await latencies(run, values, {
      ...task,
      warm: times.warm / 2,
      measure: times.latency
    })
    return {
      throughput: tasks / milliseconds * 1000,
      cpuPerTask: cpuMicroseconds / tasks,
      p50: quantile(sorted, 0.50) * 1000,
      p99: quantile(sorted, 0.99) * 1000
    }
  },

  /** The number of calls, one after the other, that block until the result is there. */
  sync ({ driver, library, task, threads, times }) {
    const call = driver.openSync(library, { name: task.run, threads })
    const values = task.values()
    for (const value of values) assertEcho(value, call(value))
    const callFor = (milliseconds) => {
      const began = performance.now()
      let calls = 0
      let elapsed
      do {
        for (const value of values) call(value)
        calls += values.length
        elapsed = performance.now() - began
      } while (elapsed < milliseconds)
      return calls / elapsed * 1000
    }
    callFor(times.warm)
    return { calls: callFor(times.measure) }
  },

  /** The share of the workers' time that they spend on the work of the tasks. */
  async share ({ driver, library, task, threads, times }) {
    const pool = driver.open(library, { name: task.run, threads })
    const { tasks, milliseconds } = await flow(pool.run, task.values(), {
      inFlight: task.inFlight ?? DEFAULT_IN_FLIGHT,
      warm: times.warm,
      measure: times.measure
    })
    return { share: tasks * task.workMilliseconds / (milliseconds * threads) }
  },

  /**
   * The documented way to submit more tasks than fit into memory. If a driver never emits 'drain',
   * the event loop has nothing to do, and the process ends with code 0 in the middle of the loop.
   * In this case `report` is called from the 'exit' event.
   */
  async roots ({ library: Pool, task, count, limit, report }) {
    const tally = new RootTally(count)
    const unfinished = (ended) => report({ ended, completed: tally.received, expected: count })
    const onExit = (code) => unfinished(`the process ended with exit code ${code}`)
    process.once('exit', onExit)
    setTimeout(() => {
      process.off('exit', onExit)
      unfinished(`stopped after ${limit / 1000} s`)
      process.exit()
    }, limit).unref()

    const began = performance.now()
    const pool = new Pool({ filename, name: task.run, maxQueue: 'auto' })
    // A wrong result or a failed task is an unhandled rejection, which ends the trial.
    const keep = (root) => tally.add(root)
    for (let i = 0; i < count; i++) {
      pool.run(i).then(keep)
      if (pool.queueSize === pool.options.maxQueue) await once(pool, 'drain')
    }
    await pool.close()
    const seconds = (performance.now() - began) / 1000
    process.off('exit', onExit)

    const megabytes = process.resourceUsage().maxRSS / 1024
    tally.verify()
    return { seconds, megabytes, completed: tally.received, expected: count }
  },

  /** The time from the call of the constructor to the first result. */
  async first ({ driver, library, task, threads }) {
    const [value] = task.values()
    const began = performance.now()
    const pool = driver.open(library, { name: task.run, threads })
    const result = await pool.run(value)
    const milliseconds = performance.now() - began
    assertEcho(value, result)
    return { milliseconds }
  },

  /** The time of a task that comes after a rest, when the worker and the owner sleep. */
  async rested ({ driver, library, task, threads }) {
    const pool = driver.open(library, { name: task.run, threads })
    const source = new Source(task.values(), task)
    for (let i = 0; i < WARM_TASKS; i++) await pool.run(source.take())
    const times = []
    for (let i = 0; i < task.rests; i++) {
      await sleep(task.restMilliseconds)
      const value = source.take()
      const began = performance.now()
      await pool.run(value)
      times.push(performance.now() - began)
    }
    return { rested: quantile(times.sort((a, b) => a - b), 0.50) * 1000 }
  },

  /**
   * The time from the call of the constructor until each worker has run a task, with a task file
   * that loads many modules. And the longest time that the event loop of the owner did not turn.
   */
  async startup ({ driver, library, task, threads }) {
    const file = writeModules(task.modules)
    const stop = watchLoop()
    const began = performance.now()
    const pool = driver.open(library, { name: 'thread', threads }, file)
    const seen = new Set()
    const loop = async () => {
      while (seen.size < threads) seen.add(await pool.run(task.holdMilliseconds))
    }
    await Promise.all(Array.from({ length: threads }, loop))
    return { readyMilliseconds: performance.now() - began, blockedMilliseconds: stop() }
  },

  /** The CPU time of all threads while the pool has no tasks. */
  async idle ({ driver, library, task, threads }) {
    const values = task.values()
    const pool = driver.open(library, { name: task.run, threads })
    // A fixed number of tasks, not a fixed time, in which a fast driver would leave more garbage
    // behind than a slow one.
    const runOne = (_, i) => pool.run(values[i % values.length])
    await Promise.all(Array.from({ length: WARM_TASKS }, runOne))
    await sleep(1000)

    const before = process.cpuUsage()
    await sleep(task.idleMilliseconds)
    const { user, system } = process.cpuUsage(before)
    return { cpuMilliseconds: (user + system) / 1000 }
  }
}

module.exports = { measurements }
