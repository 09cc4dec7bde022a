'use strict'

// A cache of short one-byte strings that were decoded recently. Keys and the names of states and
// types come again and again, and finding one costs a tenth of making it. The bytes are copied
// first, and the string is made from the copy: bytes that another thread changes meanwhile cannot
// leave a wrong string here for later.
//
// A miss, with the copy after it, costs as much as making the string. So lookups are limited by
// credit, as in ShortStrings: a hit earns some, a miss spends some, and without credit only one
// string in ONE_IN is looked up.

const { Array, Buffer, Int32Array, Math, Uint16Array } = require('../base/globals')

const ENTRIES = 512
const MAX_WORDS = 6
const MAX_CREDIT = 512
const EARNED = 2
const SPENT = 1
const ONE_IN = 32

class Interned {
  #strings = new Array(ENTRIES).fill('')
  #words = new Int32Array(ENTRIES * MAX_WORDS)
  #bytes = Buffer.from(this.#words.buffer)
  #credit = MAX_CREDIT
  #skipped = 0
  // As in ShortStrings: the entry that was used last, and the likely next entry after each entry.
  #last = 0
  #after = new Uint16Array(ENTRIES)

  // The string of `length` (1 to 24) bytes at words[from]. Null: without a lookup, the caller makes
  // the string.
  read (words, from, length) {
    if (this.#credit <= 0 && ++this.#skipped % ONE_IN !== 0) return null
    const count = (length + 3) >>> 2
    const likely = this.#after[this.#last]
    if (this.#holds(likely, words, from, length, count)) {
      this.#last = likely
      this.#earn()
      return this.#strings[likely]
    }
    let hash = length
    for (let i = 0; i < count; i++) {
      hash = Math.imul(hash ^ words[from + i], 0x9E3779B1)
      hash ^= hash >>> 15
    }
    const entry = hash & (ENTRIES - 1)
    if (!this.#holds(entry, words, from, length, count)) {
      this.#credit -= SPENT
      return this.#put(entry, words, from, length, count)
    }
    this.#earn()
    this.#after[this.#last] = entry
    this.#last = entry
    return this.#strings[entry]
  }

  #earn () {
    if (this.#credit < MAX_CREDIT) this.#credit += EARNED
  }

  #holds (entry, words, from, length, count) {
    if (this.#strings[entry].length !== length) return false
    const own = this.#words
    const base = entry * MAX_WORDS
    for (let i = 0; i < count; i++) {
      if (own[base + i] !== words[from + i]) return false
    }
    return true
  }

  #put (entry, words, from, length, count) {
    const base = entry * MAX_WORDS
    for (let i = 0; i < count; i++) this.#words[base + i] = words[from + i]
    return (this.#strings[entry] = this.#bytes.latin1Slice(base * 4, base * 4 + length))
  }
}

module.exports = { Interned, MAX_INTERNED: MAX_WORDS * 4 }
