'use strict'

// What the owner tells a task that runs, in shared memory: 16 bytes for each slot. The owner writes
// them, workers only read them. They are valid for requests with the flag kSteered; a task without
// options has none.
//
//   0  int32    0, or the task was aborted: the number of the notice with the reason (kNoReason:
//               there is none)
//   4  int32    the number that values of progress are sent with; 0: the owner does not want them
//   8  float64  how long the task may run, in ms, or Infinity
//
// After the last slot there is one more int32: whether the owner's event loop is blocked by
// runSync().

const { Atomics, Float64Array, Int32Array, SharedArrayBuffer } = require('../base/globals')

const kBytes = 16
const kNoReason = -1

class TaskWords {
  buffer
  #words
  #doubles

  constructor (buffer) {
    this.buffer = buffer
    this.#words = new Int32Array(buffer)
    this.#doubles = new Float64Array(buffer)
  }

  static create (slots) {
    return new TaskWords(new SharedArrayBuffer((slots + 1) * kBytes))
  }

  get isOwnerBlocked () { return Atomics.load(this.#words, this.#words.length - 4) !== 0 }

  setOwnerBlocked (isBlocked) {
    Atomics.store(this.#words, this.#words.length - 4, isBlocked ? 1 : 0)
  }

  // To be called before the slot is submitted, which publishes the words.
  begin (slot, progress, timeout) {
    this.#words[slot * 4] = 0
    this.#words[slot * 4 + 1] = progress
    this.#doubles[slot * 2 + 1] = timeout
  }

  // Tells the task. A loop of the task sees it at once.
  abort (slot, notice) { Atomics.store(this.#words, slot * 4, notice) }

  // 0: it was not aborted.
  notice (slot) { return Atomics.load(this.#words, slot * 4) }

  progress (slot) { return this.#words[slot * 4 + 1] }

  timeout (slot) { return this.#doubles[slot * 2 + 1] }
}

module.exports = { TaskWords, kNoReason }
