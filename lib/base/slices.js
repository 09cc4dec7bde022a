'use strict'

// Limits how long a waiting call sleeps before it checks its condition again. A wake-up may be
// lost: the thread that was woken may end before it acts on it, and a thread that is terminated
// cannot wake others. So no sleep may be unlimited. But frequent checks would cost more than all
// the rest of a long wait, so a long wait consists of sleeps that become longer and longer.

const { Atomics, Math } = require('./globals')
const native = require('./native')
const { now } = require('./time')

const kFirstSleepMs = 100
const kMaxSleepMs = 4000 // of a blocked thread
// The first sleep ends after a tenth of a second, the second one after a second.
const kGrowth = 9

// The length of the next sleep, at most `maxSleep`, of a call that has waited for `waited`
// milliseconds and is told of the end of threads.
function nextSleep (maxSleep, waited) {
  return Math.min(maxSleep, Math.max(kFirstSleepMs, kGrowth * waited))
}

// Blocks the thread until the word is no longer `expected`, until the time `end`, for `maxSleep`
// milliseconds, or until some thread has ended. A blocked thread is not told of the end of another,
// so it compares the number of ended threads between sleeps. `ended` is that number from before the
// caller checked its condition, `start` the time when it began to wait.
function sleepBlocked (words, index, expected, { maxSleep, start, end, ended }) {
  for (let time = now(); time < end; time = now()) {
    const sleep = Math.min(kMaxSleepMs, nextSleep(maxSleep, time - start))
    const outcome = Atomics.wait(words, index, expected, Math.min(sleep, end - time))
    if (outcome !== 'timed-out') return
    if (maxSleep !== Infinity || sleep === kMaxSleepMs || native.endedThreads() !== ended) return
  }
}

module.exports = { kFirstSleepMs, kMaxSleepMs, nextSleep, sleepBlocked }
