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

  // The string of `length` (1 to 24) bytes at words[from].
  read (words, from, length) {
    const count = (length + 3) >>> 2
    let hash = length
    for (let i = 0; i < count; i++) {
      hash = Math.imul(hash ^ words[from + i], 0x9E3779B1)
      hash ^= hash >>> 15
    }
    const entry = hash & (ENTRIES - 1)
    const own = this.#words
    const base = entry * MAX_WORDS
    const string = this.#strings[entry]
    let same = string.length === length
    for (let i = 0; same && i < count; i++) same = own[base + i] === words[from + i]
    return same ? string : this.#put(entry, words, from, length, count)
  }

  #put (entry, words, from, length, count) {
    const base = entry * MAX_WORDS
    for (let i = 0; i < count; i++) this.#words[base + i] = words[from + i]
    return (this.#strings[entry] = this.#bytes.latin1Slice(base * 4, base * 4 + length))
  }
}

module.exports = { Interned, MAX_INTERNED: MAX_WORDS * 4 }
