'use strict'

// Looking again before going to sleep: another thread that runs is often through
// within a microsecond or two, and a sleep with its wake-up costs ten times that.

const { availableParallelism } = require('../cpu')

// Turns of a spin, each longer than the one before up to a bound: many looks
// would take the cache line away from the thread that is waited for.
const kTurns = 40
const kLongestTurn = 64
// On the event loop others wait for their turn.
const kTurnsAsync = 10

// Since Node 24.
const pause = Atomics.pause

let isUseful

// With one processor the other thread cannot get on while this one spins.
function turns (isAsync) {
  isUseful ??= availableParallelism() > 1
  return isUseful ? isAsync ? kTurnsAsync : kTurns : 0
}

function relax (turn) {
  const steps = turn > 6 ? kLongestTurn : 1 << turn
  if (pause !== undefined) {
    for (let i = 0; i < steps; i += 8) pause()
  } else {
    for (let i = 0; i < steps; i++);
  }
}

module.exports = { relax, turns }
