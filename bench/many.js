'use strict'

// npm run bench:many: map(), runMany(), stream() and a proxy beside run(), and beside mapExecute()
// of poolifier, for very small tasks. The drivers take turns (turns.js).
//
//   node bench/many.js [--rounds=5] [--items=1000000] [--threads=1]

const path = require('node:path')
const { isMainThread } = require('node:worker_threads')
const { Pool } = require('..')
const { median } = require('./stats')
const { printRates, readCounts, runInFlight, secondsOf, takeTurns } = require('./turns')
const { work } = require('./work')

// poolifier gets fewer items, since it takes fifty times as long for each.
const kRivalPart = 20
const kWorkNs = 1000

module.exports = {
  root: (i) => Math.sqrt(i),
  microsecond (i) {
    work(kWorkNs)
    return i
  },
  // How many ms some of them take in a loop.
  alone (count) {
    const begin = performance.now()
    for (let i = 0; i < count; i++) work(kWorkNs)
    return performance.now() - begin
  },
  * integers (end) { for (let i = 0; i < end; i++) yield i },
  async * integersLater (end) { for (let i = 0; i < end; i++) yield i }
}

function * numbers (end) {
  for (let i = 0; i < end; i++) yield i
}

async function consume (results, items) {
  let count = 0
  for await (const value of results) if (value >= 0) count++
  if (count !== items) throw new Error(`Expected ${items} results but got ${count}`)
}

const driversOf = (pool, api, rival) => ({
  run: (items) => runInFlight(items, (i) => pool.run(i)),
  method: (items) => runInFlight(items, (i) => api.root(i)),
  map: (items) => consume(pool.map(numbers(items)), items),
  runMany: (items) => pool.runMany(numbers(items)),
  rival: (items) => rival.mapExecute(numbers(items), 'root'),
  stream: (items) => consume(pool.stream(items, { name: 'integers' }), items),
  streamLater: (items) => consume(pool.stream(items, { name: 'integersLater' }), items)
})

const titles = {
  run: 'square roots by run(), 1000 in flight',
  method: 'square roots by a method of a proxy, 1000 in flight',
  map: 'square roots by map()',
  runMany: 'square roots by runMany()',
  rival: 'square roots by mapExecute() of poolifier',
  stream: 'integers by stream(), from a generator',
  streamLater: 'integers by stream(), from an async generator'
}

// The share of the time of the workers that items of a microsecond have.
async function shareOf (pool, items, threads) {
  const alone = await pool.run(items / threads, { name: 'alone' })
  const seconds = await secondsOf(() => {
    return consume(pool.map(numbers(items), { name: 'microsecond' }), items)
  })
  return alone / (seconds * 1000)
}

async function main () {
  const { rounds, items, threads } = readCounts(1_000_000)
  const pool = new Pool({
    filename: path.join(__dirname, 'many.js'),
    name: 'root',
    minThreads: threads,
    maxThreads: threads
  })
  const { FixedThreadPool } = require('poolifier')
  const rival = new FixedThreadPool(threads, path.join(__dirname, 'host.js'), {
    workerOptions: { workerData: { host: 'poolifier' } }
  })
  const shares = []
  const rates = await takeTurns(driversOf(pool, pool.proxy(), rival), {
    rounds,
    itemsOf: (name) => name === 'rival' ? items / kRivalPart : items,
    afterRound: async () => { shares.push(await shareOf(pool, items / 4, threads)) }
  })
  await pool.close()

  printRates(rates, titles, { threads, items })
  const share = Math.round(median(shares) * 100)
  console.log(`\nItems of a microsecond by map() have ${share} % of the time of the workers.`)
  // At the end, since on a loaded machine the process may end before poolifier has settled this.
  await rival.destroy()
}

if (isMainThread) main()
