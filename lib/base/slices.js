'use strict'

// How long to sleep at most before looking again. A thread that was woken and ended before it
// acted has taken the wake-up with it, and one that was ended cannot wake others. So nobody
// sleeps without end; but to look often costs more than all the rest of a long wait.

const { Atomics, Math } = require('./globals')
const native = require('./native')
const { now } = require('./time')

const kSlice = 100 // ms
const kLongestSlice = 4000
// The first one ends after a tenth of a second, the second one after a second.
const kGrowth = 9

// Of one that learns of the end of a thread, after so many milliseconds. `slice`: at most.
function sliceAfter (slice, waited) {
  return Math.min(slice, Math.max(kSlice, kGrowth * waited))
}

// Blocks the thread, which nobody can tell of the end of another: until the word is no longer
// `expected`, until `end`, for `slice` milliseconds, or until some thread has ended. `ended` is
// what endedThreads() said before the caller looked, `start` the time when it began to wait.
function sleepBlocked (words, index, expected, { slice, start, end, ended }) {
  for (let time = now(); time < end; time = now()) {
    const most = Math.min(kLongestSlice, sliceAfter(slice, time - start))
    if (Atomics.wait(words, index, expected, Math.min(most, end - time)) !== 'timed-out') return
    if (slice !== Infinity || most === kLongestSlice || native.endedThreads() !== ended) return
  }
}

module.exports = { kLongestSlice, kSlice, sleepBlocked, sliceAfter }
