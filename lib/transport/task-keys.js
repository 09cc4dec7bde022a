'use strict'

// The keys of tasks, for the workers, in shared memory: 128 bytes for each slot. The owner writes
// them, workers only read them. They are valid for requests with the flag kKeyed; a task without a
// key has none.
//
//   0   int32    kNumber, kInMessage, or the length of the text
//   8   float64  the number
//   8            or the text, two bytes for each character
//
// A longer text comes with the message of the value (packet.js).

const {
  Float64Array, Int32Array, Reflect, SharedArrayBuffer, String, Uint16Array
} = require('../base/globals')

const { apply } = Reflect
const { fromCharCode } = String

const kBytes = 128
const kMaxText = (kBytes - 8) / 2
const kNumber = -1
const kInMessage = -2

// Whether a key, or undefined, needs no message.
const fitsSlot = (key) => typeof key !== 'string' || key.length <= kMaxText

class TaskKeys {
  buffer
  #words
  #doubles
  #units

  constructor (buffer) {
    this.buffer = buffer
    this.#words = new Int32Array(buffer)
    this.#doubles = new Float64Array(buffer)
    this.#units = new Uint16Array(buffer)
  }

  static create (slots) {
    return new TaskKeys(new SharedArrayBuffer(slots * kBytes))
  }

  // To be called before the slot is submitted, which publishes the key.
  write (slot, key) {
    const word = slot * (kBytes / 4)
    if (typeof key === 'number') {
      this.#words[word] = kNumber
      this.#doubles[slot * (kBytes / 8) + 1] = key
    } else if (key.length > kMaxText) {
      this.#words[word] = kInMessage
    } else {
      this.#words[word] = key.length
      const at = slot * (kBytes / 2) + 4
      for (let i = 0; i < key.length; i++) this.#units[at + i] = key.charCodeAt(i)
    }
  }

  // Undefined: it comes with the message.
  read (slot) {
    const length = this.#words[slot * (kBytes / 4)]
    if (length === kNumber) return this.#doubles[slot * (kBytes / 8) + 1]
    if (length === kInMessage) return undefined
    const at = slot * (kBytes / 2) + 4
    return apply(fromCharCode, undefined, this.#units.subarray(at, at + length))
  }
}

module.exports = { TaskKeys, fitsSlot }
