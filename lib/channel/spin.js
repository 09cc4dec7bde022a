'use strict'

// How long a receiving call polls before it sleeps. Most answers of a thread that is awake come
// within microseconds, and to sleep and wake up takes longer. Not on a single CPU, where the other
// thread could not run meanwhile.

const native = require('../base/native')

const hasCores = native.cpus() > 1
const kSpinNs = hasCores ? 10_000 : 0
// After this many calls in a row that spun and received nothing, only one call in 32 spins, to find
// out whether that has changed.
const kMaxMisses = 4
const kProbeMask = 31
// How long that call spins: as long as the other thread takes to wake up and answer. With less, two
// threads that have both begun to sleep would never find each other awake again. It is a thirtieth
// of the time that they sleep anyway.
const kProbeNs = hasCores ? 60_000 : 0

class Spin {
  // How many calls in a row have spun and received nothing; from kMaxMisses on, all calls count.
  #misses = 0

  // For how many nanoseconds the next call spins. To be read once for each call.
  next () {
    if (this.#misses < kMaxMisses) return kSpinNs
    return (++this.#misses & kProbeMask) === 0 ? kProbeNs : 0
  }

  // To be called after a call that has spun.
  hit () { this.#misses = 0 }
  miss () { this.#misses++ }
}

module.exports = { Spin }
