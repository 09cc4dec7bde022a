'use strict'

// Looking again before going to sleep: another thread that runs is often through
// within a microsecond or two, and a sleep with its wake-up costs ten times that.

const { Atomics } = require('../base/globals')
const native = require('../base/native')
const { own } = require('../base/own')

// About 0.2 µs to the first look, twice as long to each next one, up to 1.6 µs;
// 20 µs in all. Looks that come faster take the cache line away from the thread
// that is waited for, and a lock that goes to and fro at each look is slower than
// one that its owner takes a few times in a row.
const kFirstSteps = 512
const kMaxSteps = 4096
const kTurns = 16
// On the event loop others wait for their turn: 3 µs.
const kTurnsAsync = 4

// Since Node 24. Takes as long as some hundred empty steps.
const pause = own(Atomics, 'pause')
const kPauseSteps = 100

let isUseful

// With one processor the other thread cannot get on while this one spins.
function turns (isAsync) {
  isUseful ??= native.cpus() > 1
  return isUseful ? isAsync ? kTurnsAsync : kTurns : 0
}

function relax (turn) {
  const steps = turn < 3 ? kFirstSteps << turn : kMaxSteps
  if (pause === undefined) {
    for (let i = 0; i < steps; i++);
  } else {
    for (let i = 0; i < steps; i += kPauseSteps) pause()
  }
}

module.exports = { relax, turns }
