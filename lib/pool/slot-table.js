'use strict'

// The owner's table of slots: which are free, and the promise or the Task of each of the others. If
// a task is settled while a worker may still use its slot, the slot is abandoned: it stays in use
// until it comes back from the scheduler.

const { Array, Int32Array, Symbol } = require('../base/globals')
const { kSlots } = require('./native-pool')

// Takes the place of the Task of an abandoned slot.
const kAbandoned = Symbol('telar.abandoned')

class SlotTable {
  // A slot has either a function that resolves its promise, or a Task. (To reject the promise, it
  // is resolved with a rejected one. So one function is kept, not two.)
  #resolves = new Array(kSlots).fill(undefined)
  #tasks = new Array(kSlots).fill(undefined)
  #free = new Int32Array(kSlots)
  #freeCount = 0
  #native

  constructor (native) {
    this.#native = native
    this.reset()
  }

  // To be called when there is no native pool: makes all slots free.
  reset () {
    this.#tasks.fill(undefined)
    for (let slot = 0; slot < kSlots; slot++) this.#free[slot] = kSlots - 1 - slot
    this.#freeCount = kSlots
  }

  get hasFree () { return this.#freeCount > 0 }

  take () { return this.#free[--this.#freeCount] }

  // Frees the slot of a task without options, to which no function is bound.
  freeUnbound (slot) { this.#free[this.#freeCount++] = slot }

  free (slot) {
    this.#native.functions.unbind(slot)
    this.#free[this.#freeCount++] = slot
  }

  // Frees a slot that was not submitted. A part of its value may be in a payload block.
  giveBack (slot) {
    this.#native.core.release(slot)
    this.free(slot)
  }

  // Frees an abandoned slot that has come back.
  freeAbandoned (slot) {
    this.#tasks[slot] = undefined
    this.free(slot)
  }

  setResolve (slot, resolve) { this.#resolves[slot] = resolve }

  takeResolve (slot) {
    const resolve = this.#resolves[slot]
    this.#resolves[slot] = undefined
    return resolve
  }

  // Undefined: the slot has only a promise, or is free.
  taskOf (slot) { return this.#tasks[slot] }

  setTask (slot, task) { this.#tasks[slot] = task }

  clearTask (slot) { this.#tasks[slot] = undefined }

  abandon (slot) { this.#tasks[slot] = kAbandoned }

  isAbandoned (slot) { return this.#tasks[slot] === kAbandoned }

  // The slots in use.
  used () {
    const slots = []
    for (let slot = 0; slot < kSlots; slot++) {
      if (this.#tasks[slot] !== undefined || this.#resolves[slot] !== undefined) slots.push(slot)
    }
    return slots
  }
}

module.exports = { SlotTable, kAbandoned }
