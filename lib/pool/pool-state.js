'use strict'

// What the parts of a pool count together: tasks, and the places that workers have for them;
// whether the pool is ending. A worker has `concurrentTasksPerWorker` places.

const { Math } = require('../base/globals')

class PoolState {
  active = 0 // tasks handed over and not settled
  completed = 0
  // With fewer active tasks than this, another one needs neither a worker more nor the queue.
  fastLimit = 0
  hasWaiting = false // tasks wait in JavaScript; none may overtake them
  needsDrain = false
  isClosing = false
  isDestroying = false
  #extraPlaces = 0 // that tasks with a worker to themselves take beyond one each
  #maxCapacity
  #options
  #limits
  #native
  #waiting
  #workers
  #onFull
  #onDrained

  constructor ({ options, limits, native, waiting, workers, onFull, onDrained }) {
    this.#options = options
    this.#limits = limits
    this.#native = native
    this.#waiting = waiting
    this.#workers = workers
    this.#onFull = onFull
    this.#onDrained = onDrained
    this.#maxCapacity = limits.maxThreads * limits.concurrentTasksPerWorker
  }

  // Whether a task without options can be handed over at once.
  get isRoomy () { return !this.hasWaiting && this.active < this.fastLimit }

  get isEnding () { return this.isClosing || this.isDestroying }

  get isBalanced () { return this.#options.loadBalancer !== undefined }

  // ---- places ----

  // Of the workers that there are.
  get capacity () { return this.#workers.size * this.#limits.concurrentTasksPerWorker }

  // Of those that are starting.
  get capacityToCome () { return this.#workers.booting * this.#limits.concurrentTasksPerWorker }

  // Places that the tasks handed over take.
  get demandHanded () { return this.active + this.#extraPlaces }

  // Places that all tasks want.
  get demand () { return this.demandHanded + this.#waiting.size }

  get queueSize () {
    // What a balancer has chosen a worker for waits no more, wherever it is.
    if (this.isBalanced) return Math.max(0, this.#waiting.size - this.capacityToCome)
    return this.#waiting.size + Math.max(0, this.demandHanded - this.capacity)
  }

  // Whether a task has a worker to itself: to abort it while it runs ends that worker.
  isExclusive (task) {
    return task.isAbortable && this.#limits.concurrentTasksPerWorker > 1 && !this.isBalanced
  }

  isFullFor (task) {
    if (this.queueSize < this.#limits.maxQueue) return false
    const places = this.isExclusive(task) ? this.#limits.concurrentTasksPerWorker : 1
    return this.demand + places > this.capacity
  }

  // As in Piscina, the queue holds maxQueue tasks beyond those that workers to come have
  // places for.
  get isFullForBalancer () {
    return this.#waiting.size >= this.#limits.maxQueue + this.capacityToCome
  }

  // When workers came or went.
  updateLimit () {
    this.fastLimit = this.isEnding || this.#workers.size === 0
      ? 0
      : this.capacity - this.#extraPlaces + (this.#workers.isFull ? this.#limits.maxQueue : 0)
  }

  // ---- tasks ----

  // A task is handed over.
  begin () {
    if (++this.active === this.#maxCapacity) this.#becomeFull()
  }

  // A task that was handed over is settled.
  end () {
    this.active--
    this.completed++
  }

  // A task was given to a worker of the owner's choice.
  assign (task, worker) {
    worker.assigned.add(task)
    this.#reserve(task, this.#limits.concurrentTasksPerWorker - 1)
  }

  // Such a task is settled.
  unassign (task, worker) {
    worker.assigned.delete(task)
    this.#reserve(task, 1 - this.#limits.concurrentTasksPerWorker)
  }

  #reserve (task, places) {
    if (!this.isExclusive(task)) return
    this.#extraPlaces += places
    this.updateLimit()
  }

  // When tasks have come to the queue, or left it. The process lives on while they wait.
  updateWaiting () {
    const hasWaiting = this.#waiting.size > 0
    if (hasWaiting === this.hasWaiting || !this.#native.isOpen) return
    this.hasWaiting = hasWaiting
    this.#native.core.setRef(hasWaiting)
  }

  // ---- drain ----

  // When a task was admitted.
  checkFull () {
    if (!this.needsDrain && this.demand >= this.#maxCapacity) this.#becomeFull()
  }

  // When tasks were settled.
  checkDrained () {
    if (!this.needsDrain || this.demand >= this.#maxCapacity) return
    this.needsDrain = false
    this.#onDrained()
  }

  #becomeFull () {
    if (this.needsDrain) return
    this.needsDrain = true
    this.#onFull()
  }

  // ---- the end ----

  setClosing (isClosing) {
    this.isClosing = isClosing
    this.updateLimit()
  }

  setDestroying (isDestroying) {
    this.isDestroying = isDestroying
    this.updateLimit()
  }

  // The native pool is gone, and what it held.
  reset () { this.hasWaiting = false }
}

module.exports = { PoolState }
