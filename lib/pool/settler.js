'use strict'

// Settles the promises of tasks, with the results in their slots or with an error.

const { createTerminated, recognize } = require('../base/errors')
const { unpack } = require('../transport/packet')
const { kError, kForm, kFormMask } = require('../transport/slot-memory')
const { failure } = require('./caller-frames')
const { ToldTask } = require('./slot-table')

class Settler {
  depth = 0 // of the calls of settle(), which user code may nest
  #native
  #slots
  #state
  #workers
  #progress
  #deadlines

  constructor ({ native, slots, state, workers, progress, deadlines }) {
    this.#native = native
    this.#slots = slots
    this.#state = state
    this.#workers = workers
    this.#progress = progress
    this.#deadlines = deadlines
  }

  // Settles the first `count` slots of the batch.
  settle (count) {
    const { batch } = this.#native
    this.depth++
    for (let i = 0; i < count; i++) {
      const slot = batch[i]
      const task = this.#slots.taskOf(slot)
      if (task === undefined) this.#settlePromise(slot)
      else this.#settleTask(slot)
    }
    this.depth--
  }

  #settlePromise (slot) {
    const { memory } = this.#native
    const resolve = this.#slots.takeResolve(slot)
    const form = memory.form(slot)
    let value
    let isError = (form & kError) !== 0
    try {
      value = form === kForm.number ? memory.read(slot) : this.receive(slot, form)
    } catch (error) {
      value = error
      isError = true
    }
    this.#slots.freeUnbound(slot)
    this.#state.end()
    // Last: it reads `then` of the value, which may be a getter of the user.
    resolve(isError ? failure(recognize(value)) : value)
  }

  #settleTask (slot) {
    const { memory } = this.#native
    // Values of progress come before the result. Their listeners may abort the task.
    if (this.#progress.isActive) this.#progress.deliver(this.#workers.at(memory.workerIndex(slot)))
    const form = memory.form(slot)
    let value
    let isError = (form & kError) !== 0
    try {
      value = this.receive(slot, form)
    } catch (error) {
      value = error
      isError = true
    }
    if (this.freeAbandoned(slot)) return
    const task = this.#slots.taskOf(slot)
    this.#slots.clearTask(slot)
    this.#slots.free(slot)
    this.finish(task, isError, isError ? recognize(value) : value)
  }

  // The value of a slot that has come back. Throws what reading it throws.
  receive (slot, form) {
    const { core, memory } = this.#native
    switch (form & kFormMask) {
      case kForm.portResult:
        return unpack(
          this.#workers.at(memory.workerIndex(slot)).receive(memory.message(slot)), memory, slot)
      case kForm.portRequest: // cancelled before a worker claimed it
        return undefined
      default: {
        const value = memory.read(slot)
        if (memory.isBlockLarge(slot)) core.release(slot)
        return value
      }
    }
  }

  // Settles a task that was handed over.
  finish (task, isError, value) {
    const { worker } = task
    if (task.isSettled) return
    this.#state.end()
    this.#state.unassign(task, worker)
    this.#progress.end(task)
    // Last: the signal is user code, which may call the pool.
    if (isError) task.fail(value)
    else task.settle(false, value)
  }

  // Rejects what SlotTable#detach() has returned. The memory of its slot may still be in use.
  reject (holder, error) { this.release(holder)?.(error) }

  // The first half of that: the task is not counted any more. Returns what rejects its promise.
  // Null: it is settled.
  release (holder) {
    if (typeof holder !== 'function' && holder.isSettled) return null
    this.#state.end()
    if (typeof holder === 'function') return (error) => holder(failure(error))
    this.#state.unassign(holder, holder.worker)
    this.#progress.end(holder)
    return holder.end()
  }

  // Rejects the task of a slot that is still in use, if it is not settled already.
  rejectSlot (slot, error) {
    if (this.#slots.isAbandoned(slot)) this.#endTold(slot)
    else this.reject(this.#slots.detach(slot), error)
  }

  // Frees a slot that has come back, if its task is settled already. False: it is not.
  freeAbandoned (slot) {
    if (!this.#slots.isAbandoned(slot)) return false
    this.#endTold(slot)
    this.#slots.clearTask(slot)
    this.#slots.free(slot)
    return true
  }

  // For a task that was told to stop: it has ended, or its worker is about to.
  #endTold (slot) {
    const task = this.#slots.taskOf(slot)
    this.#slots.abandon(slot)
    if (task instanceof ToldTask) this.#state.endTold(task)
  }

  // Rejects a task that was not handed over. `isLate`: no code of the caller is in the stack.
  rejectWaiting (task, error, isLate = false) {
    this.#progress.end(task)
    this.#deadlines.leave(task)
    if (isLate ? task.fail(error) : task.settle(true, error)) this.#state.completed++
  }

  // To be called for a task that is being handled after each call of user code, which may have
  // aborted the task or destroyed the pool. True: the task is settled.
  isOver (task) {
    if (this.#state.isDestroying) this.rejectWaiting(task, createTerminated())
    return task.isSettled
  }
}

module.exports = { Settler }
