'use strict'

// The owner's table of slots: which are free, and the promise or the Task of each of the others. If
// a task is settled while a worker may still use its slot, the slot is abandoned: it stays in use
// until it comes back from the scheduler.

const { Array, Int32Array, Symbol } = require('../base/globals')
const { kSlots } = require('./native-pool')

// Takes the place of the Task of an abandoned slot.
const kAbandoned = Symbol('telar.abandoned')

// The same for a slot whose task was told to stop, while it still runs.
class ToldTask {
  isAbortable = false
  worker // if the owner chose it
  terms // terms.js
  isStopped = false // after its grace
  isInterrupted = false // while an interrupt is on its way
  goOn = null // while its stack is being read: what comes afterwards

  constructor (worker, terms) {
    this.worker = worker
    this.terms = terms
  }
}

class SlotTable {
  // A slot has either a function that resolves its promise, or a Task. (To reject the promise, it
  // is resolved with a rejected one. So one function is kept, not two.)
  #resolves = new Array(kSlots).fill(undefined)
  #tasks = new Array(kSlots).fill(undefined)
  #terms = new Array(kSlots).fill(null)
  #free = new Int32Array(kSlots)
  #freeCount = 0
  #native

  constructor (native) {
    this.#native = native
    native.usedSlots = () => this.used()
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
  freeUnbound (slot) {
    this.#native.memory.forget(slot)
    this.#free[this.#freeCount++] = slot
  }

  free (slot) {
    this.#native.functions.unbind(slot)
    this.#native.memory.forget(slot)
    this.#free[this.#freeCount++] = slot
  }

  // Frees a slot that was not submitted. A part of its value may be in a payload block.
  giveBack (slot) {
    this.#native.core.release(slot)
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

  // Of a slot without a Task that has limits: its terms (terms.js).
  setTerms (slot, terms) { this.#terms[slot] = terms }

  termsOf (slot) { return this.#terms[slot] }

  clearTask (slot) { this.#tasks[slot] = undefined }

  abandon (slot) { this.#tasks[slot] = kAbandoned }

  // What is to be settled for a slot: its Task, or the function that resolves its promise.
  holderOf (slot) { return this.#tasks[slot] ?? this.#resolves[slot] }

  // Abandons a slot, and returns what is to be settled for it. `mark`: what takes the place of a
  // Task.
  detach (slot, mark = kAbandoned) {
    const holder = this.holderOf(slot)
    this.#resolves[slot] = undefined
    this.#tasks[slot] = mark
    return holder
  }

  // Whether the task of a slot is settled already.
  isAbandoned (slot) {
    const task = this.#tasks[slot]
    return task === kAbandoned || task instanceof ToldTask
  }

  // The slots in use.
  used () {
    const slots = []
    for (let slot = 0; slot < kSlots; slot++) {
      if (this.#tasks[slot] !== undefined || this.#resolves[slot] !== undefined) slots.push(slot)
    }
    return slots
  }
}

module.exports = { SlotTable, ToldTask }
