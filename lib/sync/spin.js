'use strict'

// Spinning: a waiting call polls some more times before it sleeps. Another thread that is running
// is often done within a microsecond or two, while a sleep with its wake-up costs ten times that.

const { Atomics } = require('../base/globals')
const native = require('../base/native')
const { own } = require('../base/own')

// The first pause takes about 0.2 µs. Each pause is twice as long as the one before it, up to
// 1.6 µs. All of them take 20 µs. Polls that come faster take the cache line away from the thread
// that the call waits for. And a lock that changes its owner at each poll is slower than one that
// its owner takes a few times in a row.
const kFirstSteps = 512
const kMaxSteps = 4096
const kSpins = 16
// On the event loop, where other callbacks wait for their turn: 3 µs.
const kSpinsAsync = 4

// Since Node 24. Takes as long as about a hundred empty steps.
const pause = own(Atomics, 'pause')
const kPauseSteps = 100

let isUseful

// How often to poll before sleeping. With a single processor, the other thread cannot run while
// this one spins.
function maxSpins (isAsync) {
  isUseful ??= native.cpus() > 1
  if (!isUseful) return 0
  return isAsync ? kSpinsAsync : kSpins
}

// The pause before a poll. `spin` is the number of polls before it.
function relax (spin) {
  const steps = spin < 3 ? kFirstSteps << spin : kMaxSteps
  if (pause === undefined) {
    for (let i = 0; i < steps; i++);
  } else {
    for (let i = 0; i < steps; i += kPauseSteps) pause()
  }
}

module.exports = { maxSpins, relax }
