'use strict'

// Short one-byte strings that were decoded lately: keys, names of states and types come
// again and again, and finding one costs a tenth of making it. The bytes are copied
// first and the string is made from the copy, so that bytes which change under our hands
// cannot leave a wrong string here for later.

const ENTRIES = 512
const MAX_WORDS = 6

class Interned {
  #strings = new Array(ENTRIES).fill('')
  #words = new Int32Array(ENTRIES * MAX_WORDS)
  #bytes = Buffer.from(this.#words.buffer)
  // As in ShortStrings: what is likely to come next.
  #last = 0
  #after = new Uint16Array(ENTRIES)

  // The string of `length` (1 to 24) bytes at words[from].
  read (words, from, length) {
    const count = (length + 3) >>> 2
    const likely = this.#after[this.#last]
    if (this.#holds(likely, words, from, length, count)) {
      this.#last = likely
      return this.#strings[likely]
    }
    let hash = length
    for (let i = 0; i < count; i++) {
      hash = Math.imul(hash ^ words[from + i], 0x9E3779B1)
      hash ^= hash >>> 15
    }
    const entry = hash & (ENTRIES - 1)
    if (!this.#holds(entry, words, from, length, count)) return this.#put(entry, words, from, length, count)
    this.#after[this.#last] = entry
    this.#last = entry
    return this.#strings[entry]
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
