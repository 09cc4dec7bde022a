'use strict'

// The workers that leave: they get no more tasks, finish those that they have, run the function
// `teardown`, and are ended then. The teardown may take as long as teardownTimeout.

const { Set } = require('../base/globals')
const { createError } = require('../base/errors')
const { startTimer, stopTimer } = require('../base/time')
const { timerDelay } = require('./options')

class Leaving {
  #workers = new Set()
  #options
  #native
  #end
  #onError

  // end(worker): ends its thread. onError(error): a teardown took too long.
  constructor (options, native, { end, onError }) {
    this.#options = options
    this.#native = native
    this.#end = end
    this.#onError = onError
  }

  get size () { return this.#workers.size }

  // How many places of them are taken.
  get places () {
    let places = 0
    for (const { index } of this.#workers) places += this.#native.core.workerUsage(index)
    return places
  }

  add (worker) {
    const { core } = this.#native
    worker.isLeaving = true
    this.#workers.add(worker)
    core.leaveWorker(worker.index)
    if (this.#options.teardown === null) return
    worker.thread.ref() // the process stays until the teardown is done
    if (core.workerUsage(worker.index) === 0) this.limit(worker)
  }

  // To be called when the worker is ended.
  remove (worker) {
    if (!this.#workers.delete(worker)) return
    stopTimer(worker.leaveTimer)
    worker.leaveTimer = null
  }

  // To be called when something about a worker has changed.
  check () {
    const { core } = this.#native
    for (const worker of this.#workers) {
      const { index } = worker
      if (this.#options.teardown === null) {
        if (core.closeIdle(index)) this.#end(worker)
      } else if (core.workerGone(index)) {
        this.#end(worker)
      } else if (core.workerUsage(index) === 0) {
        this.limit(worker)
      }
    }
  }

  // From now on it has teardownTimeout to go. A worker without tasks may still start, or be blocked
  // by what a task has left behind.
  limit (worker) {
    if (worker.leaveTimer !== null) return
    const timeout = timerDelay(this.#options.teardownTimeout)
    if (timeout === null) return
    worker.leaveTimer = startTimer(() => {
      this.#end(worker)
      this.#onError(createError('ERR_TELAR_TIMEOUT', 'The teardown of a worker', timeout))
    }, timeout)
  }
}

module.exports = { Leaving }
