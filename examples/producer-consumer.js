'use strict'

// A producer and a consumer that are connected without the parent in between.
//
// Instead of: a parent that listens to one worker and posts each message to the other. Then each
// message is cloned twice and waits for the parent's event loop. The producer never has to wait, so
// if the consumer is slow, the queue grows until the memory is full.
//
// Here both workers use one channel. The parent does nothing, and send() waits while the channel is
// full.

const { Worker, isMainThread, workerData } = require('node:worker_threads')
const { Channel } = require('telar')

const kReadings = 10_000

function main () {
  const readings = new Channel({ capacity: 64 * 1024, producers: 'one', consumers: 'one' })
  const start = (role) => new Worker(__filename, { workerData: { role, readings } })
  start('produce')
  start('consume')
}

async function produce (readings) {
  for (let n = 1; n <= kReadings; n++) await readings.send({ sensor: `s${n % 3}`, celsius: n % 40 })
  readings.close()
}

async function consume (readings) {
  let count = 0
  let hottest = -Infinity
  for await (const { celsius } of readings) {
    count++
    hottest = Math.max(hottest, celsius)
  }
  console.log(`${count} readings, at most ${hottest} °C`)
}

if (isMainThread) main()
else ({ produce, consume })[workerData.role](Channel.from(workerData.readings))
