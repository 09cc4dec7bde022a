'use strict'

// One trial of bench/channel.js, in its own process. The first argument is the trial, as JSON. The
// figure is printed as JSON: messages per second, the microseconds of a round trip, or the
// milliseconds of CPU time.

const { once } = require('node:events')
const path = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')
const { MessageChannel, Worker } = require('node:worker_threads')
const { Channel } = require('..')

const kStop = 0
const kReceived = 16
const kReady = 32

const control = new Int32Array(new SharedArrayBuffer(256))

function start (roles, { driver, value }) {
  const isPort = driver === 'port'
  const there = isPort ? undefined : new Channel({ producers: 'one', consumers: 'one' })
  const back = isPort ? undefined : new Channel({ producers: 'one', consumers: 'one' })
  const { port1, port2 } = new MessageChannel()
  return roles.map((role, index) => {
    const port = index === 0 ? port1 : port2
    const worker = new Worker(path.join(__dirname, 'channel-thread.js'), {
      workerData: { driver, role, value, control, there, back, port },
      transferList: [port]
    })
    worker.on('error', (error) => { throw error })
    return worker
  })
}

async function areReady (threads) {
  while (Atomics.load(control, kReady) < threads.length) await sleep(5)
}

const kinds = {
  async stream (trial) {
    await areReady(start(['receiver', 'sender'], trial))
    await sleep(trial.milliseconds / 3)
    const before = Atomics.load(control, kReceived)
    const begin = performance.now()
    await sleep(trial.milliseconds)
    const after = Atomics.load(control, kReceived)
    const seconds = (performance.now() - begin) / 1000
    if (after === before) throw new Error('nothing came')
    return (after - before) / seconds
  },

  async roundTrip (trial) {
    const [asker] = start(['asker', 'answerer'], trial)
    const ended = once(asker, 'exit')
    await sleep(trial.milliseconds)
    Atomics.store(control, kStop, 1)
    await ended
    return Atomics.load(control, kReceived) / 1000
  },

  // Measured from a second after the start, when the thread is idle.
  async idle (trial) {
    await areReady(start(['waiter'], trial))
    await sleep(1000)
    const before = process.cpuUsage()
    await sleep(trial.idleMilliseconds)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  }
}

async function main () {
  const trial = JSON.parse(process.argv[2])
  const figure = await kinds[trial.kind](trial)
  process.stdout.write(JSON.stringify(figure), () => process.exit())
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
