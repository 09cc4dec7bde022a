'use strict'

// Writes short one-byte strings, four characters to a word, and remembers those that came lately with their
// words: names of states and types come again and again, and to copy words costs half of taking a string
// apart. The counterpart of Interned. As there, the words do not come from shared memory, where others may
// change them.
//
// To look in vain costs half of taking a string apart, so values whose strings are new each time must not
// pay for it: what is found earns credit, what is not spends it, and without credit one string in some is looked for.

const ENTRIES = 512
const ENTRY_BITS = 9
const MAX_WORDS = 8
// Shorter ones are taken apart as fast as they are found.
const REMEMBERED_FROM = 8
const MAX_CREDIT = 256
const EARNED = 2
const ONE_IN = 32

class ShortStrings {
  #strings = new Array(ENTRIES).fill('')
  #words = new Int32Array(ENTRIES * MAX_WORDS)
  #credit = MAX_CREDIT
  #passed = 0

  // As writeLatin1, of a string of REMEMBERED_FROM to MAX_SHORT characters.
  write (string, words, pos) {
    const { length } = string
    if (this.#credit <= 0 && ++this.#passed % ONE_IN !== 0) return writeLatin1(string, words, pos)
    const last = length - 1
    const mixed = length << 24 ^ string.charCodeAt(last) << 16 ^ string.charCodeAt(last >>> 1) << 8 ^ string.charCodeAt(0)
    const entry = Math.imul(mixed, 0x9E3779B1) >>> (32 - ENTRY_BITS)
    const own = this.#words
    const from = entry * MAX_WORDS
    if (this.#strings[entry] === string) {
      if (this.#credit < MAX_CREDIT) this.#credit += EARNED
    } else if (!this.#remember(entry, string, own, from)) {
      return false
    }
    const count = (length + 3) >>> 2
    for (let i = 0; i < count; i++) words[pos + i] = own[from + i]
    return true
  }

  #remember (entry, string, own, from) {
    this.#credit--
    this.#strings[entry] = ''
    if (!writeLatin1(string, own, from)) return false
    this.#strings[entry] = string
    return true
  }
}

// Writes the characters of a string into words, from words[pos] on. False, and nothing of use there, if one of them
// is not of one byte.
function writeLatin1 (string, words, pos) {
  const { length } = string
  const whole = length & ~3
  let i = 0
  // The union of all characters tells once, at the end, whether they were one-byte.
  let union = 0
  while (i < whole) {
    const a = string.charCodeAt(i)
    const b = string.charCodeAt(i + 1)
    const c = string.charCodeAt(i + 2)
    const d = string.charCodeAt(i + 3)
    union |= a | b | c | d
    words[pos++] = a | b << 8 | c << 16 | d << 24
    i += 4
  }
  if (i < length) {
    let word = 0
    for (let shift = 0; i < length; i++, shift += 8) {
      const c = string.charCodeAt(i)
      union |= c
      word |= c << shift
    }
    words[pos] = word
  }
  return union <= 255
}

module.exports = { ShortStrings, writeLatin1, REMEMBERED_FROM, MAX_SHORT: MAX_WORDS * 4 }
