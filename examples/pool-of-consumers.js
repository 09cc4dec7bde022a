'use strict'

// A pool of consumers fed by one channel, ended cleanly.
//
// Instead of: one `pool.run()` for each item of an endless source, with a hand-counted limit of how
// many may be under way; or workers that get items in turn, so that a slow one holds up its share
// while the others idle, and a magic value that tells each of them to stop.
//
// Here each thread runs one long task that takes from the channel whenever it is free. close()
// lets all of them take what is left and end, and every task returns its result.

const { isMainThread } = require('node:worker_threads')
const { Channel, Pool } = require('telar')

const kThreads = 2
const kOrders = 2000

// The task of every thread. A channel in the value of a task arrives as a channel.
async function consume (orders) {
  let done = 0
  for await (const order of orders) done += order.quantity > 0 ? 1 : 0
  return done
}

async function main () {
  const orders = new Channel({ capacity: 32 * 1024 })
  const pool = new Pool({ filename: __filename, minThreads: kThreads, maxThreads: kThreads })
  const consumers = Array.from({ length: kThreads }, () => pool.run(orders))
  for (let id = 0; id < kOrders; id++) await orders.send({ id, quantity: 1 + id % 5 })
  orders.close()

  const counts = await Promise.all(consumers)
  console.log(`${counts.reduce((sum, count) => sum + count)} orders by ${counts.length} consumers`)
  await pool.close()
}

module.exports = consume
if (isMainThread) main()
