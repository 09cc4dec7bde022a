'use strict'

// Measures drivers that take turns, several times, and prints how many items each did a second,
// and the ratio to the first of them. The figures are medians; the ratios are those within a round.

const { parseArgs } = require('node:util')
const { ratio, short } = require('./format')
const { describeMachine, machineLine } = require('./machine')
const { median } = require('./stats')

const kInFlight = 1000

/** Reads --rounds, --items and --threads. `items`: the default. */
function readCounts (items) {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      items: { type: 'string', default: String(items) },
      threads: { type: 'string', default: '1' }
    }
  })
  return {
    rounds: Number(values.rounds), items: Number(values.items), threads: Number(values.threads)
  }
}

/** Calls run(0) to run(items - 1), with a thousand of the calls in flight. */
async function runInFlight (items, run) {
  let next = 0
  const loop = async () => { while (next < items) await run(next++) }
  await Promise.all(Array.from({ length: kInFlight }, loop))
}

async function secondsOf (call) {
  const begin = performance.now()
  await call()
  return (performance.now() - begin) / 1000
}

/**
 * `drivers`: by name, functions of a number of items. `itemsOf(name)`: how many a driver gets.
 * Returns the items a second of each round, by name. `afterRound()` is called after each round.
 */
async function takeTurns (drivers, { rounds, itemsOf, afterRound = () => {} }) {
  const rates = Object.fromEntries(Object.keys(drivers).map((name) => [name, []]))
  for (const [name, drive] of Object.entries(drivers)) await drive(itemsOf(name) / 10)
  for (let round = 0; round < rounds; round++) {
    for (const [name, drive] of Object.entries(drivers)) {
      const items = itemsOf(name)
      rates[name].push(items / await secondsOf(() => drive(items)))
    }
    await afterRound()
  }
  return rates
}

/** `titles`: by name. */
function printRates (rates, titles, { threads, items }) {
  const [first] = Object.keys(rates)
  console.log(`${machineLine(describeMachine())}; ${threads} workers, ${items} items\n`)
  console.log('| | a second | to the first |\n| --- | --- | --- |')
  for (const [name, found] of Object.entries(rates)) {
    const ratios = found.map((rate, i) => rate / rates[first][i])
    console.log(`| ${titles[name]} | ${short(median(found))} | ${ratio(median(ratios))} |`)
  }
}

module.exports = { printRates, readCounts, runInFlight, secondsOf, takeTurns }
