'use strict'

// A long wait consists of slices: a waiter sleeps for one slice at most, then checks again. A
// wake-up may be lost: the thread that was woken may end before it acts on it, and a thread that is
// terminated cannot wake others. So no wait may be unlimited. But frequent checks would cost more
// than all the rest of a long wait, so slices grow.

const { Atomics, Math } = require('./globals')
const native = require('./native')
const { now } = require('./time')

const kSlice = 100 // ms
const kLongestSlice = 4000
// The first slice ends after a tenth of a second, the second one after a second.
const kGrowth = 9

// The length of the next slice of a waiter that is told of the end of threads, and that has waited
// for `waited` milliseconds. At most `slice`.
function sliceAfter (slice, waited) {
  return Math.min(slice, Math.max(kSlice, kGrowth * waited))
}

// Blocks the thread until the word is no longer `expected`, until the time `end`, for `slice`
// milliseconds, or until some thread has ended. A blocked thread is not told of the end of another,
// so it compares the number of ended threads between slices. `ended` is that number from before the
// caller checked its condition, `start` the time when it began to wait.
function sleepBlocked (words, index, expected, { slice, start, end, ended }) {
  for (let time = now(); time < end; time = now()) {
    const longest = Math.min(kLongestSlice, sliceAfter(slice, time - start))
    if (Atomics.wait(words, index, expected, Math.min(longest, end - time)) !== 'timed-out') return
    if (slice !== Infinity || longest === kLongestSlice || native.endedThreads() !== ended) return
  }
}

module.exports = { kLongestSlice, kSlice, sleepBlocked, sliceAfter }
