'use strict'

// A counter that all threads share, and a limit that holds.
//
// Instead of: workers that post 'increment' to the parent, whose number is behind by a queue of
// messages; or a SharedArrayBuffer with `view[0]++`, which loses counts, since two threads read the
// same number before either writes. Atomics.add() counts right, but "add one unless it is 1000" is
// a loop around Atomics.compareExchange() that is easily got wrong.
//
// Here tryAdd() does both at once: the tickets that are sold are never more than there are.

const { isMainThread } = require('node:worker_threads')
const { Counter, Pool } = require('telar')

const kTickets = 1000

function sell ({ sold, attempts }) {
  let mine = 0
  for (let i = 0; i < attempts; i++) if (sold.tryAdd(1, { max: kTickets })) mine++
  return mine
}

async function main () {
  const sold = new Counter()
  const pool = new Pool({ filename: __filename, maxThreads: 2 })
  const runs = Array.from({ length: 4 }, () => pool.run({ sold, attempts: 600 }))
  const sellers = await Promise.all(runs)
  console.log(`${sold.value} sold, ${sellers.reduce((sum, mine) => sum + mine)} by the books`)
  await pool.close()
}

module.exports = sell
if (isMainThread) main()
