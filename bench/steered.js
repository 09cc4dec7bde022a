'use strict'

// npm run bench:steered: what the options cost by which tasks are steered. The drivers take turns
// (turns.js).
//
//   node bench/steered.js [--rounds=5] [--items=500000] [--threads=1]

const path = require('node:path')
const { isMainThread } = require('node:worker_threads')
const { Pool } = require('..')
const { printRates, readCounts, runInFlight, takeTurns } = require('./turns')

const kLongMs = 60_000
const kKeys = 64
// As often as the rule for the shortest life of a worker allows.
const kRecycledAfter = 1000

module.exports = {
  echo: (value) => value,
  progress (count, task) {
    for (let i = 0; i < count; i++) task.progress(i)
  }
}

// `optionsOf(i)`: of each task.
function drive (pool, items, optionsOf) {
  return runInFlight(items, (i) => pool.run(i, optionsOf(i)))
}

async function report (pool, items) {
  let count = 0
  await pool.run(items, { name: 'progress', onProgress: () => { count++ } })
  if (count !== items) throw new Error(`Expected ${items} reports but got ${count}`)
}

function driversOf (open) {
  const plain = open({})
  const limited = open({ timeout: kLongMs })
  const watched = open({ memoryLimit: { heapMb: 256 } })
  const recycled = open({ recycle: { tasks: kRecycledAfter } })
  const { signal } = new AbortController()
  const none = () => undefined
  return {
    plain: (items) => drive(plain, items, none),
    poolTimeout: (items) => drive(limited, items, none),
    callTimeout: (items) => drive(plain, items, () => ({ timeout: kLongMs })),
    priority: (items) => drive(plain, items, (i) => ({ priority: i % 5 })),
    key: (items) => drive(plain, items, (i) => ({ key: i % kKeys })),
    cooperative: (items) => drive(plain, items, () => ({ signal, abort: 'cooperative' })),
    interrupt: (items) => drive(plain, items, () => ({ signal, abort: 'interrupt' })),
    memoryLimit: (items) => drive(watched, items, none),
    recycle: (items) => drive(recycled, items, none),
    progress: (items) => report(plain, items)
  }
}

const titles = {
  plain: 'run()',
  poolTimeout: 'run(), the pool has a timeout',
  callTimeout: 'run() with a timeout',
  priority: 'run() with five priorities in turn',
  key: `run() with ${kKeys} keys in turn`,
  cooperative: 'run() with a signal, told of its abort',
  interrupt: 'run() with a signal, interrupted by its abort',
  memoryLimit: 'run(), the heaps of workers are limited',
  recycle: `run(), workers are replaced after ${kRecycledAfter} tasks`,
  progress: 'reports of one task by progress()'
}

async function main () {
  const { rounds, items, threads } = readCounts(500_000)
  const pools = []
  const open = (options) => {
    const pool = new Pool({
      filename: path.join(__dirname, 'steered.js'),
      name: 'echo',
      minThreads: threads,
      maxThreads: threads,
      ...options
    })
    pools.push(pool)
    return pool
  }
  const rates = await takeTurns(driversOf(open), { rounds, itemsOf: () => items })
  await Promise.all(pools.map((pool) => pool.close()))

  printRates(rates, titles, { threads, items })
}

if (isMainThread) main()
