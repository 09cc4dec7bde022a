'use strict'

// A cache of short one-byte strings that were decoded recently. Keys and the names of states and
// types come again and again, and finding one costs a tenth of making it. The bytes are copied
// first, and the string is made from the copy: bytes that another thread changes meanwhile cannot
// leave a wrong string here for later.
//
// A miss, with the copy after it, costs as much as making the string. So lookups are limited by
// credit, as in ShortStrings: a hit earns some, a miss spends some, and without credit only one
// string in kOneIn is looked up.

const { Array, Buffer, Int32Array, Math, Uint16Array } = require('../base/globals')

const kEntries = 512
const kMaxWords = 6
const kMaxCredit = 512
const kEarned = 2
const kSpent = 1
const kOneIn = 32

class Interned {
  #strings = new Array(kEntries).fill('')
  #words = new Int32Array(kEntries * kMaxWords)
  #bytes = Buffer.from(this.#words.buffer)
  #credit = kMaxCredit
  #skipped = 0
  // As in ShortStrings: the entry that was used last, and the likely next entry after each entry.
  #last = 0
  #after = new Uint16Array(kEntries)

  // The string of `length` (1 to 24) bytes at words[from]. Null: without a lookup, the caller makes
  // the string.
  read (words, from, length) {
    if (this.#credit <= 0 && ++this.#skipped % kOneIn !== 0) return null
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
    const entry = hash & (kEntries - 1)
    if (!this.#holds(entry, words, from, length, count)) {
      this.#credit -= kSpent
      return this.#put(entry, words, from, length, count)
    }
    this.#earn()
    this.#after[this.#last] = entry
    this.#last = entry
    return this.#strings[entry]
  }

  #earn () {
    if (this.#credit < kMaxCredit) this.#credit += kEarned
  }

  #holds (entry, words, from, length, count) {
    if (this.#strings[entry].length !== length) return false
    const own = this.#words
    const base = entry * kMaxWords
    for (let i = 0; i < count; i++) {
      if (own[base + i] !== words[from + i]) return false
    }
    return true
  }

  #put (entry, words, from, length, count) {
    const base = entry * kMaxWords
    for (let i = 0; i < count; i++) this.#words[base + i] = words[from + i]
    return (this.#strings[entry] = this.#bytes.latin1Slice(base * 4, base * 4 + length))
  }
}

module.exports = { Interned, kMaxInterned: kMaxWords * 4 }
