'use strict'

// A pipeline of three stages: read, transform, write, each in a thread of its own.
//
// Instead of: stages that post messages to the next stage through the parent. Then a fast stage
// runs ahead, and its messages pile up before a slow stage, in queues that have no limit.
//
// Here a channel connects each stage with the next one. If the last stage is slow, its channel
// fills up, the stage before it waits, and so on back to the source. This is backpressure, and it
// needs no code.

const { Worker, isMainThread, workerData } = require('node:worker_threads')
const { Channel } = require('telar')

const kLines = 5000

const stages = {
  async read (_, lines) {
    for (let n = 1; n <= kLines; n++) await lines.send(`${n},item ${n},${n * 10}`)
    lines.close()
  },

  async transform (lines, rows) {
    for await (const line of lines) {
      const [id, name, cents] = line.split(',')
      await rows.send({ id: Number(id), name, price: Number(cents) / 100 })
    }
    rows.close()
  },

  async write (rows) {
    let count = 0
    let total = 0
    for await (const { price } of rows) {
      count++
      total += price
    }
    console.log(`${count} rows, ${total.toFixed(2)} in all`)
  }
}

function main () {
  const lines = new Channel({ capacity: 16 * 1024 })
  const rows = new Channel({ capacity: 16 * 1024 })
  const start = (stage, from, to) => new Worker(__filename, { workerData: { stage, from, to } })
  start('read', null, lines)
  start('transform', lines, rows)
  start('write', rows, null)
}

if (isMainThread) {
  main()
} else {
  const { stage, from, to } = workerData
  stages[stage](from && Channel.from(from), to && Channel.from(to))
}
