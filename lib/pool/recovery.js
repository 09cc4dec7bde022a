'use strict'

// What becomes of the tasks of a worker that has ended, and of those that wait when no worker
// can be started.

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

  // onError(error): the error of a worker that no task was rejected for.
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
    this.#poller.drain() // what it had finished counts
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
    return this.#bootFailures.judge({
      // One that was ended from outside while it started, in a pool whose workers do
      // start, says little of the next one.
      isFailed: !hasStarted && (worker.error !== null || this.#state.completed === 0),
      wasUsed: wasUsed || left.some(({ isClaimed }) => isClaimed),
      wasUsedSince: (time) => this.#workers.wasUsedSince(time)
    })
  }

  // Those that the worker had not begun go to another, if their values are still here.
  // False: no task was rejected.
  #settleLeft (left, error, mayMove) {
    let hadTasks = false
    for (const { slot, isClaimed } of left) {
      const task = this.#slots.taskOf(slot)
      if (task === kAbandoned) {
        this.#slots.giveUp(slot)
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

  // ---- failures to boot ----

  // A worker ended before it was of use, and so would the next. The pool tries again
  // when it is asked to run something. isReported: tasks were rejected with the error.
  failBoot (error, isReported) {
    this.#bootFailures.add(error)
    if (!isReported) this.#bootFailures.unreported.push(error)
    this.#settleBootFailures(isReported)
  }

  // When a worker has started or ended, and it may be sure who is to get the errors.
  checkBootFailures () {
    if (this.#bootFailures.unreported.length > 0) this.#settleBootFailures(false)
  }

  // When the last worker is gone what waits is rejected. Where no task got the error, there
  // is an 'error' event: not before it is sure that it comes to that.
  #settleBootFailures (isReported) {
    const { error, unreported } = this.#bootFailures
    if (this.#workers.size === 0 && error !== null && this.rejectUnclaimed(error)) isReported = true
    if (isReported) unreported.length = 0
    if (unreported.length === 0 || this.#workers.isUndecided) return
    for (const error of unreported.splice(0)) this.#onError(error)
  }

  // A worker has become ready. Those that were not started after a failure may be now.
  endBootFailure () {
    if (this.#bootFailures.error === null) return
    this.#bootFailures.clear()
    this.#scaler.replace()
  }

  // ---- what no worker has begun ----

  // Rejects it. False: there was nothing.
  rejectUnclaimed (error) {
    let had = false
    for (const task of this.#waiting.takeAll()) {
      had = had || !task.isSettled
      this.#settler.rejectWaiting(task, error)
    }
    this.#state.updateWaiting()
    for (const slot of this.#native.withdraw()) {
      had = had || !this.#slots.isAbandoned(slot)
      this.#rejectAndFree(slot, error)
    }
    return had
  }

  // Likewise, but what workers have places for stays. `errorFor()`: one for each task.
  rejectExcess (errorFor) {
    for (const task of this.#waiting.takeAll()) this.#settler.rejectWaiting(task, errorFor())
    this.#state.updateWaiting()
    const excess = this.#state.demandHanded - this.#state.capacity
    if (excess > 0) this.#rejectLast(excess, errorFor)
  }

  #rejectLast (excess, errorFor) {
    const slots = []
    for (const slot of this.#native.withdraw()) {
      if (this.#slots.isAbandoned(slot)) this.#slots.giveUp(slot)
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

  // ---- the end ----

  // Rejects everything. The slots that workers have come back when those have ended.
  rejectAll (errorFor) {
    this.rejectUnclaimed(errorFor())
    for (const slot of this.#slots.used()) {
      this.#settler.rejectSlot(slot, errorFor())
      this.#slots.abandon(slot)
    }
  }

  // All workers are gone: what they failed at says nothing of those to come.
  reset () { this.#bootFailures.reset() }
}

function errorOf (worker, exitCode, wasDestroyed) {
  if (worker.error !== null) return worker.error
  return wasDestroyed ? createTerminated() : createError('ERR_TELAR_WORKER_EXITED', exitCode)
}

module.exports = { Recovery }
