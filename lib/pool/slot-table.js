'use strict'

// The owner's side of the slots: which are free, and whose promise or task each of the others
// stands for. A task that was settled while its slot is still out is abandoned: its place is
// kept until the slot comes back.

const { Array, Int32Array, Symbol } = require('../base/globals')
const { kSlots } = require('./native-pool')

// In place of an abandoned task.
const kAbandoned = Symbol('telar.abandoned')

class SlotTable {
  // How to settle the promise of a slot (with a rejected one, to reject it: one function to
  // keep instead of two), or its Task.
  #resolves = new Array(kSlots).fill(undefined)
  #tasks = new Array(kSlots).fill(undefined)
  #free = new Int32Array(kSlots)
  #freeCount = 0
  #native

  constructor (native) {
    this.#native = native
    this.reset()
  }

  // When there is no native pool: every slot is free.
  reset () {
    this.#tasks.fill(undefined)
    for (let slot = 0; slot < kSlots; slot++) this.#free[slot] = kSlots - 1 - slot
    this.#freeCount = kSlots
  }

  get hasFree () { return this.#freeCount > 0 }

  take () { return this.#free[--this.#freeCount] }

  // Of a task without options: no function is bound to the slot.
  freeUnbound (slot) { this.#free[this.#freeCount++] = slot }

  free (slot) {
    this.#native.functions.unbind(slot)
    this.#free[this.#freeCount++] = slot
  }

  // One whose value was not handed over; parts of it may be in a payload block.
  giveBack (slot) {
    this.#native.core.release(slot)
    this.free(slot)
  }

  // Of an abandoned task.
  giveUp (slot) {
    this.#tasks[slot] = undefined
    this.free(slot)
  }

  setResolve (slot, resolve) { this.#resolves[slot] = resolve }

  takeResolve (slot) {
    const resolve = this.#resolves[slot]
    this.#resolves[slot] = undefined
    return resolve
  }

  // Undefined: the slot stands for a mere promise, or is free.
  taskOf (slot) { return this.#tasks[slot] }

  setTask (slot, task) { this.#tasks[slot] = task }

  clearTask (slot) { this.#tasks[slot] = undefined }

  abandon (slot) { this.#tasks[slot] = kAbandoned }

  isAbandoned (slot) { return this.#tasks[slot] === kAbandoned }

  // The slots that are out.
  used () {
    const slots = []
    for (let slot = 0; slot < kSlots; slot++) {
      if (this.#tasks[slot] !== undefined || this.#resolves[slot] !== undefined) slots.push(slot)
    }
    return slots
  }
}

module.exports = { SlotTable, kAbandoned }
