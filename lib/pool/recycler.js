'use strict'

// The option `recycle`: replaces workers that have run a number of tasks, have reached an age, or
// use much memory. The replacement is started first. When it is ready, the old worker leaves: it
// finishes the tasks that it has, and takes no others.

const { Map, Math } = require('../base/globals')
const { now, startTimer, stopTimer } = require('../base/time')
const { timerDelay } = require('./options')

// How often the numbers of tasks are checked, while tasks end; and how often the rest.
const kCheckMs = 10
const kSlowCheckMs = 100
// A worker lives at least this many times as long as a worker takes to start. A start takes all
// of a processor for that long, and an end nearly as much. So this bounds what recycling costs,
// however short the tasks are.
const kLivesPerStart = 30
// The time of a start, before one was measured, and the most that counts: the function `setup` may
// wait for something, which costs nothing.
const kFirstStartMs = 40
const kMaxStartMs = 100

const kBytesPerMb = 1024 * 1024

class Recycler {
  #limits // { tasks, heapMb, ageMs }
  #state
  #workers
  #bootFailures
  #onFailure
  #replacements = new Map() // the new worker for each old one, while it starts
  #startMs = kFirstStartMs
  #timer = null
  #seen = -1 // how many tasks had been completed at the last check

  // onFailure(error): a worker could not be started.
  constructor ({ options, state, workers, bootFailures, onFailure }) {
    this.#limits = options.recycle
    this.#state = state
    this.#workers = workers
    this.#bootFailures = bootFailures
    this.#onFailure = onFailure
  }

  // To be called when tasks have ended or a worker has become ready.
  watch () {
    if (this.#timer === null) this.#startTimer(kCheckMs)
  }

  #startTimer (milliseconds) {
    this.#timer = startTimer(() => {
      this.#timer = null
      this.#check()
    }, milliseconds)
  }

  #check () {
    if (this.#state.isEnding) return
    const time = now()
    const minAge = kLivesPerStart * this.#startMs
    let nextAt = Infinity
    for (const worker of [...this.#workers.list]) {
      if (this.#replacements.has(worker) || !this.#workers.hasLoaded(worker)) continue
      const dueAt = worker.began + this.#dueAge(worker, minAge)
      if (dueAt > time) nextAt = Math.min(nextAt, dueAt)
      else if (!this.#replace(worker)) nextAt = Math.min(nextAt, time + kSlowCheckMs)
    }
    this.#checkLater(Math.max(nextAt - time, kCheckMs))
  }

  // At which age a worker is replaced, if it runs no other tasks.
  #dueAge (worker, minAge) {
    const { tasks, heapMb, ageMs } = this.#limits
    const isUsedUp = this.#workers.completedBy(worker) >= tasks ||
      worker.toldHeap >= heapMb * kBytesPerMb
    return isUsedUp ? minAge : Math.max(ageMs, minAge)
  }

  // While no tasks end, only the age and the memory of workers can change.
  #checkLater (untilNext) {
    const { tasks, heapMb } = this.#limits
    const { completed } = this.#state
    let delay = untilNext
    if (tasks !== Infinity && completed !== this.#seen) delay = Math.min(delay, kCheckMs)
    if (heapMb !== Infinity) delay = Math.min(delay, kSlowCheckMs)
    this.#seen = completed
    if (delay !== Infinity && this.#workers.size > 0) this.#startTimer(timerDelay(delay))
  }

  // False: no replacement may be started now.
  #replace (worker) {
    const inParallel = 1 + (this.#workers.size >> 3)
    if (this.#replacements.size >= inParallel) return false
    if (!this.#bootFailures.mayStart(this.#workers.size)) return false
    try {
      const replacement = this.#workers.startReplacement()
      if (replacement === null) return false
      this.#replacements.set(worker, replacement)
      return true
    } catch (error) {
      this.#onFailure(error)
      return false
    }
  }

  // To be called when something about a worker has changed.
  checkReplacements () {
    for (const [worker, replacement] of this.#replacements) {
      if (replacement.isDestroyed) {
        this.#replacements.delete(worker)
      } else if (this.#workers.hasLoaded(replacement)) {
        this.#replacements.delete(worker)
        this.#swap(worker, replacement)
      }
    }
  }

  #swap (worker, replacement) {
    this.#startMs = Math.min(now() - replacement.began, kMaxStartMs)
    this.#workers.join(replacement)
    this.#workers.leave(worker)
    this.#workers.shrink() // the old one may have ended by itself
  }

  // To be called when all workers are gone.
  reset () {
    stopTimer(this.#timer)
    this.#timer = null
    this.#replacements.clear()
  }
}

module.exports = { Recycler }
