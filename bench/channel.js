'use strict'

// npm run bench:channel: compares a Channel with a MessagePort, from worker to worker. Each trial
// runs in its own process, and the two drivers take turns.
//
//   node bench/channel.js [--rounds=5] [--quick] [--out=<folder>]

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { digits, ratio, short } = require('./format')
const { describeMachine, machineLine } = require('./machine')
const { summary } = require('./stats')

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    out: { type: 'string' }
  }
})
const rounds = Number(options.rounds ?? (options.quick ? 3 : 5))
if (!Number.isInteger(rounds) || rounds < 1) {
  throw new RangeError(`Expected --rounds to be a positive integer, received ${options.rounds}`)
}
const milliseconds = options.quick ? 400 : 1500
const idleMilliseconds = options.quick ? 2000 : 5000
// The results of a quick run are not committed.
const folder = path.join(__dirname, 'results', options.quick ? 'partial' : '')
const out = path.resolve(options.out ?? folder)

const perSecond = (figure) => `${short(figure)}/s`
const microseconds = (figure) => `${digits(figure)} µs`
const cpu = (figure) => `${digits(figure)} ms`

// `least` and `most` are the targets for the ratio to MessagePort.
const rows = [
  {
    title: 'integer',
    kind: 'stream',
    value: 'integer',
    driver: 'batch',
    format: perSecond,
    least: 30
  },
  {
    title: 'integer, batches that block',
    kind: 'stream',
    value: 'integer',
    driver: 'batchSync',
    format: perSecond
  },
  {
    title: 'integer, one by one',
    kind: 'stream',
    value: 'integer',
    driver: 'single',
    format: perSecond
  },
  {
    title: 'integer, one by one, select() of two',
    kind: 'stream',
    value: 'integer',
    driver: 'select',
    format: perSecond
  },
  {
    title: 'record of 100 bytes',
    kind: 'stream',
    value: 'object',
    driver: 'batch',
    format: perSecond,
    least: 8
  },
  {
    title: 'record with an array in it',
    kind: 'stream',
    value: 'nested',
    driver: 'batch',
    format: perSecond,
    least: 8
  },
  {
    title: 'record, one by one',
    kind: 'stream',
    value: 'object',
    driver: 'single',
    format: perSecond
  },
  {
    title: '1 KB, sendBytes()',
    kind: 'stream',
    value: 'kilobyte',
    driver: 'bytes',
    format: perSecond,
    least: 5
  },
  {
    title: '1 KB, as a Uint8Array of its own',
    kind: 'stream',
    value: 'kilobyte',
    driver: 'batch',
    format: perSecond,
    least: 5
  },
  {
    title: '1 KB, as a Buffer',
    kind: 'stream',
    value: 'kilobyteBuffer',
    driver: 'batch',
    format: perSecond,
    least: 5
  },
  {
    title: '64 KB, sendBytes()',
    kind: 'stream',
    value: 'large',
    driver: 'bytes',
    format: perSecond,
    least: 3
  },
  {
    title: '64 KB, as a Uint8Array of its own',
    kind: 'stream',
    value: 'large',
    driver: 'batch',
    format: perSecond,
    least: 3
  },
  {
    title: 'integer there and back, p50',
    kind: 'roundTrip',
    driver: 'single',
    format: microseconds,
    most: 1 / 8
  },
  {
    title: 'the same, calls that block',
    kind: 'roundTrip',
    driver: 'sync',
    format: microseconds,
    most: 1 / 8
  },
  {
    title: 'the same, select() of two',
    kind: 'roundTrip',
    driver: 'select',
    format: microseconds
  },
  {
    title: 'the same, selectSync() of two',
    kind: 'roundTrip',
    driver: 'selectSync',
    format: microseconds
  },
  {
    title: `receive() waits ${idleMilliseconds / 1000} s, CPU time`,
    kind: 'idle',
    driver: 'single',
    format: cpu,
    most: 1.25
  },
  {
    title: `receiveSync() waits ${idleMilliseconds / 1000} s, CPU time`,
    kind: 'idle',
    driver: 'sync',
    format: cpu
  }
]

