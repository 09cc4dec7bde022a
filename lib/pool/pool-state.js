'use strict'

// The state that the parts of a pool share: the numbers of tasks and of places, and whether the
// pool is ending. A worker has `concurrentTasksPerWorker` places for tasks.

const { Math } = require('../base/globals')

class PoolState {
  active = 0 // tasks handed over and not settled
  completed = 0
  // With fewer active tasks than this, one more task needs neither another worker nor the queue.
  fastLimit = 0
  hasWaiting = false // tasks wait in JavaScript; no other task may overtake them
  needsDrain = false
  isClosing = false
  isDestroying = false
  #extraPlaces = 0 // places that exclusive tasks take, beyond one for each
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

  // Whether a task without options can be submitted at once.
  get canSubmit () { return !this.hasWaiting && this.active < this.fastLimit }

  get isEnding () { return this.isClosing || this.isDestroying }

  get isBalanced () { return this.#options.loadBalancer !== undefined }

  // ---- places ----

  // The places of all workers.
  get capacity () { return this.#workers.size * this.#limits.concurrentTasksPerWorker }

  // The places of those workers that are still starting.
  get bootingCapacity () { return this.#workers.booting * this.#limits.concurrentTasksPerWorker }

  // The places that active tasks need.
  get activeDemand () { return this.active + this.#extraPlaces }

  // The places that all tasks need.
  get demand () { return this.activeDemand + this.#waiting.size }

  get queueSize () {
    // A task that a load balancer has chosen a worker for no longer counts as waiting.
    if (this.isBalanced) return Math.max(0, this.#waiting.size - this.bootingCapacity)
    return this.#waiting.size + Math.max(0, this.activeDemand - this.capacity)
  }

  // Whether a task needs a worker to itself: aborting it while it runs ends that worker.
  isExclusive (task) {
    return task.isAbortable && this.#limits.concurrentTasksPerWorker > 1 && !this.isBalanced
  }

  isFullFor (task) {
    if (this.queueSize < this.#limits.maxQueue) return false
    const places = this.isExclusive(task) ? this.#limits.concurrentTasksPerWorker : 1
    return this.demand + places > this.capacity
  }

  // As in Piscina, the queue holds maxQueue tasks beyond those that starting workers have places
  // for.
  get isFullForBalancer () {
    return this.#waiting.size >= this.#limits.maxQueue + this.bootingCapacity
  }

  // To be called when the number of workers has changed.
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

  // A task was handed to a worker that the owner chose.
  assign (task, worker) {
    worker.assigned.add(task)
    this.#addExtraPlaces(task, this.#limits.concurrentTasksPerWorker - 1)
  }

  // Such a task is settled.
  unassign (task, worker) {
    worker.assigned.delete(task)
    this.#addExtraPlaces(task, 1 - this.#limits.concurrentTasksPerWorker)
  }

  #addExtraPlaces (task, places) {
    if (!this.isExclusive(task)) return
    this.#extraPlaces += places
    this.updateLimit()
  }

  // To be called when tasks have entered or left the queue. The process is kept alive while tasks
  // wait.
  updateWaiting () {
    const hasWaiting = this.#waiting.size > 0
    if (hasWaiting === this.hasWaiting || !this.#native.isOpen) return
    this.hasWaiting = hasWaiting
    this.#native.core.setRef(hasWaiting)
  }

  // ---- drain ----

  // To be called when a task was admitted.
  checkFull () {
    if (!this.needsDrain && this.demand >= this.#maxCapacity) this.#becomeFull()
  }

  // To be called when tasks were settled.
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

  // ---- shutdown ----

  setClosing (isClosing) {
    this.isClosing = isClosing
    this.updateLimit()
  }

  setDestroying (isDestroying) {
    this.isDestroying = isDestroying
    this.updateLimit()
  }

  // To be called when the native pool was closed.
  reset () { this.hasWaiting = false }
}

module.exports = { PoolState }
