'use strict'

// Handles the end of a worker: rejects its tasks or moves them to other workers. Also rejects
// waiting tasks when no worker can be started, and all tasks when the pool ends.

const { Math } = require('../base/globals')
const { createError, createTerminated } = require('../base/errors')
const { addTasks, describeTasks } = require('./running-tasks')

class Recovery {
  #native
  #slots
  #state
  #waiting
  #workers
  #settler
  #progress
  #poller
  #scaler
  #deadlines
  #dispatcher
  #bootFailures
  #readiness
  #running
  #strict
  #onError

  // onError(error): the error of a worker that no task was rejected with.
  constructor (parts) {
    this.#native = parts.native
    this.#slots = parts.slots
    this.#state = parts.state
    this.#waiting = parts.waiting
    this.#workers = parts.workers
    this.#settler = parts.settler
    this.#progress = parts.progress
    this.#poller = parts.poller
    this.#scaler = parts.scaler
    this.#deadlines = parts.deadlines
    this.#dispatcher = parts.dispatcher
    this.#bootFailures = parts.bootFailures
    this.#readiness = parts.readiness
    this.#running = parts.running
    this.#strict = parts.strict
    this.#onError = parts.onError
  }

  // ---- a worker has ended ----

  recover (worker, exitCode) {
    const wasDestroyed = worker.isDestroyed
    this.#poller.drain() // the tasks that it has finished are settled with their results
    const hasStarted = this.#native.core.workerReady(worker.index)
    const wasUsed = this.#native.core.workerCompleted(worker.index) > 0
    const left = this.#native.retire(worker)
    const ran = left.filter(({ isClaimed }) => isClaimed).map(({ slot }) => this.#running.of(slot))
    worker.collectNotes()
    this.#workers.forget(worker)

    const error = worker.error === null
      ? this.#errorOfEnd(exitCode, wasDestroyed, ran)
      : worker.error
    addTasks(error, worker.id, ran)
    const isFailure = !wasDestroyed && !(worker.isLeaving && hasStarted) &&
      this.#isBootFailure(worker, hasStarted, wasUsed, left)
    // Tasks that it had not claimed are free for others only now, when its replacement may have
    // been ended as idle.
    if (worker.isLeaving || wasDestroyed) this.#scaler.growToDemand()
    else if (!isFailure) this.#scaler.replace()
    if (this.#progress.isActive) this.#progress.deliver(worker)
    const hadTasks = this.#settleLeft(left, error, hasStarted)
    if (isFailure) {
      this.failBoot(error, hadTasks)
    } else if (!wasDestroyed && worker.error !== null && !hadTasks) {
      this.#onError(error)
    }
    this.checkBootFailures()
  }

  // For a worker that no error has ended. Piscina's message does not say what the worker ran.
  #errorOfEnd (exitCode, wasDestroyed, ran) {
    if (wasDestroyed) return createTerminated()
    const tasks = this.#strict && ran.length > 0 ? describeTasks(ran) : undefined
    return createError('ERR_TELAR_WORKER_EXITED', exitCode, tasks)
  }

  #isBootFailure (worker, hasStarted, wasUsed, left) {
    return this.#bootFailures.recordEnd({
      // If a worker ended without an error while it started, in a pool that has run tasks, it was
      // probably ended from outside. The next one may start.
      isFailed: !hasStarted && (worker.error !== null || this.#state.completed === 0),
      wasUsed: wasUsed || left.some(({ isClaimed }) => isClaimed),
      wasUsedSince: (time) => this.#workers.wasUsedSince(time)
    })
  }

  // Settles the slots that the worker has left. Those that it had not claimed are moved to other
  // workers, if the owner still has their values. Returns whether a task was rejected.
  #settleLeft (left, error, mayMove) {
    let hadTasks = false
    for (const { slot, isClaimed } of left) {
      if (this.#settler.freeAbandoned(slot)) continue
      const task = this.#slots.taskOf(slot)
      if (mayMove && !isClaimed && this.#isMovable(task)) {
        this.#move(slot, task)
      } else {
        hadTasks = true
        this.#rejectAndFree(slot, error)
      }
    }
    return hadTasks
  }

  #isMovable (task) {
    const { isBalanced, isIsolated } = this.#state
    return task !== undefined && task.target === null && !isBalanced && !isIsolated &&
      !this.#state.isExclusive(task) && (task.posted === null || task.canPostAgain)
  }

  #move (slot, task) {
    if (task.posted === null) {
      task.worker?.assigned.delete(task)
      task.worker = null
      this.#resubmit(slot, task)
    } else {
      this.#slots.clearTask(slot)
      this.#slots.free(slot)
      this.#state.takeBack(task)
      this.#enqueue(task)
    }
  }

  #enqueue (task) {
    task.slot = -1
    task.worker = task.posted = null
    try {
      this.#dispatcher.enqueue(task)
    } catch (error) { // thrown by the user's queue
      this.#settler.rejectWaiting(task, error)
    }
  }

  // Submits a slot that came back unclaimed, with its value still in it.
  #resubmit (slot, task) {
    this.#poller.resubmit(slot, this.#deadlines.renew(slot, task))
  }

  // ---- boot failures ----

  // A worker ended before it ran a task, and the next one would too. The pool tries again when
  // run() is called. isReported: a task was rejected with the error.
  failBoot (error, isReported) {
    this.#bootFailures.add(error)
    if (!isReported) this.#bootFailures.unreported.push(error)
    this.#settleBootFailures(isReported)
  }

  // To be called when a worker has started or ended: then it may be known how to report the errors.
  checkBootFailures () {
    if (this.#bootFailures.unreported.length > 0) this.#settleBootFailures(false)
  }

  // When the last worker is gone, waiting tasks are rejected with the error. Calls of ready() are
  // also rejected if another worker works. An error that neither was rejected with is emitted as an
  // 'error' event, once it is certain that no task will be.
  #settleBootFailures (isReported) {
    const { error, unreported } = this.#bootFailures
    const hasFailed = this.#workers.size === 0 && error !== null
    if (hasFailed && this.rejectUnclaimed(error)) isReported = true
    if (!this.#workers.isUndecided && this.#readiness.fail(unreported[0] ?? error)) {
      if (hasFailed) isReported = true
      else unreported.shift()
    }
    if (isReported) unreported.length = 0
    if (unreported.length === 0 || this.#workers.isUndecided) return
    for (const error of unreported.splice(0)) this.#onError(error)
  }

  // A worker has become ready. Starts those that were not started after a failure.
  endBootFailure () {
    if (this.#bootFailures.error === null) return
    this.#bootFailures.clear()
    this.#scaler.replace()
  }

  // ---- tasks that no worker has claimed ----

  // Rejects all of them. Returns whether there was any.
  rejectUnclaimed (error) {
    let hadTasks = false
    for (const task of this.#waiting.takeAll()) {
      hadTasks = hadTasks || !task.isSettled
      this.#settler.rejectWaiting(task, error)
    }
    this.#state.updateWaiting()
    for (const slot of this.#native.withdraw()) {
      hadTasks = hadTasks || !this.#slots.isAbandoned(slot)
      this.#rejectAndFree(slot, error)
    }
    return hadTasks
  }

  // Rejects those that workers have no places for. `errorFor()` makes an error for each task.
  rejectExcess (errorFor) {
    for (const task of this.#waiting.takeAll()) this.#settler.rejectWaiting(task, errorFor())
    this.#state.updateWaiting()
    const excess = this.#state.activeDemand - this.#state.capacity
    if (excess > 0) this.#rejectLast(excess, errorFor)
  }

  #rejectLast (excess, errorFor) {
    const slots = []
    for (const slot of this.#native.withdraw()) {
      if (!this.#settler.freeAbandoned(slot)) slots.push(slot)
    }
    const rejected = slots.splice(Math.max(0, slots.length - excess))
    for (const slot of slots) this.#resubmit(slot, this.#slots.taskOf(slot))
    for (const slot of rejected) this.#rejectAndFree(slot, errorFor())
    this.#rejectRouted(excess - rejected.length, errorFor)
  }

  // Rejects up to `count` tasks that wait for a certain worker. Their slots come back later.
  #rejectRouted (count, errorFor) {
    for (const slot of this.#slots.used()) {
      if (count <= 0) return
      if (this.#slots.isAbandoned(slot) || !this.#native.core.cancelRouted(slot)) continue
      this.#settler.rejectSlot(slot, errorFor())
      this.#slots.abandon(slot)
      count--
    }
  }

  #rejectAndFree (slot, error) {
    this.#settler.rejectSlot(slot, error)
    this.#settler.freeAbandoned(slot)
  }

  // ---- shutdown ----

  // Rejects all tasks. The slots that workers have claimed come back when the workers have ended.
  rejectAll (errorFor) {
    this.rejectUnclaimed(errorFor())
    for (const slot of this.#slots.used()) this.#settler.rejectSlot(slot, errorFor())
  }

  // To be called when all workers are gone.
  reset () {
    this.#bootFailures.reset()
    this.#scaler.reset()
  }
}

module.exports = { Recovery }
