'use strict'

// npm run bench:large: sends large values to a worker and back, in a pool of telar and in one of
// Piscina, with one worker each. Each trial runs in its own process, and the drivers take turns.
//
//   node bench/large.js [--rounds=3] [--megabytes=1,10,50,200] [--values=records,map]
//     [--shared-memory=<bytes>] [--out=<folder>]

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { versionOf } = require('./drivers')
const { digits, ratio } = require('./format')
const { values } = require('./large-values')
const { describeMachine, machineLine } = require('./machine')
const { summary } = require('./stats')

const SIZES = '1,10,50,200'
const KINDS = Object.keys(values).join()
const TITLES = {
  records: 'records of a number and a text',
  rows: 'rows of five values',
  strings: 'texts of 40 characters',
  numbers: 'numbers, every second a fraction',
  map: 'Map of texts to numbers',
  buffer: 'one Uint8Array (9 parts of 10) beside records'
}
// The target: the ratio to Piscina may be this at most.
const GOAL = 1 / 2
const DRIVERS = ['telar', 'piscina']
const TRIAL_LIMIT = 600_000

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    megabytes: { type: 'string', default: SIZES },
    values: { type: 'string', default: KINDS },
    'shared-memory': { type: 'string' },
    out: { type: 'string' }
  }
})
const rounds = positive('--rounds', options.rounds)
const sizes = options.megabytes.split(',').map((text) => positive('--megabytes', text))
const kinds = options.values.split(',')
for (const kind of kinds) {
  if (!Object.hasOwn(values, kind)) {
    throw new RangeError(`Expected --values to name any of ${KINDS}, received ${kind}`)
  }
}
const sharedMemory = options['shared-memory'] === undefined
  ? undefined
  : positive('--shared-memory', options['shared-memory'])
// The results of a partial run are not committed.
const isWhole =
  options.megabytes === SIZES && options.values === KINDS && sharedMemory === undefined
const out = path.resolve(options.out ?? path.join(__dirname, 'results', isWhole ? '' : 'partial'))

function positive (option, text) {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1) {
    throw new RangeError(`Expected ${option} to be a positive integer, received ${text}`)
  }
  return number
}

/** Returns the figures of a trial, or `{ failed }`, since a value may be too large for a driver. */
function runTrial (trial) {
  const args = [path.join(__dirname, 'large-trial.js'), JSON.stringify(trial)]
  const child = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: TRIAL_LIMIT })
  if (child.error?.code === 'ETIMEDOUT') {
    return { failed: `not done after ${TRIAL_LIMIT / 1000} s` }
  }
  if (child.status !== 0) {
    const how = child.signal ?? `exit code ${child.status}`
    return { failed: `ended with ${how}: ${firstError(child.stderr)}` }
  }
  return JSON.parse(child.stdout)
}

function firstError (stderr) {
  return stderr.split('\n').find((line) => /error/i.test(line))?.trim() ?? 'no message'
}

// With larger values trials take longer, and are disturbed less by other processes.
function plan (megabytes) {
  if (megabytes <= 10) return { rounds, runs: 5 }
  return megabytes <= 50 ? { rounds: Math.min(rounds, 2), runs: 2 } : { rounds: 1, runs: 1 }
}

function measure (row) {
  const { rounds, runs } = plan(row.megabytes)
  const trial = (driver) => runTrial({ ...row, driver, runs, options: optionsOf(driver) })
  return Array.from({ length: rounds }, () =>
    Object.fromEntries(DRIVERS.map((driver) => [driver, trial(driver)])))
}

function optionsOf (driver) {
  return driver === 'telar' && sharedMemory !== undefined ? { sharedMemory } : {}
}

