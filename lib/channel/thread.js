'use strict'

// What all channels of this thread share: the bell of its event loop, the numbers that C returns
// beside a status, and the limit of how much may be done in one turn of the event loop.

const { Math, Promise, Set, Uint32Array } = require('../base/globals')
const native = require('../base/native')
const { kFirstSleepMs } = require('../base/slices')
const { afterTurn, now } = require('../base/time')

const constants = native.channelConstants
const { kRuns, kBatch, kWake } = constants

// A status in addition to those of C: the next record names a SharedArrayBuffer that this thread
// does not know yet.
const kMissing = -1

const info = new Uint32Array(kRuns + 2 * kBatch)
// The runs of a batch, two numbers for each: how many records, and the length of each in bytes.
const runs = info.subarray(kRuns)

// The wait queues that wait for the bell, and how many of them keep the thread alive.
const waiting = new Set()
let referenced = 0

const core = native.openChannels(serveAll, info)

// There is one bell for all channels of the thread, so each queue tries again.
function serveAll () {
  for (const queue of waiting) queue.serve()
}

function startWaiting (queue) {
  if (waiting.has(queue)) return
  waiting.add(queue)
  if (queue.isReferenced) addReference()
}

function stopWaiting (queue) {
  if (waiting.delete(queue) && queue.isReferenced) removeReference()
}

// Whether other queues wait too. They are not served while the thread is blocked for `queue`.
function doOthersWait (queue) {
  return waiting.size > (waiting.has(queue) ? 1 : 0)
}

// To be called after queue.isReferenced has changed.
function changeReference (queue) {
  if (!waiting.has(queue)) return
  if (queue.isReferenced) addReference()
  else removeReference()
}

function addReference () {
  if (referenced++ === 0) core.setRef(true)
}

function removeReference () {
  if (--referenced === 0) core.setRef(false)
}

// Blocks the thread until the bell of its event loop rings, or until the time `end`. This sleep is
// native, as a thread can wait for one word only in Atomics.wait(), and each ring has its own. Node
// cannot end a native sleep when it terminates the thread, so it consists of short ones.
function sleepUntilBell (end) {
  for (let left; (left = end - now()) > 0;) {
    if (sleepOnce(Math.ceil(Math.min(left, kFirstSleepMs)))) return
  }
}

// V8 ends a thread that is terminated when a function of JavaScript is entered.
function sleepOnce (milliseconds) {
  return core.sleep(milliseconds)
}

// A promise that is resolved at once lets its caller continue in a microtask. A loop of such calls
// would keep the event loop from ever turning. So each call has a cost, and when the sum exceeds
// this number, the next promise is resolved after a turn of the event loop.
const kTurnBudget = 2000
let turnCost = 0
let nextTurn = null

// Counts the cost of a call that sent or received so many bytes. Returns null, or a promise of the
// next turn, for which the caller has to wait. A value of 1 KiB costs about twice what a small one
// costs.
function chargeTurn (bytes) {
  turnCost += 1 + (bytes >>> 10)
  return turnCost > kTurnBudget ? waitForTurn() : null
}

function waitForTurn () {
  if (nextTurn === null) {
    nextTurn = new Promise((resolve) => {
      afterTurn(() => {
        turnCost = 0
        nextTurn = null
        resolve()
      })
    })
  }
  return nextTurn
}

module.exports = {
  changeReference,
  chargeTurn,
  constants,
  core,
  doOthersWait,
  info,
  kMissing,
  kWake,
  runs,
  serveAll,
  sleepUntilBell,
  startWaiting,
  stopWaiting
}
