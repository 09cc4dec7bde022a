'use strict'

// The threads of a pool: starts them, knows which are ready, lets idle ones go,
// ends them. What becomes of their tasks is the engine's business.

const { performance } = require('node:perf_hooks')
const { timerDelay } = require('./options')
const { Thread } = require('./thread')

// Idle threads beyond minThreads stay this long where idleTimeout is 0: starting
// one again costs thirty milliseconds of two processors.
const kIdleAtLeastMs = 500

class Crew {
  // Those that take tasks.
  threads = []
  // The native pool, while there is one.
  core = null
  #options
  #limits
  #hooks
  #byIndex = [] // all that have not ended
  #ends = new Map() // thread to the promise of its end
  #booting = 0
  #idleTimer = null

  // hooks: onMessage(message), onReady(view), onGone(view), onExit(thread, exitCode),
  // onChange() when threads came or went, histogramOf(index).
  constructor (options, limits, hooks) {
    this.#options = options
    this.#limits = limits
    this.#hooks = hooks
  }

  get size () { return this.threads.length }

  get isFull () { return this.threads.length >= this.#limits.maxThreads }

  // None takes tasks, and none is still ending.
  get isGone () { return this.threads.length === 0 && this.#ends.size === 0 }

  get isBooting () { return this.#booting > 0 }

  // The thread that has this place in the scheduler's table.
  at (index) { return this.#byIndex[index] }

  // To all that have not ended, in the order of the messages.
  broadcast (message) {
    for (const thread of this.#byIndex) thread?.post(message)
  }

  // False: the scheduler has no place for another, until one has ended. Throws
  // what `new Worker` throws. `prepare()` answers what worker.js needs to know,
  // and opens the native pool if there is none: it is called while the thread
  // starts, which takes far longer.
  start (prepare) {
    if (this.#ends.size >= this.#limits.places) return false
    const thread = new Thread(this.#options)
    try {
      const startup = prepare()
      thread.begin(this.core.addWorker(), startup)
    } catch (error) {
      thread.terminate()
      throw error
    }
    this.threads.push(thread)
    this.#byIndex[thread.index] = thread
    this.#booting++
    this.#ends.set(thread, new Promise((resolve) => {
      thread.listen({
        message: this.#hooks.onMessage,
        error: (error) => { thread.error = error },
        exit: (exitCode) => {
          resolve()
          this.#hooks.onExit(thread, exitCode)
        }
      })
    }))
    this.#hooks.onChange()
    return true
  }

  // The threads present count as ready although they are starting: tasks may be
  // given to them at once. Returns them; they have yet to be announced.
  takeAsReady () {
    for (const thread of this.threads) thread.isReady = true
    this.#booting = 0
    return [...this.threads]
  }

  // True: some thread has become ready.
  lookForReady () {
    let found = false
    for (const thread of [...this.threads]) {
      if (thread.isReady || !this.core.workerReady(thread.index)) continue
      thread.isReady = true
      this.#booting--
      found = true
      this.announce(thread)
    }
    return found
  }

  // Once for each thread: when it became ready, or else before it is said to be gone,
  // so that whoever counts them comes out even.
  announce (thread) {
    if (thread.isAnnounced) return
    thread.isAnnounced = true
    this.#hooks.onReady(this.view(thread))
  }

  // Ends a thread. Its tasks are recovered when it has ended.
  destroy (thread) {
    if (thread === undefined || thread.isDestroyed) return
    this.core.closeWorker(thread.index)
    thread.terminate()
    this.#remove(thread)
  }

  // A thread that has ended, its tasks recovered.
  forget (thread) {
    thread.dispose()
    this.#ends.delete(thread)
    this.#byIndex[thread.index] = undefined
    this.#remove(thread)
  }

  #remove (thread) {
    if (thread.isDestroyed) return
    thread.isDestroyed = true
    const at = this.threads.indexOf(thread)
    if (at >= 0) this.threads.splice(at, 1)
    if (!thread.isReady) this.#booting--
    this.announce(thread)
    this.#hooks.onChange()
    this.#hooks.onGone(this.view(thread))
  }

  async destroyAll () {
    for (const thread of [...this.threads]) this.destroy(thread)
    await Promise.all(this.#ends.values())
  }

  // The native pool is gone.
  shut () {
    this.core = null
    this.#byIndex = []
    clearTimeout(this.#idleTimer)
    this.#idleTimer = null
  }

  // To be called when tasks have ended: threads beyond minThreads may go.
  watchIdle () {
    if (this.threads.length <= this.#limits.minThreads || this.#idleTimer !== null) return
    const timeout = timerDelay(this.#options.idleTimeout)
    if (timeout === null) return
    const patience = timeout > 0 ? timeout : kIdleAtLeastMs
    // Twice within the timeout, so that a thread goes soon after it.
    this.#idleTimer = setTimeout(() => this.#letIdleGo(patience), Math.max(1, patience / 2)).unref()
  }

  #letIdleGo (patience) {
    this.#idleTimer = null
    // A task on its way may have no other thread to go to.
    if (this.core.readyLength(false) > 0) return this.watchIdle()
    const now = performance.now()
    for (const thread of [...this.threads].reverse()) {
      if (this.threads.length <= this.#limits.minThreads) return
      const completed = this.core.workerCompleted(thread.index)
      if (completed !== thread.completedBefore || !thread.isReady || this.core.workerUsage(thread.index) > 0) {
        thread.completedBefore = completed
        thread.idleSince = now
      } else if (now - thread.idleSince >= patience && this.core.closeIdle(thread.index)) {
        this.destroy(thread)
      }
    }
    this.watchIdle()
  }

  // A thread as load balancers and events show it: one live object for each.
  view (thread) {
    thread.view ??= createView(thread, () => {
      const isRecorded = this.#options.workerHistogram && this.#byIndex[thread.index] === thread
      return isRecorded ? this.#hooks.histogramOf(thread.index) : null
    })
    return thread.view
  }

  // The thread that a load balancer chose, if it is one that takes tasks.
  ofView (view) {
    return this.threads.find((thread) => thread.view !== null && thread.view === view) ?? null
  }
}

function createView (thread, histogram) {
  return {
    get id () { return thread.worker.threadId },
    get currentUsage () { return thread.isRunningAbortableTask ? Infinity : thread.assigned.size },
    get isRunningAbortableTask () { return thread.isRunningAbortableTask },
    get histogram () { return histogram() },
    get terminating () { return false },
    get destroyed () { return thread.isDestroyed }
  }
}

module.exports = { Crew }