/** Returns one metric of both drivers, or why there is none, and their ratio. */
function compare (figures, metric) {
  const failed = DRIVERS.map((driver) => figures.map((round) => round[driver].failed).find(Boolean))
  const of = (driver) =>
    summary(figures.map((round) => round[driver][metric]).filter((figure) => figure !== undefined))
  const both = figures.filter((round) =>
    DRIVERS.every((driver) => round[driver].failed === undefined))
  return {
    cells: DRIVERS.map((driver, i) => failed[i] ?? spread(of(driver), digits)),
    versus: summary(both.map((round) => round.telar[metric] / round.piscina[metric])),
    hasFailed: failed[0] !== undefined
  }
}

const spread = ({ median, min, max }, format) =>
  min === max ? format(median) : `${format(median)} (${format(min)} – ${format(max)})`

function judge ({ versus, hasFailed }) {
  // If a trial of telar failed, the target is missed, even if other trials succeeded.
  if (hasFailed) return false
  return versus === null ? null : versus.median <= GOAL
}

function lineOf ({ value, megabytes }, figures) {
  const time = compare(figures, 'milliseconds')
  const blocked = compare(figures, 'blocked')
  const isMet = judge(time)
  const cells = [
    TITLES[value],
    `${megabytes} MB`,
    ...time.cells,
    time.versus === null ? '–' : spread(time.versus, ratio),
    isMet === null ? '' : isMet ? 'yes' : '**NO**',
    ...blocked.cells,
    blocked.versus === null ? '–' : spread(blocked.versus, ratio)
  ]
  return {
    line: `| ${cells.join(' | ')} |`,
    isMet,
    versus: time.versus?.median ?? null,
    blockedVersus: blocked.versus?.median ?? null
  }
}

const HEAD = [
  '| there and back | size | telar, ms | Piscina, ms | telar / Piscina | ≤ 1/2 ' +
    '| telar blocks, ms | Piscina blocks, ms | telar / Piscina |',
  '| --- | ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: |'
]

function write (machine, lines, results) {
  const major = process.versions.node.split('.')[0]
  const name = path.join(out, `large-node${major}`)
  const judged = results.filter(({ isMet }) => isMet !== null)
  const slower = judged.filter(({ versus }) => versus > 1)
  fs.mkdirSync(out, { recursive: true })
  const settings = { rounds, sharedMemory }
  fs.writeFileSync(`${name}.json`, JSON.stringify({ machine, settings, results }, null, 1) + '\n')
  const text = [
    `# Large values on Node ${major}`,
    `Machine: ${machineLine(machine)}. Load average before the run: ${machine.loadAverage}. ` +
      `Piscina ${versionOf('piscina')}.`,
    `Medians of ${rounds} rounds (at most 2 of 50 MB, 1 of 200 MB), ` +
      'with the smallest and the largest; each trial a process of its own, the two taking turns. ' +
      'A ratio is taken within each round, and the median of those is shown. ' +
      '*Blocks*: the longest time for which the event loop of the thread that called `run()` ' +
      'did not turn.',
    'Reproduce with `npm run bench:large`.',
    [...HEAD, ...lines].join('\n'),
    `${judged.filter(({ isMet }) => isMet).length} of ${judged.length} targets met; ` +
      `in ${slower.length} rows telar takes longer than Piscina.`
  ]
  fs.writeFileSync(`${name}.md`, text.join('\n\n') + '\n')
  console.log(`\n${text.at(-1)}\nwrote ${path.relative(process.cwd(), name)}.md and .json`)
}

function main () {
  const machine = describeMachine()
  console.log(`${machineLine(machine)}, load average ${machine.loadAverage}\n\n${HEAD.join('\n')}`)
  const lines = []
  const results = []
  for (const value of kinds) {
    for (const megabytes of sizes) {
      const figures = measure({ value, megabytes })
      const { line, ...verdict } = lineOf({ value, megabytes }, figures)
      lines.push(line)
      console.log(line)
      results.push({ value, megabytes, ...verdict, rounds: figures })
    }
  }
  write(machine, lines, results)
}

main()
