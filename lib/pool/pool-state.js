'use strict'

// The state that the parts of a pool share: the numbers of tasks and of places, and whether the
// pool is ending. A worker has `concurrentTasksPerWorker` places for tasks.

const { Math } = require('../base/globals')
const { ref, unref } = require('../base/time')

class PoolState {
  active = 0 // tasks handed over and not settled
  completed = 0
  // With fewer active tasks than this, one more task needs neither another worker nor the queue.
  fastLimit = 0
  hasWaiting = false // tasks wait in JavaScript; no other task may overtake them
  needsDrain = false
  stoppable = 0 // tasks handed over that have a signal or limits, of those with a Task object
  told = 0 // tasks that were told to stop and still run; their promises are settled
  blocked = 0 // how many calls of runSync() block the event loop, one inside the other
  isClosing = false
  isDestroying = false
  maxCapacity // the places of all workers that the pool may have
  #isWatched = true
  #extraPlaces = 0 // places that active tasks need, beyond one for each
  #options
  #limits
  #waiting
  #workers
  #onFull
  #onDrained

  constructor ({ options, limits, waiting, workers, onFull, onDrained }) {
    this.#options = options
    this.#limits = limits
    this.#waiting = waiting
    this.#workers = workers
    this.#onFull = onFull
    this.#onDrained = onDrained
    this.resize()
  }

  // To be called when maxThreads has changed.
  resize () {
    this.maxCapacity = this.#limits.maxThreads * this.#limits.concurrentTasksPerWorker
    this.updateLimit()
  }

  // Whether a task without options can be submitted at once.
  get canSubmit () { return !this.hasWaiting && this.active < this.fastLimit }

  get isEnding () { return this.isClosing || this.isDestroying }

  get isBalanced () { return this.#options.loadBalancer !== undefined }

  // Whether every task gets a fresh worker.
  get isIsolated () { return this.#options.isolate }

  // ---- places ----

  // The places of all workers that take tasks, and those that are taken of workers that leave.
  get capacity () {
    const { leaving, size } = this.#workers
    const ownPlaces = size * this.#limits.concurrentTasksPerWorker
    return leaving.size === 0 ? ownPlaces : ownPlaces + leaving.places
  }

  get idleThreads () {
    const { leaving, ready } = this.#workers
    return Math.max(0, ready.length - this.active - this.told + leaving.places)
  }

  // The places of those workers that are still starting.
  get bootingCapacity () { return this.#workers.booting * this.#limits.concurrentTasksPerWorker }

  // The places that active tasks need, and those that were told to stop.
  get activeDemand () { return this.active + this.told + this.#extraPlaces }

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

  // Whether a task may be bound to a busy worker: whatever may end that worker, as an abort may,
  // would end the tasks that are bound to it.
  mayBind (task) { return !task.mayBeStopped && this.stoppable === 0 && this.told === 0 }

  isFullFor (task) {
    if (this.queueSize < this.#limits.maxQueue) return false
    const places = this.isExclusive(task) ? this.#limits.concurrentTasksPerWorker : 1
    const { capacity } = this
    // Spare workers only run the next tasks.
    const usable = this.isIsolated ? Math.min(capacity, this.#limits.maxThreads) : capacity
    return this.demand + places > usable
  }

  // As in Piscina, the queue holds maxQueue tasks beyond those that starting workers have places
  // for.
  get isFullForBalancer () {
    return this.#waiting.size >= this.#limits.maxQueue + this.bootingCapacity
  }

  // To be called when the number of workers has changed. The places of workers that leave do not
  // count: they become fewer without a call of this.
  updateLimit () {
    const { size } = this.#workers
    this.fastLimit = this.isEnding || size === 0 || !this.#isWatched
      ? 0
      : size * this.#limits.concurrentTasksPerWorker - this.told - this.#extraPlaces +
        (this.#workers.isFull ? this.#limits.maxQueue : 0)
  }

  // False: nobody watches the memory of the workers (memory-limit.js), so the next task must not
  // take the fast path.
  setWatched (isWatched) {
    this.#isWatched = isWatched
    this.updateLimit()
  }

  // ---- tasks ----

  // A task is handed over.
  begin () {
    if (++this.active === this.maxCapacity) this.#becomeFull()
  }

  // The same for a task whose caller is blocked until it is settled: nothing else can see that the
  // pool is full.
  beginBlocked () { this.active++ }

  // A task that was handed over is settled.
  end () {
    this.active--
    this.completed++
  }

  // A Task object was handed over. `worker`: the one that the owner chose, or null.
  assign (task, worker) {
    worker?.assigned.add(task)
    if (task.mayBeStopped) this.stoppable++
    this.#addExtraPlaces(this.#extraPlacesOf(task))
  }

  // Such a task is settled.
  unassign (task, worker) {
    worker?.assigned.delete(task)
    if (task.mayBeStopped) this.stoppable--
    this.#addExtraPlaces(-this.#extraPlacesOf(task))
  }

  // A Task object that was handed over waits again.
  takeBack (task) {
    this.active--
    this.unassign(task, task.worker)
  }

  // A task that runs was told to stop.
  beginTold (task) {
    this.told++
    task.worker?.assigned.add(task)
    this.updateLimit()
  }

  // Such a task has ended, or its worker is about to.
  endTold (task) {
    this.told--
    task.worker?.assigned.delete(task)
    this.updateLimit()
  }

  // An exclusive task takes all places of a worker. One that is for a certain worker is no reason
  // to start another.
  #extraPlacesOf (task) {
    const extra = this.isExclusive(task) ? this.#limits.concurrentTasksPerWorker - 1 : 0
    return task.target === null ? extra : extra - 1
  }

  #addExtraPlaces (places) {
    if (places === 0) return
    this.#extraPlaces += places
    this.updateLimit()
  }

  // To be called when tasks have entered or left the queue. The process is kept alive while tasks
  // wait.
  updateWaiting () {
    const hasWaiting = this.#waiting.size > 0
    if (hasWaiting === this.hasWaiting) return
    this.hasWaiting = hasWaiting
    if (hasWaiting) ref()
    else unref()
  }

  // ---- drain ----

  // To be called when a task was admitted.
  checkFull () {
    if (!this.needsDrain && this.demand >= this.maxCapacity) this.#becomeFull()
  }

  // To be called when tasks were settled.
  checkDrained () {
    if (!this.needsDrain || this.demand >= this.maxCapacity) return
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
  reset () {
    if (this.hasWaiting) unref()
    this.hasWaiting = false
  }
}

module.exports = { PoolState }
