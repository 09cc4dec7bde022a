'use strict'

// What a pool knows of workers that ended before they were of any use: whether it is
// worth starting another, and which of their errors have yet to be reported.

const { Math } = require('../base/globals')
const { now } = require('../base/time')

// So many in a row may end without having run anything, where their start did not fail:
// they may have been ended from outside.
const kMaxBootFailures = 3

// A pool that has other workers tries again after so long, and after twice as long each
// time: a start costs tens of milliseconds of a processor, which is to be little of it.
const kRetryMinMs = 1000
const kRetryMaxMs = 60_000

class BootFailures {
  // Why the last worker failed; null once another has become ready.
  error = null
  // Errors of workers whose end no task was rejected for.
  unreported = []
  #count = 0 // in a row
  #lastAt = -Infinity
  #retryDelay = kRetryMinMs
  #retryAt = 0

  // A worker has ended by itself. True: the next one would do so too.
  //   isFailed   it could not load the pool's file
  //   wasUsed    it had run a task
  //   wasUsedSince(time)   whether a worker that began after then has
  judge ({ isFailed, wasUsed, wasUsedSince }) {
    if (wasUsed) this.clear()
    if (wasUsed || wasUsedSince(this.#lastAt)) {
      this.#count = 0
      this.#retryDelay = kRetryMinMs
    }
    if (wasUsed) return false
    this.#lastAt = now()
    return isFailed || ++this.#count > kMaxBootFailures
  }

  add (error) {
    this.error = error
    this.#retryAt = now() + this.#retryDelay
    this.#retryDelay = Math.min(2 * this.#retryDelay, kRetryMaxMs)
  }

  // Whether to start another worker when there are so many. Without any, one is always
  // started: no other worker could run the tasks, and each task gets the error.
  mayStart (workers) {
    return this.error === null || workers === 0 || now() >= this.#retryAt
  }

  // A worker has become ready, or was of use.
  clear () {
    this.error = null
  }

  // All workers are gone: what happened to them says nothing of those to come.
  reset () {
    this.error = null
    this.unreported = []
    this.#count = 0
    this.#lastAt = -Infinity
    this.#retryDelay = kRetryMinMs
    this.#retryAt = 0
  }
}

module.exports = { BootFailures }
