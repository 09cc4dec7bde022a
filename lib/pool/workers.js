'use strict'

// The workers of a pool: starts them, knows which are ready, and ends them, also when they are
// idle. recovery.js handles the tasks of workers that have ended.

const { Map, Math, Promise } = require('../base/globals')
const { now, startTimer, stopTimer } = require('../base/time')
const { timerDelay } = require('./options')
const { WorkerHandle } = require('./worker-handle')

// If idleTimeout is 0, idle workers beyond minThreads are kept this long: starting one again takes
// thirty milliseconds of two processors.
const kMinIdleMs = 500

class Workers {
  // The workers that take tasks. Those that were destroyed are not in it.
  list = []
  #options
  #limits
  #native
  #hooks
  #byIndex = new Map() // all workers whose thread has not ended
  #ends = new Map() // for each of these, a promise of the end of its thread
  #booting = 0
  #isEnding = false
  #idleTimer = null

  // hooks: onMessage(message), onReady(view), onGone(view), onExit(worker, exitCode), and
  // onChange(), which is called when `list` has changed.
  constructor (options, limits, native, hooks) {
    this.#options = options
    this.#limits = limits
    this.#native = native
    this.#hooks = hooks
  }

  get size () { return this.list.length }

  get isFull () { return this.list.length >= this.#limits.maxThreads }

  get ready () { return this.list.filter((worker) => worker.isReady) }

  // The workers that a load balancer may choose from.
  get readyViews () { return this.ready.map((worker) => this.view(worker)) }

  // Whether a worker that began after `time` has run a task.
  wasUsedSince (time) {
    return this.list.some((worker) => worker.began > time && this.#completedBy(worker) > 0)
  }

  // Whether all threads have ended.
  get isGone () { return this.list.length === 0 && this.#ends.size === 0 }

  // How many workers of the list are not ready yet.
  get booting () { return this.#booting }

  // Whether workers are starting, and none of the list has loaded the file of the pool yet.
  get isUndecided () {
    return this.list.length > 0 && !this.list.some((worker) => this.#hasLoaded(worker))
  }

  #hasLoaded (worker) { return this.#native.core.workerReady(worker.index) }

  #completedBy (worker) { return this.#native.core.workerCompleted(worker.index) }

  // The worker with this index in the scheduler's table.
  at (index) { return this.#byIndex.get(index) }

  // Starts a worker. False: the scheduler's table is full until a thread has ended. Throws what
  // `new Worker` throws. The thread is created first: it takes far longer to start than the native
  // pool takes to open, if that is needed.
  start () {
    if (this.#ends.size >= this.#limits.workerTableSize) return false
    const worker = new WorkerHandle(this.#options)
    // A getter in workerData or env may have started other workers, or ended all.
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

  // Marks all workers as ready although they are still starting, so that tasks may be assigned to
  // them at once. Returns them; the caller announces them.
  takeAsReady () {
    for (const worker of this.list) worker.isReady = true
    this.#booting = 0
    return [...this.list]
  }

  // Finds the workers that have become ready, and announces them. Returns whether there was any.
  findReady () {
    let found = false
    for (const worker of [...this.list]) {
      // A listener may have ended workers that come later in the list.
      if (worker.isReady || worker.isDestroyed || !this.#hasLoaded(worker)) continue
      worker.isReady = true
      this.#booting--
      found = true
      this.announce(worker)
    }
    return found
  }

  // Emits 'workerCreate', once for each worker: when it has become ready, or else just before its
  // 'workerDestroy', so that each 'workerDestroy' follows a 'workerCreate'.
  announce (worker) {
    if (worker.isAnnounced) return
    worker.isAnnounced = true
    this.#hooks.onReady(this.view(worker))
  }

  // Ends a worker. Its tasks are recovered when its thread has ended.
  destroy (worker) {
    if (worker === undefined || worker.isDestroyed) return
    this.#native.core.closeWorker(worker.index)
    worker.terminate()
    this.#remove(worker)
  }

  // Removes a worker whose thread has ended and whose slots were taken back.
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

  // To be called when the native pool was closed.
  reset () {
    this.#byIndex.clear()
    stopTimer(this.#idleTimer)
    this.#idleTimer = null
  }

  // To be called when tasks have ended: idle workers beyond minThreads are ended after a while.
  watchIdle () {
    if (this.list.length <= this.#limits.minThreads || this.#idleTimer !== null) return
    const timeout = timerDelay(this.#options.idleTimeout)
    if (timeout === null) return
    const maxIdle = timeout > 0 ? timeout : kMinIdleMs
    // Checks twice per timeout, so that a worker is ended soon after its own has expired.
    this.#idleTimer = startTimer(() => this.#endIdle(maxIdle), Math.max(1, maxIdle / 2))
  }

  #endIdle (maxIdle) {
    this.#idleTimer = null
    const { core } = this.#native
    // A task in the ready queue may need one of the idle workers.
    if (core.readyLength(false) > 0) return this.watchIdle()
    const time = now()
    for (const worker of [...this.list].reverse()) {
      if (this.list.length <= this.#limits.minThreads) return
      const completed = this.#completedBy(worker)
      const isBusy = !worker.isReady || core.workerUsage(worker.index) > 0
      if (isBusy || completed !== worker.completedBefore) {
        worker.completedBefore = completed
        worker.idleSince = time
      } else if (time - worker.idleSince >= maxIdle && core.closeIdle(worker.index)) {
        this.destroy(worker)
      }
    }
    this.watchIdle()
  }

  // The object that stands for a worker in load balancers and events. Each worker has one, and its
  // properties show the current state.
  view (worker) {
    worker.view ??= createView(worker, () => {
      const isRecorded = this.#options.workerHistogram && this.#byIndex.get(worker.index) === worker
      return isRecorded ? this.#native.histogram.ofWorker(worker.index) : null
    })
    return worker.view
  }

  // The worker that a load balancer chose, or null if it does not take tasks.
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
