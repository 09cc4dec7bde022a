'use strict'

// Starts workers: as many as the tasks need, between minThreads and maxThreads. After a failure to
// start it pauses (boot-failures.js), and starts those that are still needed then.

const { now, startTimer, stopTimer } = require('../base/time')

class Scaler {
  #limits
  #state
  #waiting
  #workers
  #bootFailures
  #readiness
  #onFailure
  #onGone
  #pauseTimer = null
  #pauseEnd = Infinity // when the timer is due

  // onFailure(error): a worker could not be started. onGone(): and there is no other worker.
  constructor (
    { limits, state, waiting, workers, bootFailures, readiness, onFailure, onGone }
  ) {
    this.#limits = limits
    this.#state = state
    this.#waiting = waiting
    this.#workers = workers
    this.#bootFailures = bootFailures
    this.#readiness = readiness
    this.#onFailure = onFailure
    this.#onGone = onGone
  }

  // Starts a worker. False: none may be started now. Throws what `new Worker` throws.
  start () {
    if (this.#workers.isFull || this.#state.isDestroying) return false
    if (!this.#bootFailures.mayStart(this.#workers.size)) {
      this.#startAfterPause()
      return false
    }
    try {
      return this.#workers.start()
    } catch (error) {
      if (this.#workers.isGone) this.#onGone()
      throw error
    }
  }

  startMin () {
    while (this.#workers.size < this.#limits.minThreads && this.start());
  }

  #startAfterPause () {
    const milliseconds = this.#bootFailures.pause(this.#workers.size)
    const end = now() + milliseconds
    if (end >= this.#pauseEnd) return
    stopTimer(this.#pauseTimer)
    this.#pauseEnd = end
    this.#pauseTimer = startTimer(() => {
      this.#pauseEnd = Infinity
      if (this.#readiness.isAwaited) this.growToMin()
      this.growToDemand()
    }, milliseconds)
  }

  // Like start(), outside of run(): no caller could catch what `new Worker` throws, so it counts as
  // a boot failure.
  grow () {
    try {
      return this.start()
    } catch (error) {
      this.#onFailure(error)
      return false
    }
  }

  // Starts as many as minThreads and the tasks require. After a boot failure none is started for
  // minThreads alone.
  replace () {
    if (this.#bootFailures.error === null) this.growToMin()
    this.growToDemand()
  }

  growToMin () {
    while (this.#workers.size < this.#limits.minThreads && this.grow());
  }

  growToDemand () {
    while (this.#state.demand > this.#state.capacity) {
      if (!this.grow()) return
    }
  }

  // To be called before a task is handed over, so that there is a worker for it.
  growForTask () {
    if (this.#state.demand + 1 <= this.#state.capacity) return
    // If there is no worker, the task is rejected with what `new Worker` throws.
    if (this.#workers.size === 0) this.start()
    else this.grow()
  }

  // As in Piscina, another worker is started when the load balancer has none for waiting tasks.
  // `more`: how many tasks are about to wait.
  growForBalancer (more) {
    if (this.#waiting.size + more > this.#state.bootingCapacity) this.grow()
  }

  // To be called when all workers are gone.
  reset () {
    stopTimer(this.#pauseTimer)
    this.#pauseEnd = Infinity
  }
}

module.exports = { Scaler }
