'use strict'

// The workers of a pool: starts them, knows which are ready, and ends them, also when they are
// idle. recovery.js handles the tasks of workers that have ended.

const { Map, Math, Promise } = require('../base/globals')
const { now, startTimer, stopTimer } = require('../base/time')
const { Leaving } = require('./leaving')
const { fromV8 } = require('./memory-limit')
const { timerDelay } = require('./options')
const { WorkerHandle } = require('./worker-handle')
const { statusOf } = require('./worker-status')

// If idleTimeout is 0, idle workers beyond minThreads are kept this long: starting one again takes
// thirty milliseconds of two processors.
const kMinIdleMs = 500

class Workers {
  // The workers that take tasks. Those that leave or were destroyed are not in it.
  list = []
  leaving
  #options
  #limits
  #native
  #hooks
  #byIndex = new Map() // all workers whose thread has not ended
  #ends = new Map() // for each of these, a promise of the end of its thread
  #booting = 0
  #isEnding = false
  #idleTimer = null

  // hooks: onMessage(message), onReady(view), onGone(view), onExit(worker, exitCode),
  // onError(error), and onChange(), which is called when `list` has changed.
  constructor (options, limits, native, hooks) {
    this.#options = options
    this.#limits = limits
    this.#native = native
    this.#hooks = hooks
    this.leaving = new Leaving(options, native, {
      end: (worker) => this.destroy(worker),
      onError: hooks.onError
    })
  }

  get size () { return this.list.length }

