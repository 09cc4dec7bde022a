'use strict'

// What all channels of this thread share: the bell of its event loop, the numbers
// that C leaves besides its answer, and the turns that others get in between.

const { Promise, Set, Uint32Array } = require('../base/globals')
const native = require('../base/native')
const { afterTurn } = require('../base/time')

const constants = native.channelConstants
const { kRuns, kBatch, kWake } = constants

// Beside the statuses of C: the next record names memory that this thread has yet to be told of.
const kMissing = -1

const info = new Uint32Array(kRuns + 2 * kBatch)
// Of a batch, for each run of equally long records: how many, and the bytes of each.
const runs = info.subarray(kRuns)

// Sides that wait for a bell, and how many of them keep the thread alive.
const waiting = new Set()
let referenced = 0

const core = native.openChannels(serveAll, info)

// One bell for all: each of them tries again.
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

// Whether a thread that blocks for `queue` keeps others from being served.
function isAwaited (queue) {
  return waiting.size > (waiting.has(queue) ? 1 : 0)
}

// After queue.isReferenced has changed.
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

// Promises that are settled at once start each other without end, and the event loop
// would never turn. So after this much in a row one is settled by the loop.
const kTurn = 2000
let spent = 0
let rest = null

// Null, or the promise to wait for before the caller goes on. A value of 1 KiB
// costs about twice what a small one costs.
function spend (bytes) {
  spent += 1 + (bytes >>> 10)
  return spent > kTurn ? takeRest() : null
}

function takeRest () {
  if (rest === null) {
    rest = new Promise((resolve) => {
      afterTurn(() => {
        spent = 0
        rest = null
        resolve()
      })
    })
  }
  return rest
}

module.exports = {
  changeReference,
  constants,
  core,
  info,
  isAwaited,
  kMissing,
  kWake,
  runs,
  serveAll,
  spend,
  startWaiting,
  stopWaiting
}
