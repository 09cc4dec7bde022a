'use strict'

// Handles the end of a worker: rejects its tasks or moves them to other workers. Also rejects
// waiting tasks when no worker can be started, and all tasks when the pool ends.

const { Math } = require('../base/globals')
const { createError, createTerminated } = require('../base/errors')
const { kForm, kFormMask } = require('../transport/slot-memory')
const { kAbandoned } = require('./slot-table')

class Recovery {
  #native
  #slots
  #state
  #waiting
  #workers
  #settler
  #poller
  #scaler
  #bootFailures
  #onError

  // onError(error): the error of a worker that no task was rejected with.
  constructor (parts) {
    this.#native = parts.native
    this.#slots = parts.slots
    this.#state = parts.state
    this.#waiting = parts.waiting
    this.#workers = parts.workers
    this.#settler = parts.settler
    this.#poller = parts.poller
    this.#scaler = parts.scaler
    this.#bootFailures = parts.bootFailures
    this.#onError = parts.onError
  }

  // ---- a worker has ended ----

  recover (worker, exitCode) {
    const wasDestroyed = worker.isDestroyed
    this.#poller.drain() // the tasks that it has finished are settled with their results
    const hasStarted = this.#native.core.workerReady(worker.index)
    const wasUsed = this.#native.core.workerCompleted(worker.index) > 0
    const left = this.#native.retire(worker)
    this.#workers.forget(worker)

    const error = errorOf(worker, exitCode, wasDestroyed)
    const isFailure = !wasDestroyed && this.#isBootFailure(worker, hasStarted, wasUsed, left)
    if (!wasDestroyed && !isFailure) this.#scaler.replace()
    const hadTasks = this.#settleLeft(left, error, hasStarted)
    if (isFailure) {
      this.failBoot(error, hadTasks)
    } else if (!wasDestroyed && worker.error !== null && !hadTasks) {
      this.#onError(error)
    }
    this.checkBootFailures()
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
  // workers, if their values are still in the slots. Returns whether a task was rejected.
  #settleLeft (left, error, mayMove) {
    let hadTasks = false
    for (const { slot, isClaimed } of left) {
      const task = this.#slots.taskOf(slot)
      if (task === kAbandoned) {
        this.#slots.freeAbandoned(slot)
      } else if (mayMove && !isClaimed && this.#isMovable(slot, task)) {
        this.#move(slot, task)
      } else {
        hadTasks = true
        this.#rejectAndFree(slot, error)
      }
    }
    return hadTasks
  }

  #isMovable (slot, task) {
    return task !== undefined && !this.#state.isBalanced && !this.#state.isExclusive(task) &&
      (this.#native.memory.form(slot) & kFormMask) !== kForm.portRequest
  }

  #move (slot, task) {
    task.worker?.assigned.delete(task)
    task.worker = null
    this.#poller.resubmit(slot, task)
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

  // When the last worker is gone, waiting tasks are rejected with the error. An error that no task
  // was rejected with is emitted as an 'error' event, once it is certain that no task will be.
  #settleBootFailures (isReported) {
    const { error, unreported } = this.#bootFailures
    const hasFailed = this.#workers.size === 0 && error !== null
    if (hasFailed && this.rejectUnclaimed(error)) isReported = true
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
      if (this.#slots.isAbandoned(slot)) this.#slots.freeAbandoned(slot)
      else slots.push(slot)
    }
    const rejected = slots.splice(Math.max(0, slots.length - excess))
    for (const slot of slots) this.#poller.resubmit(slot, this.#slots.taskOf(slot))
    for (const slot of rejected) this.#rejectAndFree(slot, errorFor())
  }

  #rejectAndFree (slot, error) {
    this.#settler.rejectSlot(slot, error)
    this.#slots.free(slot)
  }

  // ---- shutdown ----

  // Rejects all tasks. The slots that workers have claimed come back when the workers have ended.
  rejectAll (errorFor) {
    this.rejectUnclaimed(errorFor())
    for (const slot of this.#slots.used()) {
      this.#settler.rejectSlot(slot, errorFor())
      this.#slots.abandon(slot)
    }
  }

  // To be called when all workers are gone.
  reset () { this.#bootFailures.reset() }
}

function errorOf (worker, exitCode, wasDestroyed) {
  if (worker.error !== null) return worker.error
  return wasDestroyed ? createTerminated() : createError('ERR_TELAR_WORKER_EXITED', exitCode)
}

module.exports = { Recovery }
