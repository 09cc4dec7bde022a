'use strict'

// Sibling workers that send messages to each other.
//
// Instead of: a MessageChannel for each pair of workers, which the parent creates and whose ports
// it has to transfer to the right workers (n(n - 1)/2 pairs for n workers). Or a parent that
// forwards each message.
//
// Here each worker has a channel as its inbox, and all workers get all inboxes. Any worker may send
// to any inbox. In this example the workers pass a number around in a circle, kHops times.

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
