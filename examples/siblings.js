'use strict'

// Sibling workers that talk to each other.
//
// Instead of: a MessageChannel for each pair of workers, made by the parent, whose ports are
// transferred and matched up by hand (n workers, n(n - 1)/2 pairs), or a parent that plays post
// office.
//
// Here each worker has an inbox, a channel, and everybody gets all of them. Anyone may write to
// any inbox. A ring of workers passes a number round until it has gone far enough.

const { Worker, isMainThread, workerData } = require('node:worker_threads')
const { Channel } = require('telar')

const kWorkers = 3
const kHops = 300

async function main () {
  const inboxes = Array.from({ length: kWorkers }, () => new Channel({ capacity: 4096 }))
  const start = (me) => new Worker(__filename, { workerData: { me, inboxes } })
  for (let me = 0; me < kWorkers; me++) start(me)
  await inboxes[0].send({ hops: 0 })
}

async function live (me, inboxes) {
  const next = inboxes[(me + 1) % kWorkers]
  for await (const { hops } of inboxes[me]) {
    if (hops < kHops) {
      await next.send({ hops: hops + 1 })
    } else {
      console.log(`worker ${me} saw hop ${hops}`)
      for (const inbox of inboxes) inbox.close()
    }
  }
}

if (isMainThread) main()
else live(workerData.me, workerData.inboxes.map((inbox) => Channel.from(inbox)))
