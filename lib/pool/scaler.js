'use strict'

// Starts as many workers as the tasks want, between minThreads and maxThreads.

class Scaler {
  #limits
  #state
  #waiting
  #workers
  #bootFailures
  #onFailure
  #onGone

  // onFailure(error): a worker could not be started. onGone(): that was the last one.
  constructor ({ limits, state, waiting, workers, bootFailures, onFailure, onGone }) {
    this.#limits = limits
    this.#state = state
    this.#waiting = waiting
    this.#workers = workers
    this.#bootFailures = bootFailures
    this.#onFailure = onFailure
    this.#onGone = onGone
  }

  // False: there are as many as there may be. Throws what `new Worker` throws.
  start () {
    if (this.#workers.isFull || this.#state.isDestroying) return false
    if (!this.#bootFailures.mayStart(this.#workers.size)) return false
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

  // Outside of run() nobody gets what `new Worker` throws: it is a failure to boot.
  grow () {
    try {
      return this.start()
    } catch (error) {
      this.#onFailure(error)
      return false
    }
  }

  // As many as minThreads and the tasks want. After a failure none starts by itself.
  replace () {
    while (this.#workers.size < this.#limits.minThreads && this.#bootFailures.error === null) {
      if (!this.grow()) break
    }
    this.growToDemand()
  }

  growToDemand () {
    while (this.#state.demand > this.#state.capacity) {
      if (!this.grow()) return
    }
  }

  // Before a task is handed over, so that it finds its worker.
  growForTask () {
    if (this.#state.demand + 1 <= this.#state.capacity) return
    // Without any worker the task gets what `new Worker` throws.
    if (this.#workers.size === 0) this.start()
    else this.grow()
  }

  // As in Piscina, a balancer that has no worker for tasks gets another one. `more`: tasks
  // that are about to wait.
  growForBalancer (more) {
    if (this.#waiting.size + more > this.#state.capacityToCome) this.grow()
  }
}

module.exports = { Scaler }
