'use strict'

// `npm run demo`: computes ten million square roots in telar's pool, in bounded memory, and then
// runs the same tasks in Piscina for a few seconds.

const { once } = require('node:events')
const { parseArgs } = require('node:util')

const { SingleBar } = require('cli-progress')
const color = require('picocolors')

const { drivers, filename, versionOf } = require('./drivers')
const { short, digits, integer } = require('./format')
const { describeMachine, machineLine } = require('./machine')
const { RootTally } = require('./tally')

const HELP = `
Usage: npm run demo -- [options]

  --count <n>     square roots to compute with telar (default: 10000000)
  --seconds <n>   how long Piscina then runs the same tasks; 0 leaves it out (default: 5)
  --help          this text
`

const PISCINA_IN_FLIGHT = 1000

class UsageError extends Error {}

function readOptions () {
  let values
  try {
    ({ values } = parseArgs({
      options: {
        count: { type: 'string', default: '10000000' },
        seconds: { type: 'string', default: '5' },
        help: { type: 'boolean', default: false }
      }
    }))
  } catch (error) {
    throw new UsageError(error.message)
  }
  const count = Number(values.count.replace(/[_,]/g, ''))
  if (!Number.isInteger(count) || count < 1) {
    throw new UsageError(`Expected --count to be a positive integer, received ${values.count}`)
  }
  const seconds = Number(values.seconds)
  if (!(seconds >= 0 && seconds < Infinity)) {
    throw new UsageError(`Expected --seconds to be a number of seconds, received ${values.seconds}`)
  }
  return { count, seconds, help: values.help }
}

/**
 * Shows the progress, by a timer of this thread. That the display moves shows that the pool does
 * not block its owner. On a terminal it is a bar, elsewhere a line each second.
 */
class Progress {
  #bar = null
  #timer
  #current
  #total
  #began = performance.now()

  constructor (total, current) {
    this.#total = total
    this.#current = current
    if (process.stdout.isTTY) {
      this.#bar = new SingleBar({
        format: `  ${color.cyan('{bar}')} {percentage} %  {done}  {rate}  {memory}`,
        barCompleteChar: '█',
        barIncompleteChar: '░',
        barsize: 30,
        hideCursor: true
      })
      this.#bar.start(total, 0, this.#figures(0))
    }
    this.#timer = setInterval(() => this.#show(), this.#bar === null ? 1000 : 100)
  }

  stop () {
    clearInterval(this.#timer)
    this.#show()
    this.#bar?.stop()
  }

  #show () {
    const done = this.#current()
    const figures = this.#figures(done)
    if (this.#bar !== null) return this.#bar.update(done, figures)
    const percentage = String(Math.floor(done / this.#total * 100)).padStart(3)
    console.log(`  ${percentage} %  ${figures.done}  ${figures.rate}  ${figures.memory}`)
  }

  #figures (done) {
    const seconds = Math.max(performance.now() - this.#began, 1) / 1000
    return {
      done: `${integer(done).padStart(integer(this.#total).length)} done`,
      rate: `${short(done / seconds)}/s`.padStart(9),
      memory: `${Math.round(process.memoryUsage.rss() / 2 ** 20)} MB`
    }
  }
}

function line (label, text) {
  console.log(`  ${color.dim(label.padEnd(12))} ${text}`)
}

function peakMegabytes () {
  return process.resourceUsage().maxRSS / 1024
}

/**
 * Submits all tasks and awaits none of them. `maxQueue: 'auto'` limits how many tasks wait. At the
 * limit, the 'drain' event of the pool says when there is room again. So ten million tasks take
 * little memory.
 */
async function runTelar (count) {
  const Pool = drivers.telar.load()
  const tally = new RootTally(count)
  const progress = new Progress(count, () => tally.received)

  const began = performance.now()
  const pool = new Pool({ filename, name: 'root', maxQueue: 'auto' })
  const threads = pool.options.maxThreads
  for (let i = 0; i < count; i++) {
    pool.run(i).then((root) => tally.add(root))
    if (pool.queueSize === pool.options.maxQueue) await once(pool, 'drain')
  }
  await pool.close()
  const seconds = (performance.now() - began) / 1000

  const megabytes = peakMegabytes()
  progress.stop()
  tally.verify()
  return { tally, threads, seconds, megabytes, rate: count / seconds }
}

/**
 * In the form above, Piscina 5 never emits its 'drain' event, and the process ends after a handful
 * of tasks. So this form runs a fixed number of loops that each await one task at a time.
 */
async function runPiscina (count, limit) {
  const Piscina = drivers.piscina.load()
  let submitted = 0
  let completed = 0
  const progress = new Progress(count, () => completed)

  const began = performance.now()
  const until = began + limit * 1000
  const pool = new Piscina({ filename, name: 'root' })
  const threads = pool.options.maxThreads
  async function loop () {
    while (submitted < count && performance.now() < until) {
      const i = submitted++
      const root = await pool.run(i)
      if (root !== Math.sqrt(i)) {
        throw new Error(`Piscina: expected the square root of ${i}, received ${root}`)
      }
      completed++
    }
  }
  await Promise.all(Array.from({ length: PISCINA_IN_FLIGHT }, loop))
  const seconds = (performance.now() - began) / 1000

  progress.stop()
  await pool.destroy()
  return { threads, seconds, completed, rate: completed / seconds }
}

function duration (seconds) {
  return seconds < 120 ? `${digits(seconds)} s` : `${digits(seconds / 60)} minutes`
}

async function main () {
  const { count, seconds: limit, help } = readOptions()
  if (help) return console.log(HELP.trim())

  // The exit code remains 1 until everything is verified. If a pool loses a task, the event loop
  // may be empty before the end, and Node would then end the process with the code for success.
  process.exitCode = 1

  console.log()
  console.log(color.bold(`${integer(count)} square roots, each a task of its own`))
  console.log(color.dim(machineLine(describeMachine())))
  console.log()

  console.log(color.bold(`telar ${versionOf('telar')}`))
  const telar = await runTelar(count)
  line('results', `${integer(telar.tally.received)} of ${integer(count)}, each exactly once`)
  line('sum', `${telar.tally.sum.toFixed(3)}, as the main thread computes it`)
  line('time', `${duration(telar.seconds)} with ${telar.threads} threads, their start included`)
  line('throughput', color.bold(`${integer(Math.round(telar.rate))} tasks/s`))
  line('peak memory', `${Math.round(telar.megabytes)} MB resident, Node and all threads included`)
  console.log()

  if (limit > 0) {
    console.log(color.bold(`Piscina ${versionOf('piscina')}`) +
      color.dim(`, the same tasks for up to ${limit} s, ${PISCINA_IN_FLIGHT} in flight`))
    const piscina = await runPiscina(count, limit)
    line('results', `${integer(piscina.completed)} of ${integer(count)}, each as expected`)
    const taken = `${duration(piscina.seconds)} with ${piscina.threads} threads`
    line('time', `${taken}, their start included`)
    line('throughput', color.bold(`${integer(Math.round(piscina.rate))} tasks/s`))
    if (piscina.completed < count) line('for all', `${duration(count / piscina.rate)} at this rate`)
    console.log()
    const factor = color.bold(color.green(`${digits(telar.rate / piscina.rate)} times`))
    console.log(`telar did ${factor} as many tasks per second as Piscina.`)
    console.log()
  }

  process.exitCode = 0
}

main().catch((error) => {
  console.error(error instanceof UsageError ? `${error.message}\n${HELP}` : error)
  process.exit(1)
})
