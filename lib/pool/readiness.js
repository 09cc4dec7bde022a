'use strict'

// The calls of ready(): they wait until minThreads workers can take tasks.

const { Promise } = require('../base/globals')
const { AbortError } = require('../base/errors')
const { ref, unref } = require('../base/time')

class Readiness {
  #calls = []
  #limits
  #state
  #workers

  constructor ({ limits, state, workers }) {
    this.#limits = limits
    this.#state = state
    this.#workers = workers
  }

  get isAwaited () { return this.#calls.length > 0 }

  get #isReached () { return this.#workers.loadedCount >= this.#limits.minThreads }

  // `start()` starts the workers that are missing; it may throw.
  wait (start) {
    return new Promise((resolve, reject) => {
      if (this.#state.isEnding) throw new AbortError('queue is being terminated')
      if (this.#limits.minThreads === 0) return resolve()
      start()
      if (this.#isReached) return resolve()
      if (!this.isAwaited) ref() // starting workers do not keep the process alive
      this.#calls.push({ resolve, reject })
    })
  }

  // To be called when something about a worker has changed.
  check () {
    if (this.isAwaited && this.#isReached) this.#settle(({ resolve }) => resolve())
  }

  // To be called with the error of a worker that did not start. Returns whether a call was waiting.
  fail (error) {
    if (!this.isAwaited) return false
    this.#settle(({ reject }) => reject(error))
    return true
  }

  #settle (settle) {
    unref()
    for (const call of this.#calls.splice(0)) settle(call)
  }
}

module.exports = { Readiness }
