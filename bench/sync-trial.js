'use strict'

// One trial of bench/sync.js, in its own process. The first argument is the trial, as JSON. The
// figure is printed as JSON: nanoseconds per call in one thread, or locks taken per millisecond in
// two threads that compete.

const path = require('node:path')
const { Worker } = require('node:worker_threads')
const { setTimeout: sleep } = require('node:timers/promises')
const { Counter, RwLock, Semaphore } = require('..')
const { locks } = require('./locks')

/** Measures without contention, in CPU time, so that other processes do not count. */
function alone (run, milliseconds) {
  let calls = 1000
  let best = Infinity
  for (let spent = 0; spent < milliseconds * 1000;) {
    const begin = process.cpuUsage()
    for (let i = 0; i < calls; i++) run()
    const { user, system } = process.cpuUsage(begin)
    spent += user + system
    if (user + system < 5000) calls *= 2
    else best = Math.min(best, (user + system) * 1000 / calls)
  }
  return best
}

const words = new Int32Array(new SharedArrayBuffer(192))
const singles = {
  lock (driver) {
    const lock = locks[driver].open(locks[driver].make())
    return () => {
      lock.lock()
      lock.unlock()
    }
  },
  semaphore () {
    const semaphore = new Semaphore(1)
    return () => semaphore.acquireSync().release()
  },
  read () {
    const lock = new RwLock()
    return () => lock.readSync().unlock()
  },
  write () {
    const lock = new RwLock()
    return () => lock.writeSync().unlock()
  },
  counter () {
    const counter = new Counter()
    return () => counter.increment()
  },
  atomics: () => () => {
    Atomics.compareExchange(words, 16, 0, 1)
    Atomics.compareExchange(words, 16, 1, 0)
  }
}

async function contended ({ driver, mode, inside, outside }, milliseconds) {
  const control = new Int32Array(new SharedArrayBuffer(512))
  const cells = new Int32Array(new SharedArrayBuffer(256))
  const made = locks[driver].make()
  const threads = [0, 1].map((me) => new Worker(path.join(__dirname, 'sync-thread.js'), {
    workerData: { driver, made, control, cells, me, mode, inside, outside }
  }))
  const counts = threads.map((thread) =>
    new Promise((resolve, reject) => thread.once('message', resolve).once('error', reject)))
  while (Atomics.load(control, 0) < threads.length) await sleep(1)
  const begin = performance.now()
  Atomics.store(control, 1, 1)
  await sleep(milliseconds)
  Atomics.store(control, 1, 2)
  const taken = performance.now() - begin
  const sum = (await Promise.all(counts)).reduce((a, b) => a + b)
  if (cells[0] !== sum) {
    throw new Error(`${sum} locks were taken, and ${cells[0]} counted under them`)
  }
  return sum / taken
}

async function main () {
  const trial = JSON.parse(process.argv[2])
  const figure = trial.mode === 'alone'
    ? alone(singles[trial.what](trial.driver), trial.milliseconds)
    : await contended(trial, trial.milliseconds)
  process.stdout.write(JSON.stringify(figure))
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
