'use strict'

// Boot failures: workers that ended before they ran a task. Decides whether another worker is
// started after them, and keeps those of their errors that have not been reported yet.

const { Math } = require('../base/globals')
const { now } = require('../base/time')

// This many workers in a row may end without having run a task, if their start did not fail: they
// may have been ended from outside.
const kMaxBootFailures = 3

// A pool that has other workers tries again after this delay, which doubles each time. A start
// takes tens of milliseconds of a processor, which must remain a small part of its time.
const kRetryMinMs = 1000
const kRetryMaxMs = 60_000

// A pool that has none tries at once when a task comes. If that fails too, further tasks wait for
// this long, which doubles each time.
const kAloneMinMs = 100
const kAloneMaxMs = 10_000

class BootFailures {
  // The error of the last worker that failed; null once another has become ready.
  error = null
  // Errors of workers that no task was rejected with.
  unreported = []
  #count = 0 // workers in a row that ended unused
  #lastAt = -Infinity
  #retryDelay = kRetryMinMs
  #retryAt = 0
  #isAlone = false // the last worker that was started had no others beside it
  #aloneDelay = kAloneMinMs
  #aloneAt = 0

  // To be called when a worker has ended by itself. True: it counts as a boot failure, since the
  // next one would end the same way.
  //   isFailed             it could not load the file of the pool
  //   wasUsed              it has run a task
  //   wasUsedSince(time)   whether a worker that began after that time has run a task
  recordEnd ({ isFailed, wasUsed, wasUsedSince }) {
    if (wasUsed) this.clear()
    if (wasUsed || wasUsedSince(this.#lastAt)) {
      this.#count = 0
      this.#forgetPauses()
    }
    if (wasUsed) return false
    this.#lastAt = now()
    return isFailed || ++this.#count > kMaxBootFailures
  }

  add (error) {
    this.error = error
    this.#retryAt = now() + this.#retryDelay
    this.#retryDelay = Math.min(2 * this.#retryDelay, kRetryMaxMs)
    if (!this.#isAlone) return
    this.#isAlone = false
    this.#aloneAt = now() + this.#aloneDelay
    this.#aloneDelay = Math.min(2 * this.#aloneDelay, kAloneMaxMs)
  }

  // Whether to start another worker; the caller starts it then. `workers`: how many there are.
  mayStart (workers) {
    if (this.error === null) return true
    if (this.pause(workers) > 0) return false
    this.#isAlone = workers === 0
    return true
  }

  // How many milliseconds are left until another may be started.
  pause (workers) {
    const at = workers > 0 ? this.#retryAt : this.#aloneAt
    return Math.max(0, at - now())
  }

  // To be called when a worker has become ready.
  clear () {
    this.error = null
  }

  // To be called when all workers are gone: the next ones start with a clean record.
  reset () {
    this.error = null
    this.unreported = []
    this.#count = 0
    this.#lastAt = -Infinity
    this.#forgetPauses()
    this.#retryAt = 0
  }

  #forgetPauses () {
    this.#retryDelay = kRetryMinMs
    this.#isAlone = false
    this.#aloneDelay = kAloneMinMs
    this.#aloneAt = 0
  }
}

module.exports = { BootFailures }
