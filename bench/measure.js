'use strict'

// One function per kind of task. Each gets a loaded library and gives plain figures. The pools are
// left open: trial.js ends the process.

const { once } = require('node:events')
const { setTimeout: sleep } = require('node:timers/promises')

const { filename } = require('./drivers')
const { flow, latencies, assertEcho } = require('./flow')
const { RootTally } = require('./tally')

const DEFAULT_IN_FLIGHT = 1000
const WARM_TASKS = 1000

function quantile (sorted, q) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]
}

const measurements = {
  /** Throughput with many in flight, then latency one by one. */
  async flow ({ driver, library, task, threads, times }) {
    const pool = driver.open(library, { name: task.run, threads })
    const values = task.values()
    const { tasks, milliseconds } = await flow(pool.run, values, {
      inFlight: task.inFlight ?? DEFAULT_IN_FLIGHT,
      warm: times.warm,
      measure: times.measure
    })
    const sorted = await latencies(pool.run, values, {
      warm: times.warm / 2,
      measure: times.latency
    })
    return {
      throughput: tasks / milliseconds * 1000,
      p50: quantile(sorted, 0.50) * 1000,
      p99: quantile(sorted, 0.99) * 1000
    }
  },

  /** How much of the workers' time is the work that was asked for. */
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
   * The published way to submit more tasks than fit into memory. A driver whose 'drain' never comes
   * leaves the event loop with nothing to do, and the process ends with code 0 in the middle of the
   * loop: `report` is called from the 'exit' event then.
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
    // A wrong or a failed result is not handled: it ends the trial.
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

  /** From the constructor call to the first result. */
  async first ({ driver, library, task, threads }) {
    const [value] = task.values()
    const began = performance.now()
    const pool = driver.open(library, { name: task.run, threads })
    const result = await pool.run(value)
    const milliseconds = performance.now() - began
    assertEcho(value, result)
    return { milliseconds }
  },

  /** CPU time, of all threads, that a pool takes while nothing is asked of it. */
  async idle ({ driver, library, task, threads }) {
    const values = task.values()
    const pool = driver.open(library, { name: task.run, threads })
    // Every driver gets as many tasks: by time, a fast one would leave more garbage behind than a
    // slow one.
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
