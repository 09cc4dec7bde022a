'use strict'

// npm run bench:sync: compares the cost of locks with that of mutexes written in JavaScript on
// Atomics.wait() and notify(). Each trial runs in its own process, and the drivers take turns.
//
//   node bench/sync.js [--rounds=5] [--milliseconds=400]

const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { digits, ratio } = require('./format')
const { describeMachine, machineLine } = require('./machine')
const { median } = require('./stats')

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    milliseconds: { type: 'string', default: '400' }
  }
})
const rounds = Number(values.rounds)
const milliseconds = Number(values.milliseconds)

const rivals = ['telar', 'futex', 'tutorial']

const tables = [
  {
    title: 'Alone: ns for one lock and unlock',
    isLessBetter: true,
    rows: [
      { name: 'Mutex', drivers: rivals, trial: { mode: 'alone', what: 'lock' } },
      { name: 'Semaphore', drivers: ['telar'], trial: { mode: 'alone', what: 'semaphore' } },
      { name: 'RwLock, read', drivers: ['telar'], trial: { mode: 'alone', what: 'read' } },
      { name: 'RwLock, write', drivers: ['telar'], trial: { mode: 'alone', what: 'write' } },
      { name: 'Counter, increment', drivers: ['telar'], trial: { mode: 'alone', what: 'counter' } },
      { name: 'two compareExchange', drivers: ['telar'], trial: { mode: 'alone', what: 'atomics' } }
    ]
  },
  {
    title: 'Handed over: each of 2 threads asks while the other holds the lock. ' +
      'Locks in a millisecond',
    rows: [
      {
        name: 'nothing to do inside',
        drivers: rivals,
        trial: { mode: 'handOver', inside: 0, outside: 0 }
      },
      {
        name: '1 µs inside',
        drivers: rivals,
        trial: { mode: 'handOver', inside: 1000, outside: 0 }
      },
      {
        name: '5 µs inside',
        drivers: rivals,
        trial: { mode: 'handOver', inside: 5000, outside: 0 }
      }
    ]
  },
  {
    title: 'Taken in turns: as before, and no thread takes it twice in a row. ' +
      'Locks in a millisecond',
    rows: [
      {
        name: 'nothing to do inside',
        drivers: rivals,
        trial: { mode: 'alternate', inside: 0, outside: 0 }
      },
      {
        name: '1 µs inside',
        drivers: rivals,
        trial: { mode: 'alternate', inside: 1000, outside: 0 }
      }
    ]
  },
  {
    title: 'Raced for: 2 threads take it as often as they can. Locks in a millisecond',
    rows: [
      {
        name: 'nothing inside, nothing outside',
        drivers: rivals,
        trial: { mode: 'race', inside: 0, outside: 0 }
      },
      {
        name: '0.2 µs inside, 0.2 µs outside',
        drivers: rivals,
        trial: { mode: 'race', inside: 200, outside: 200 }
      },
      {
        name: '1 µs inside, 1 µs outside',
        drivers: rivals,
        trial: { mode: 'race', inside: 1000, outside: 1000 }
      },
      {
        name: '5 µs inside, 1 µs outside',
        drivers: rivals,
        trial: { mode: 'race', inside: 5000, outside: 1000 }
      }
    ]
  }
]

function runTrial (trial) {
  const args = [path.join(__dirname, 'sync-trial.js'), JSON.stringify({ ...trial, milliseconds })]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${JSON.stringify(trial)} failed:\n${stderr}`)
  return JSON.parse(stdout)
}

function measure ({ drivers, trial }) {
  const figures = Object.fromEntries(drivers.map((driver) => [driver, []]))
  for (let round = 0; round < rounds; round++) {
    for (const driver of drivers) figures[driver].push(runTrial({ ...trial, driver }))
  }
  return figures
}

function print ({ title, isLessBetter = false, rows }) {
  console.log(`\n${title}\n`)
  const names = rivals.map((name) => name.padEnd(24)).join(' | ')
  console.log(`| ${''.padEnd(32)} | ${names} | telar against futex | against tutorial |`)
  console.log(`| --- | ${rivals.map(() => '---').join(' | ')} | --- | --- |`)
  for (const row of rows) {
    const figures = measure(row)
    const cells = rivals.map((name) => figures[name] === undefined ? '' : spread(figures[name]))
    const against = rivals.slice(1).map((name) => {
      if (figures[name] === undefined) return ''
      const quotient = median(figures.telar) / median(figures[name])
      return ratio(isLessBetter ? 1 / quotient : quotient)
    })
    const padded = cells.map((cell) => cell.padEnd(24)).join(' | ')
    console.log(`| ${row.name.padEnd(32)} | ${padded} | ${against.join(' | ')} |`)
  }
}

const spread = (figures) =>
  `${digits(median(figures))} (${digits(Math.min(...figures))} to ${digits(Math.max(...figures))})`

const machine = describeMachine()
console.log(`${machineLine(machine)}, load ${machine.loadAverage}`)
console.log(`Medians of ${rounds} rounds of ${milliseconds} ms, with the least and the greatest.`)
for (const table of tables) print(table)
