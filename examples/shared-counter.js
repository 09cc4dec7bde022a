'use strict'

// A counter that all threads share, with a limit that none of them can exceed.
//
// Instead of: workers that post 'increment' to the parent, whose number is outdated as long as
// messages are in its queue. Or a SharedArrayBuffer with `view[0]++`, which loses counts when two
// threads read the same number before either of them writes. Atomics.add() counts correctly, but
// "add one unless it is 1000" takes a loop around Atomics.compareExchange(), which is easy to get
// wrong.
//
// Here tryAdd() checks the limit and adds in one step, so no more tickets are sold than there are.

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
