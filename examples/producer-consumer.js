'use strict'

// Producer and consumer, connected without the parent.
//
// Instead of: a parent that listens to one worker and posts each message on to the other. Every
// message is then cloned twice and waits for the parent's event loop; nothing holds the producer
// back, so a slow consumer means a queue that grows until the memory is full.
//
// Here both workers get the two ends of one channel. The parent takes no part, and a full channel
// makes send() wait.

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
