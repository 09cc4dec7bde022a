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

// How many threads of the process had ended when this thread last asked.
let endedThreads = native.endedThreads()

// Blocks the thread until the word is no longer `expected`, until the time `end`, for `maxSleep`
// milliseconds, or until some thread has ended. `start`: when the call began to wait. A blocked
// thread is not told of the end of another, so it counts the ended threads between sleeps. One that
// ended before the sleep may end it too, and the caller then checks its condition once for nothing:
// this costs less than counting before each check.
function sleepBlocked (words, index, expected, { maxSleep, start, end }) {
  for (let time = now(); time < end; time = now()) {
    const sleep = Math.min(kMaxSleepMs, nextSleep(maxSleep, time - start))
    const outcome = Atomics.wait(words, index, expected, Math.min(sleep, end - time))
    if (outcome !== 'timed-out') return
    if (maxSleep !== Infinity || sleep === kMaxSleepMs || hasThreadEnded()) return
  }
}

function hasThreadEnded () {
  const before = endedThreads
  endedThreads = native.endedThreads()
  return endedThreads !== before
}

module.exports = { kFirstSleepMs, kMaxSleepMs, nextSleep, sleepBlocked }
