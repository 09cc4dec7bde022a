'use strict'

// One of two threads that take the same lock, until they are told to stop. sync-trial.js starts it.

const { parentPort, workerData } = require('node:worker_threads')
const { locks } = require('./locks')
const { work } = require('./work')

const { driver, made, control, cells, me, mode, inside, outside } = workerData
// Words of `control`: the number of threads that are ready; 1 to start, 2 to stop; and, on cache
// lines of their own, whether each thread wants the lock.
const kReady = 0
const kGo = 1
const kWants = [32, 64]
const kLast = 96 // the thread that had the lock last

const lock = locks[driver].open(made)
const isRunning = () => Atomics.load(control, kGo) < 2
const kBatch = 50

// Each thread takes the lock again as soon as it can.
function race () {
  let count = 0
  while (isRunning()) {
    for (let i = 0; i < kBatch; i++) {
      lock.lock()
      cells[0]++
      work(inside)
      lock.unlock()
      work(outside)
    }
    count += kBatch
  }
  return count
}

// Each thread asks for the lock while the other thread holds it, and holds it until the other
// thread asks. With `alternates`, a thread asks again only when the other thread has had the lock,
// so no thread takes it twice in a row.
function handOver (alternates) {
  let count = 0
  while (isRunning()) {
    Atomics.store(control, kWants[me], 1)
    lock.lock()
    Atomics.store(control, kWants[me], 0)
    if (alternates) Atomics.store(control, kLast, me)
    cells[0]++
    while (Atomics.load(control, kWants[1 - me]) === 0 && isRunning());
    work(inside)
    lock.unlock()
    count++
    if (!alternates) continue
    while (Atomics.load(control, kLast) === me && isRunning());
  }
  return count
}

const modes = { race, handOver: () => handOver(false), alternate: () => handOver(true) }

for (let i = 0; i < 5000; i++) {
  lock.lock()
  work(1)
  lock.unlock()
}
Atomics.add(control, kReady, 1)
while (Atomics.load(control, kGo) === 0);
parentPort.postMessage(modes[mode]())
