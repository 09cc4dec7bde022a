'use strict'

// `npm run bench`: runs the trials, prints the tables, and writes the results and the plot.

const { execFileSync, spawn } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { parseArgs } = require('node:util')

const { MultiBar } = require('cli-progress')
const color = require('picocolors')

const { drivers, versionOf } = require('./drivers')
const { short, digits, percent, threadsText } = require('./format')
const { machineLine } = require('./machine')
const { plot } = require('./plot')
const { terminalReport, markdownReport } = require('./report')
const { medianFigures, median } = require('./stats')
const { tasks } = require('./tasks')

const TIMES = { warm: 500, measure: 1500, latency: 800 }
const QUICK_TIMES = { warm: 200, measure: 500, latency: 300 }
const TRIALS = 5
const QUICK_TRIALS = 3

// In the other libraries that have it, the documented way to submit ten million tasks ends at once
// or never. Some seconds show which.
const ROOTS_LIMIT = 120_000
const ROOTS_LIMIT_RIVAL = 10_000
const TRIAL_LIMIT = 180_000

const HELP = `
Usage: npm run bench -- [options]

  --node <path>      run the trials on this Node binary (default: the one that runs this)
  --only <ids>       only these tasks, comma-separated: ${tasks.map(({ id }) => id).join(' ')}
  --drivers <ids>    only these drivers, comma-separated: ${Object.keys(drivers).join(' ')}
  --threads <list>   worker threads for the tasks that do not fix them (default: 1,2)
  --trials <n>       trials for each figure (default: ${TRIALS})
  --quick            shorter trials, and ${QUICK_TRIALS} of them: for a look, not for a claim
  --out <folder>     where to write (default: results; results/partial when something was left out)
  --help             this text
`

class UsageError extends Error {}

function readOptions () {
  let values
  try {
    ({ values } = parseArgs({
      options: {
        node: { type: 'string', default: process.execPath },
        only: { type: 'string' },
        drivers: { type: 'string' },
        threads: { type: 'string' },
        trials: { type: 'string' },
        quick: { type: 'boolean', default: false },
        out: { type: 'string' },
        help: { type: 'boolean', default: false }
      }
    }))
  } catch (error) {
    throw new UsageError(error.message)
  }
  const partial = values.quick ||
    [values.only, values.drivers, values.threads].some((value) => value !== undefined)
  return {
    help: values.help,
    node: values.node,
    only: listOf('--only', values.only, tasks.map(({ id }) => id)),
    drivers: listOf('--drivers', values.drivers, Object.keys(drivers)),
    threads: (values.threads ?? '1,2').split(',').map((text) => countOf('--threads', text)),
    trials: values.trials === undefined
      ? (values.quick ? QUICK_TRIALS : TRIALS)
      : countOf('--trials', values.trials),
    times: values.quick ? QUICK_TIMES : TIMES,
    out: path.resolve(values.out ?? path.join(__dirname, 'results', partial ? 'partial' : ''))
  }
}

function listOf (option, text, known) {
  if (text === undefined) return null
  const list = text.split(',').map((item) => item.trim())
  for (const item of list) {
    if (!known.includes(item)) {
      throw new UsageError(
        `Expected ${option} to name any of ${known.join(', ')}, received ${item}`
      )
    }
  }
  return list
}

function countOf (option, text) {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1) {
    throw new UsageError(`Expected ${option} to be a positive integer, received ${text}`)
  }
  return count
}

/** Returns all combinations of task and number of threads, with the drivers that take part. */
function planOf (options) {
  const plan = []
  for (const task of tasks) {
    if (options.only !== null && !options.only.includes(task.id)) continue
    const taking = options.drivers === null
      ? task.drivers
      : options.drivers.filter((id) => task.drivers.includes(id) || task.optional.includes(id))
    if (taking.length === 0) continue
    const trials = Math.min(options.trials, task.maxTrials ?? Infinity)
    for (const threads of task.threads ?? options.threads) {
      plan.push({ task, threads, drivers: taking, trials })
    }
  }
  return plan
}

/** Runs one trial in its own process. Resolves with its figures, or `{ failed }` and the reason. */
function runTrial (node, execArgv, trial) {
  return new Promise((resolve) => {
    const args = [...execArgv, path.join(__dirname, 'trial.js'), JSON.stringify(trial)]
    const child = spawn(node, args, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] })
    let errors = ''
    let answer = ''
    let late = false
    child.stderr.setEncoding('utf8').on('data', (text) => { errors += text })
    child.stdio[3].setEncoding('utf8').on('data', (text) => { answer += text })
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, TRIAL_LIMIT)
    child.on('error', (error) => {
      clearTimeout(timer)
      resolve({ failed: error.message })
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (late) return resolve({ failed: `not done after ${TRIAL_LIMIT / 1000} s` })
      if (code !== 0) {
        const reason = errors.trim() || 'no message'
        return resolve({ failed: `${signal ?? `exit code ${code}`}: ${reason}` })
      }
      if (answer === '') {
        return resolve({ failed: 'the process ended with exit code 0 before its tasks were done' })
      }
      resolve(JSON.parse(answer))
    })
  })
}

