'use strict'

// The workers of a pool: starts them, knows which are ready, lets idle ones go, ends them.
// recovery.js decides what becomes of their tasks.

const { Map, Math, Promise } = require('../base/globals')
const { now, startTimer, stopTimer } = require('../base/time')
const { timerDelay } = require('./options')
const { WorkerHandle } = require('./worker-handle')

// Idle workers beyond minThreads stay this long where idleTimeout is 0: starting
// one again costs thirty milliseconds of two processors.
const kMinIdleMs = 500

class Workers {
  // Those that take tasks.
  list = []
  #options
  #limits
  #native
  #hooks
  #byIndex = new Map() // all that have not ended
  #ends = new Map() // worker to the promise of its end
  #booting = 0
  #isEnding = false
  #idleTimer = null

  // hooks: onMessage(message), onReady(view), onGone(view), onExit(worker, exitCode),
  // onChange() when workers came or went.
  constructor (options, limits, native, hooks) {
    this.#options = options
    this.#limits = limits
    this.#native = native
    this.#hooks = hooks
  }

  get size () { return this.list.length }

  get isFull () { return this.list.length >= this.#limits.maxThreads }

  get ready () { return this.list.filter((worker) => worker.isReady) }

  // What a load balancer may choose from.
  get readyViews () { return this.ready.map((worker) => this.view(worker)) }

  // Whether a worker that began after then has run a task.
  wasUsedSince (time) {
    return this.list.some((worker) => worker.began > time && this.#completedBy(worker) > 0)
  }

  // None takes tasks, and none is still ending.
  get isGone () { return this.list.length === 0 && this.#ends.size === 0 }

  // Workers that take tasks and have yet to become ready.
  get booting () { return this.#booting }

  // No worker that takes tasks has loaded the pool's file, and some may yet do so.
  get isUndecided () {
    return this.list.length > 0 && !this.list.some((worker) => this.#hasLoaded(worker))
  }

  #hasLoaded (worker) { return this.#native.core.workerReady(worker.index) }

  #completedBy (worker) { return this.#native.core.workerCompleted(worker.index) }

  // The worker that has this place in the scheduler's table.
  at (index) { return this.#byIndex.get(index) }

  // False: the scheduler has no place for another, until one has ended. Throws
  // what `new Worker` throws. The native pool is opened, if there is none, while the
  // worker starts, which takes far longer.
  start () {
    if (this.#ends.size >= this.#limits.places) return false
    const worker = new WorkerHandle(this.#options)
    // A getter in workerData or env may have started others, or ended all.
    if (this.isFull || this.#isEnding) {
      worker.terminate()
      return false
    }
    try {
      const startup = this.#native.startup()
      worker.begin(this.#native.core.addWorker(), startup)
    } catch (error) {
      worker.terminate()
      throw error
    }
    this.list.push(worker)
    this.#byIndex.set(worker.index, worker)
    this.#booting++
    this.#ends.set(worker, new Promise((resolve) => {
      worker.listen({
        message: this.#hooks.onMessage,
        error: (error) => { worker.error = error },
        exit: (exitCode) => {
          resolve()
          this.#hooks.onExit(worker, exitCode)
        }
      })
    }))
    this.#hooks.onChange()
    return true
  }

  // The workers present count as ready although they are starting: tasks may be
  // given to them at once. Returns them; they have yet to be announced.
  takeAsReady () {
    for (const worker of this.list) worker.isReady = true
    this.#booting = 0
    return [...this.list]
  }

  // True: some worker has become ready.
  findReady () {
    let found = false
    for (const worker of [...this.list]) {
      // An announcement may have ended the workers that come after.
      if (worker.isReady || worker.isDestroyed || !this.#hasLoaded(worker)) continue
      worker.isReady = true
      this.#booting--
      found = true
      this.announce(worker)
    }
    return found
  }

  // Once for each worker: when it became ready, or else just before it is said to be gone,
  // so that each 'workerDestroy' follows a 'workerCreate'.
  announce (worker) {
    if (worker.isAnnounced) return
    worker.isAnnounced = true
    this.#hooks.onReady(this.view(worker))
  }

  // Ends a worker. Its tasks are recovered when it has ended.
  destroy (worker) {
    if (worker === undefined || worker.isDestroyed) return
    this.#native.core.closeWorker(worker.index)
    worker.terminate()
    this.#remove(worker)
  }

  // A worker that has ended, its tasks recovered.
  forget (worker) {
    worker.dispose()
    this.#ends.delete(worker)
    this.#byIndex.delete(worker.index)
    this.#remove(worker)
  }

  #remove (worker) {
    if (worker.isDestroyed) return
    worker.isDestroyed = true
    const at = this.list.indexOf(worker)
    if (at >= 0) this.list.splice(at, 1)
    if (!worker.isReady) this.#booting--
    this.#hooks.onChange()
    this.announce(worker)
    this.#hooks.onGone(this.view(worker))
  }

  async destroyAll () {
    this.#isEnding = true
    for (const worker of [...this.list]) this.destroy(worker)
    await Promise.all(this.#ends.values())
    this.#isEnding = false
  }

  // The native pool is gone.
  reset () {
    this.#byIndex.clear()
    stopTimer(this.#idleTimer)
    this.#idleTimer = null
  }

  // To be called when tasks have ended: workers beyond minThreads may go.
  watchIdle () {
    if (this.list.length <= this.#limits.minThreads || this.#idleTimer !== null) return
    const timeout = timerDelay(this.#options.idleTimeout)
    if (timeout === null) return
    const patience = timeout > 0 ? timeout : kMinIdleMs
    // Twice within the timeout, so that a worker goes soon after it.
    this.#idleTimer = startTimer(() => this.#letIdleGo(patience), Math.max(1, patience / 2))
  }

  #letIdleGo (patience) {
    this.#idleTimer = null
    const { core } = this.#native
    // A task on its way may have no other worker to go to.
    if (core.readyLength(false) > 0) return this.watchIdle()
    const time = now()
    for (const worker of [...this.list].reverse()) {
      if (this.list.length <= this.#limits.minThreads) return
      const completed = this.#completedBy(worker)
      const isBusy = !worker.isReady || core.workerUsage(worker.index) > 0
      if (isBusy || completed !== worker.completedBefore) {
        worker.completedBefore = completed
        worker.idleSince = time
      } else if (time - worker.idleSince >= patience && core.closeIdle(worker.index)) {
        this.destroy(worker)
      }
    }
    this.watchIdle()
  }

  // A worker as load balancers and events show it: one live object for each.
  view (worker) {
    worker.view ??= createView(worker, () => {
      const isRecorded = this.#options.workerHistogram && this.#byIndex.get(worker.index) === worker
      return isRecorded ? this.#native.histogram.ofWorker(worker.index) : null
    })
    return worker.view
  }

  // The worker that a load balancer chose, if it is one that takes tasks.
  ofView (view) {
    return this.list.find((worker) => worker.view !== null && worker.view === view) ?? null
  }
}

function createView (worker, histogram) {
  return {
    get id () { return worker.thread.threadId },
    get currentUsage () { return worker.isRunningAbortableTask ? Infinity : worker.assigned.size },
    get isRunningAbortableTask () { return worker.isRunningAbortableTask },
    get histogram () { return histogram() },
    get terminating () { return false },
    get destroyed () { return worker.isDestroyed }
  }
}

module.exports = { Workers }
