'use strict'

// A pool of consumers that take their work from one channel and end cleanly.
//
// Instead of: one `pool.run()` for each item of an endless source, with code that limits how many
// run at a time. Or workers that get items in turn, so that the items of a slow worker wait while
// other workers are idle, and a special value that tells each worker to stop.
//
// Here each thread runs one long task, which receives the next item as soon as it is free. After
// close() the tasks receive what is left in the channel, and then return their results.

const { isMainThread } = require('node:worker_threads')
const { Channel, Pool } = require('telar')

const kThreads = 2
const kOrders = 2000

// The task of each thread. A channel that is passed to a task arrives as a Channel.
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
