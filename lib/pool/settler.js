'use strict'

// Settles the promises of tasks, with the results in their slots or with an error.

const { Promise } = require('../base/globals')
const { createTerminated, recognize } = require('../base/errors')
const { unpack } = require('../transport/packet')
const { kError, kForm, kFormMask } = require('../transport/slot-memory')
const { kAbandoned } = require('./slot-table')

class Settler {
  #native
  #slots
  #state
  #workers

  constructor ({ native, slots, state, workers }) {
    this.#native = native
    this.#slots = slots
    this.#state = state
    this.#workers = workers
  }

  // Settles the first `count` slots of the batch.
  settle (count) {
    const { batch } = this.#native
    for (let i = 0; i < count; i++) {
      const slot = batch[i]
      const task = this.#slots.taskOf(slot)
      if (task === undefined) this.#settlePromise(slot)
      else this.#settleTask(slot, task)
    }
  }

  #settlePromise (slot) {
    const { memory } = this.#native
    const resolve = this.#slots.takeResolve(slot)
    const form = memory.form(slot)
    let value
    let isError = (form & kError) !== 0
    try {
      value = form === kForm.number ? memory.read(slot) : this.#receive(slot, form)
    } catch (error) {
      value = error
      isError = true
    }
    this.#slots.freeUnbound(slot)
    this.#state.end()
    // Last: it reads `then` of the value, which may be a getter of the user.
    resolve(isError ? Promise.reject(recognize(value)) : value)
  }

  #settleTask (slot, task) {
    this.#slots.clearTask(slot)
    const form = this.#native.memory.form(slot)
    let value
    let isError = (form & kError) !== 0
    try {
      value = this.#receive(slot, form)
    } catch (error) {
      value = error
      isError = true
    }
    this.#slots.free(slot)
    if (task !== kAbandoned) this.finish(task, isError, isError ? recognize(value) : value)
  }

  #receive (slot, form) {
    const { core, memory } = this.#native
    switch (form & kFormMask) {
      case kForm.portResult:
        return unpack(this.#workers.at(memory.workerIndex(slot)).receive(memory.message(slot)))
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
    if (worker !== null) this.#state.unassign(task, worker)
    task.settle(isError, value) // last: the signal is user code, which may call the pool
  }

  // Rejects the promise of a slot. The memory of the slot may still be in use.
  rejectSlot (slot, error) {
    const task = this.#slots.taskOf(slot)
    this.#slots.clearTask(slot)
    if (task === undefined) {
      const resolve = this.#slots.takeResolve(slot)
      this.#state.end()
      resolve(Promise.reject(error))
    } else if (task !== kAbandoned) {
      this.finish(task, true, error)
    }
  }

  // Rejects a task that was not handed over.
  rejectWaiting (task, error) {
    if (task.settle(true, error)) this.#state.completed++
  }

  // To be called for a task that is being handled after each call of user code, which may have
  // aborted the task or destroyed the pool. True: the task is settled.
  isOver (task) {
    if (this.#state.isDestroying) this.rejectWaiting(task, createTerminated())
    return task.isSettled
  }
}

module.exports = { Settler }