/** Runs all trials of one task: round by round, and in each round the drivers take turns. */
async function runGroup (group, options, progress) {
  const { task, threads } = group
  const rounds = []
  for (let round = 0; round < group.trials; round++) {
    const figures = {}
    for (let sample = 0; sample < (task.samples ?? 1); sample++) {
      for (const driver of group.drivers) {
        progress.at(`${task.title}, ${threadsText(threads)}, ` +
          `round ${round + 1} of ${group.trials}: ${drivers[driver].title}`)
        const result = await runTrial(options.node, task.execArgv ?? [], {
          driver,
          task: task.id,
          threads,
          times: options.times,
          count: task.count,
          limit: driver.startsWith('telar') ? ROOTS_LIMIT : ROOTS_LIMIT_RIVAL
        })
        if (result.failed !== undefined) {
          const where = `${task.id}, ${driver}, ${threadsText(threads)}`
          progress.log(color.red(`FAILED  ${where}: ${result.failed}`))
        }
        figures[driver] ??= []
        figures[driver].push(result)
        progress.step()
      }
    }
    const entries = Object.entries(figures).map(([driver, list]) => [driver, oneOf(list)])
    rounds.push(Object.fromEntries(entries))
  }
  return { task: task.id, threads, drivers: group.drivers, rounds }
}

/** Combines the samples of a round into one. If one of them failed, that one is returned. */
function oneOf (samples) {
  if (samples.length === 1) return samples[0]
  return samples.find((figures) => figures.failed !== undefined) ?? medianFigures(samples)
}

/** Shows a progress bar on a terminal. Elsewhere it only prints lines. */
class Progress {
  #bars = null
  #bar = null

  constructor (total) {
    if (!process.stdout.isTTY) return
    this.#bars = new MultiBar({
      format: ' {bar} {percentage} %  {value}/{total}  {eta_formatted} left  {what}',
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 24,
      hideCursor: true,
      clearOnComplete: true,
      etaBuffer: 60
    })
    this.#bar = this.#bars.create(total, 0, { what: '' })
  }

  at (what) {
    this.#bar?.update({ what })
  }

  step () {
    this.#bar?.increment()
  }

  log (line) {
    if (this.#bars === null) console.log(line)
    else this.#bars.log(`${line}\n`)
  }

  stop () {
    // Without an update, the last logged lines would not be written.
    this.#bars?.update()
    this.#bars?.stop()
  }
}

const HEADLINES = {
  throughput: (value) => `${short(value)}/s`,
  calls: (value) => `${short(value)}/s`,
  share: percent,
  seconds: (value) => `${digits(value)} s`,
  milliseconds: (value) => `${digits(value)} ms`,
  rested: (value) => `${digits(value)} µs`,
  readyMilliseconds: (value) => `${digits(value)} ms`,
  cpuMilliseconds: (value) => `${digits(value)} ms CPU`
}

/** Returns the line that is printed for a group as soon as it is measured. */
function groupLine ({ task, threads, drivers: taking, rounds }) {
  const parts = taking.map((driver) => {
    const figures = rounds.map((round) => round[driver])
    if (figures.some((f) => f.failed !== undefined)) return `${driver} failed`
    const unfinished = figures.find((f) => f.ended !== undefined)
    if (unfinished !== undefined) return `${driver} unfinished at ${unfinished.completed}`
    const [metric, format] = Object.entries(HEADLINES).find(([key]) => key in figures[0])
    return `${driver} ${format(median(figures.map((f) => f[metric])))}`
  })
  return `${task.padEnd(17)}${String(threads).padStart(8)}  ${parts.join(' · ')}`
}

async function main () {
  const options = readOptions()
  if (options.help) return console.log(HELP.trim())

  const machineFile = path.join(__dirname, 'machine.js')
  const machine = JSON.parse(execFileSync(options.node, [machineFile], { encoding: 'utf8' }))
  const plan = planOf(options)
  const taking = [...new Set(plan.flatMap((group) => group.drivers))]
  const libraries = Object.fromEntries(taking.map((id) => [id, versionOf(id)]))
  const total = plan
    .map(({ trials, task, drivers: list }) => trials * list.length * (task.samples ?? 1))
    .reduce((sum, count) => sum + count, 0)

  console.log(`${machineLine(machine)}, load average ${machine.loadAverage}`)
  const names = taking.map((id) => [drivers[id].title, libraries[id]].filter(Boolean).join(' '))
  console.log(`${total} trials: ${names.join(', ')}\n`)

  const progress = new Progress(total)
  const groups = []
  for (const group of plan) {
    const measured = await runGroup(group, options, progress)
    groups.push(measured)
    progress.log(groupLine(measured))
  }
  progress.stop()

  const results = {
    machine,
    libraries,
    settings: { trials: options.trials, ...options.times },
    groups
  }
  console.log(`\n${terminalReport(results)}\n`)
  await write(results, options.out)

  const failures = groups
    .flatMap(({ rounds }) => rounds.flatMap(Object.values))
    .filter((figures) => figures.failed !== undefined)
  if (failures.length > 0) {
    console.error(color.red(`${failures.length} trials failed, see above.`))
    process.exitCode = 1
  }
}

async function write (results, folder) {
  const major = results.machine.node.slice(1).split('.')[0]
  const name = `node${major}`
  fs.mkdirSync(folder, { recursive: true })
  const files = [
    [`${name}.json`, JSON.stringify(results, null, 1) + '\n'],
    [`${name}.svg`, plot(results)],
    [`${name}.md`, await markdownReport(results, {
      plot: `${name}.svg`,
      command: `npm run bench -- --node <path of Node ${major}>`
    })]
  ]
  for (const [file, text] of files) {
    if (text === null) continue
    fs.writeFileSync(path.join(folder, file), text)
    console.log(`wrote ${path.relative(process.cwd(), path.join(folder, file))}`)
  }
}

main().catch((error) => {
  console.error(error instanceof UsageError ? `${error.message}\n${HELP}` : error)
  process.exitCode = 1
})