  // Also those that are ending.
  get all () { return [...this.#byIndex.values()] }

  get isFull () { return this.#excess >= 0 }

  // By how many workers there are more than maxThreads. With `isolate` a worker leaves as soon as
  // it has a task, and there are spare ones beside those.
  get #excess () {
    const { maxThreads, spareThreads } = this.#limits
    const size = this.list.length + (this.#options.isolate ? this.leaving.size : 0)
    return size - maxThreads - spareThreads
  }

  // Those that take tasks, start as a replacement, or leave.
  get living () { return [...this.#ends.keys()].filter((worker) => !worker.isDestroyed) }

  get ready () { return this.list.filter((worker) => worker.isReady) }

  // The workers that a load balancer may choose from.
  get readyViews () { return this.ready.map((worker) => this.view(worker)) }

  // What each worker does now, in the order of their start. Those that are ending come too.
  get statuses () {
    return [...this.#byIndex.values()]
      .sort((a, b) => a.began - b.began)
      .map((worker) => statusOf(worker, this.#native.core))
  }

  // Whether a worker that began after `time` has run a task.
  wasUsedSince (time) {
    return this.list.some((worker) => worker.began > time && this.completedBy(worker) > 0)
  }

  // Whether all threads have ended.
  get isGone () { return this.list.length === 0 && this.#ends.size === 0 }

  // How many workers of the list are not ready yet.
  get booting () { return this.#booting }

  // Whether workers are starting, and none of the list has loaded the file of the pool yet.
  get isUndecided () {
    return this.list.length > 0 && !this.list.some((worker) => this.hasLoaded(worker))
  }

  // A worker that may be given the one task that it runs, if possible one that has loaded its file.
  // Null: there is none.
  findFresh () {
    return this.list.find((worker) => worker.isReady && this.hasLoaded(worker)) ??
      this.list.find((worker) => worker.isReady) ?? null
  }

  // Whether it has loaded the file of the pool.
  hasLoaded (worker) { return this.#native.core.workerReady(worker.index) }

  get loadedCount () {
    return this.list.reduce((count, worker) => count + (this.hasLoaded(worker) ? 1 : 0), 0)
  }

  completedBy (worker) { return this.#native.core.workerCompleted(worker.index) }

  // The worker with this index in the scheduler's table.
  at (index) { return this.#byIndex.get(index) }

  // Starts a worker. False: too many threads are ending. Throws what `new Worker` throws.
  start () {
    const worker = this.#create(() => this.isFull)
    if (worker === null) return false
    this.list.push(worker)
    this.#booting++
    this.#hooks.onChange()
    return true
  }

  // Starts a worker that is not in the list, whatever maxThreads says. join() adds it, when it is
  // ready. Null: none may be started now. Throws what `new Worker` throws.
  startReplacement () { return this.#create(() => false) }

  join (worker) {
    worker.isReady = true
    this.list.push(worker)
    this.#hooks.onChange()
    this.announce(worker)
  }

  // The thread is created first: it takes far longer to start than the native pool takes to open,
  // if that is needed.
  #create (isFull) {
    if (this.#ends.size >= this.#limits.maxLiving) return null
    const worker = new WorkerHandle(this.#options)
    // A getter in workerData or env may have started other workers, or ended all.
    if (isFull() || this.#isEnding) {
      worker.terminate()
      return null
    }
    try {
      const startup = this.#native.startup()
      const { core, lines } = this.#native
      worker.begin(core, core.addWorker(), startup, lines)
    } catch (error) {
      worker.terminate()
      throw error
    }
    this.#byIndex.set(worker.index, worker)
    this.#ends.set(worker, new Promise((resolve) => {
      worker.listen({
        message: this.#hooks.onMessage,
        error: (error) => { // the pool may have ended the worker with an error of its own
          if (worker.error === null) worker.error = fromV8(error, this.#options)
        },
        exit: (exitCode) => {
          resolve()
          this.#hooks.onExit(worker, exitCode)
        }
      })
    }))
    return worker
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
      if (worker.isReady || worker.isDestroyed || worker.isLeaving) continue
      if (!this.hasLoaded(worker)) continue
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

  // Lets a worker go: it finishes its tasks and gets no others, then it is ended.
  leave (worker) {
    if (worker.isDestroyed || worker.isLeaving) return
    if (this.#options.teardown === null && this.#native.core.closeIdle(worker.index)) {
      return this.destroy(worker)
    }
    this.leaving.add(worker)
    this.#unlist(worker)
  }

  // Lets workers go if there are more than maxThreads: those with the fewest tasks, and of these
  // those that are still starting, or have started last.
  shrink () {
    if (this.#excess <= 0) return
    const { core } = this.#native
    const rank = (worker) =>
      2 * core.workerUsage(worker.index) + (this.hasLoaded(worker) ? 1 : 0)
    const ranked = [...this.list].reverse().sort((a, b) => rank(a) - rank(b))
    for (const worker of ranked.slice(0, this.#excess)) this.leave(worker)
  }

  // Lets all workers go, or only those that run no task, and waits until they are gone. If there is
  // no teardown, they need not go by themselves.
  async leaveAll (all) {
    if (this.#options.teardown === null) return
    const ends = []
    for (const worker of this.living) {
      if (all || this.#native.core.workerUsage(worker.index) === 0) this.leave(worker)
      if (!worker.isLeaving) continue
      this.leaving.limit(worker)
      ends.push(this.#ends.get(worker))
    }
    await Promise.all(ends)
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
    this.leaving.remove(worker)
    this.#unlist(worker)
    this.announce(worker)
    this.#hooks.onGone(this.view(worker))
  }

  #unlist (worker) {
    const at = this.list.indexOf(worker)
    if (at < 0) return
    this.list.splice(at, 1)
    if (!worker.isReady) this.#booting--
    this.#hooks.onChange()
  }

  async destroyAll () {
    this.#isEnding = true
    for (const worker of this.living) this.destroy(worker)
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
      const completed = this.completedBy(worker)
      const isBusy = !worker.isReady || core.workerUsage(worker.index) > 0
      if (isBusy || completed !== worker.completedBefore) {
        worker.completedBefore = completed
        worker.idleSince = time
      } else if (time - worker.idleSince >= maxIdle) {
        this.#endUnlessBusy(worker)
      }
    }
    this.watchIdle()
  }

  #endUnlessBusy (worker) {
    if (this.#options.teardown !== null) this.leave(worker)
    else if (this.#native.core.closeIdle(worker.index)) this.destroy(worker)
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
    get terminating () { return worker.isLeaving && !worker.isDestroyed },
    get destroyed () { return worker.isDestroyed }
  }
}

module.exports = { Workers }
