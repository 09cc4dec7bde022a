'use strict'

// One trial of bench/large.js, in its own process. The first argument is the trial, as JSON. The
// figures are printed as JSON. Times are in milliseconds.

const { monitorEventLoopDelay } = require('node:perf_hooks')
const { setTimeout: sleep } = require('node:timers/promises')
const { drivers } = require('./drivers')
const { digest, values } = require('./large-values')
const { median } = require('./stats')

const WARM_MEGABYTES = 1
const WARM_RUNS = 5

async function measure (pool, value) {
  const loop = monitorEventLoopDelay({ resolution: 1 })
  loop.enable()
  await sleep(20)
  loop.reset()
  const began = performance.now()
  const result = await pool.run(value)
  const there = performance.now() - began
  // The turn of the event loop in which the result came counts too.
  await sleep(5)
  loop.disable()
  return { milliseconds: there, blocked: loop.max / 1e6, result }
}

async function main () {
  const { driver: id, value: kind, megabytes, runs, options } = JSON.parse(process.argv[2])
  const driver = drivers[id]
  const pool = driver.open(await driver.load(), { name: 'echo', threads: 1, ...options })
  const warm = values[kind](WARM_MEGABYTES)
  for (let i = 0; i < WARM_RUNS; i++) await pool.run(warm)

  const value = values[kind](megabytes)
  const expected = digest(value)
  const figures = []
  for (let i = 0; i < runs; i++) {
    const { result, ...times } = await measure(pool, value)
    if (digest(result) !== expected) throw new Error('Expected the same value back')
    figures.push(times)
  }
  const cpu = process.cpuUsage()
  return {
    milliseconds: median(figures.map((figure) => figure.milliseconds)),
    blocked: median(figures.map((figure) => figure.blocked)),
    peakMegabytes: process.resourceUsage().maxRSS / 1024,
    cpuMilliseconds: (cpu.user + cpu.system) / 1000
  }
}

function print (figures) {
  process.stdout.write(JSON.stringify(figures), () => process.exit())
}

main().then(print, (error) => {
  console.error(error)
  process.exit(1)
})