function runTrial (trial) {
  // V8 collects the garbage of an idle thread once. That is not what this trial measures.
  const flags = trial.kind === 'idle' ? ['--no-memory-reducer'] : []
  const args = [
    ...flags,
    path.join(__dirname, 'channel-trial.js'),
    JSON.stringify({ ...trial, milliseconds, idleMilliseconds })
  ]
  const child = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 120_000 })
  if (child.status !== 0) {
    const how = child.signal ?? child.status
    throw new Error(`${JSON.stringify(trial)} ended with ${how}:\n${child.stderr}`)
  }
  return JSON.parse(child.stdout)
}

/** Measures the rounds of one row, each with both drivers. */
function measure ({ kind, value, driver }) {
  return Array.from({ length: rounds }, () => ({
    channel: runTrial({ kind, value, driver }),
    port: runTrial({ kind, value, driver: 'port' })
  }))
}

function judge (row, figures) {
  const channel = summary(figures.map((round) => round.channel))
  const port = summary(figures.map((round) => round.port))
  const versus = summary(figures.map((round) => round.channel / round.port))
  const { least, most } = row
  if (least !== undefined) {
    return { channel, port, versus, target: `≥ ${least}×`, isMet: versus.median >= least }
  }
  if (most !== undefined) {
    return { channel, port, versus, target: `≤ ${ratio(most)}`, isMet: versus.median <= most }
  }
  return { channel, port, versus, target: '', isMet: null }
}

const spread = ({ median, min, max }, format) =>
  min === max ? format(median) : `${format(median)} (${format(min)} – ${format(max)})`

function lineOf (row, { channel, port, versus, target, isMet }) {
  const verdict = isMet === null ? '' : isMet ? 'yes' : '**NO**'
  const cells = [
    row.title,
    spread(channel, row.format),
    spread(port, row.format),
    spread(versus, ratio),
    target,
    verdict
  ]
  return `| ${cells.join(' | ')} |`
}

function write (machine, head, lines, results) {
  const major = process.versions.node.split('.')[0]
  const name = path.join(out, `channel-node${major}`)
  fs.mkdirSync(out, { recursive: true })
  const settings = { rounds, milliseconds, idleMilliseconds }
  fs.writeFileSync(`${name}.json`, JSON.stringify({ machine, settings, results }, null, 1) + '\n')
  const text = [
    `# Channel and MessagePort on Node ${major}`,
    `Machine: ${machineLine(machine)}. Load average before the run: ${machine.loadAverage}.`,
    `Medians of ${rounds} rounds of ${milliseconds} ms, with the smallest and the largest; ` +
      'each trial a process of its own, the two taking turns. ' +
      'A ratio is taken within each round, and the median of those is shown.',
    'Reproduce with `npm run bench:channel`.',
    [...head, ...lines].join('\n')
  ]
  fs.writeFileSync(`${name}.md`, text.join('\n\n') + '\n')
  console.log(`\nwrote ${path.relative(process.cwd(), name)}.md and .json`)
}

function main () {
  const machine = describeMachine()
  console.log(`${machineLine(machine)}, load average ${machine.loadAverage}\n`)
  const head = [
    '| worker to worker | Channel | MessagePort | Channel / MessagePort | target | met |',
    '| --- | ---: | ---: | ---: | ---: | --- |'
  ]
  console.log(head.join('\n'))
  const lines = []
  const results = []
  let unmet = 0
  for (const row of rows) {
    const figures = measure(row)
    const judged = judge(row, figures)
    if (judged.isMet === false) unmet++
    lines.push(lineOf(row, judged))
    console.log(lines.at(-1))
    results.push({
      title: row.title,
      kind: row.kind,
      driver: row.driver,
      target: judged.target,
      isMet: judged.isMet,
      rounds: figures
    })
  }
  const targets = rows.length - results.filter(({ isMet }) => isMet === null).length
  console.log(`\n${targets - unmet} of ${targets} targets met.`)
  write(machine, head, lines, results)
}

main()
