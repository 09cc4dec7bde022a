'use strict'

const { Array, Buffer, Int32Array, Math, Uint16Array } = require('../base/globals')
const { kLatin1, kTagBits } = require('./tags')

// Writes short one-byte strings, four characters to a word, and remembers the words of strings that
// come again. Names of states and types do, and copying words costs half of encoding the
// characters. The counterpart of Interned.
//
// The cache holds copies. A string of the caller may be a substring of a large one, which would
// then stay in memory; and its words may lie in shared memory, where other threads may change them.
//
// A miss costs a third of encoding a string, and a copy twice as much as a miss. Values whose
// strings are new each time should not be slowed down by that. So a string is copied only if the
// last string for its entry had the same fingerprint. And lookups are limited by credit: a hit
// earns some, a miss spends some, and without credit only one string in kOneIn is looked up.

const kEntryBits = 9
const kEntries = 1 << kEntryBits
const kMaxWords = 8
const kMaxShort = kMaxWords * 4
// Shorter strings are encoded as fast as they are found.
const kRememberedFrom = 8
const kMaxCredit = 256
const kEarned = 2
const kSpent = 1
const kSpentForCopy = 6
const kOneIn = 32

class ShortStrings {
  #strings = new Array(kEntries).fill('')
  #words = new Int32Array(kEntries * kMaxWords)
  #bytes = Buffer.from(this.#words.buffer)
  // For each entry, the fingerprint of the string that came last.
  #fingerprints = new Int32Array(kEntries)
  #credit = kMaxCredit
  #skipped = 0
  // The entry that was used last, and for each entry the one that was used after it. The strings of
  // records come again in the same order, and comparing with one entry takes a third of a lookup.
  #last = 0
  #after = new Uint16Array(kEntries)

  // Whether a string of that length is probably not one of these.
  isFresh (length) { return length > kMaxShort || this.#credit <= 0 }

  // Writes a string with its tag at words[pos]. Returns where the next value begins. -1: the string
  // is longer than kMaxShort, there is no room before words[end], or a character has two bytes.
  put (words, pos, end, string) {
    const { length } = string
    const next = pos + 1 + ((length + 3) >>> 2)
    if (length > kMaxShort || next > end) return -1
    words[pos] = length << kTagBits | kLatin1
    const isWritten = length < kRememberedFrom
      ? writeLatin1(string, words, pos + 1)
      : this.#write(string, words, pos + 1)
    return isWritten ? next : -1
  }

  // Like writeLatin1().
  #write (string, words, pos) {
    if (this.#credit <= 0 && ++this.#skipped % kOneIn !== 0) return writeLatin1(string, words, pos)
    const likely = this.#after[this.#last]
    if (this.#strings[likely] === string) {
      this.#last = likely
      this.#earn()
      this.#copy(likely, words, pos, string.length)
      return true
    }
    const fingerprint = fingerprintOf(string)
    const entry = fingerprint >>> (32 - kEntryBits)
    if (this.#strings[entry] === string) {
      this.#earn()
    } else {
      this.#credit -= kSpent
      if (this.#fingerprints[entry] !== fingerprint) {
        this.#fingerprints[entry] = fingerprint
        return writeLatin1(string, words, pos)
      }
      if (!this.#remember(entry, string)) return false
    }
    this.#after[this.#last] = entry
    this.#last = entry
    this.#copy(entry, words, pos, string.length)
    return true
  }

  #earn () {
    if (this.#credit < kMaxCredit) this.#credit += kEarned
  }

  #copy (entry, words, pos, length) {
    const own = this.#words
    const from = entry * kMaxWords
    const count = (length + 3) >>> 2
    for (let i = 0; i < count; i++) words[pos + i] = own[from + i]
  }

  #remember (entry, string) {
    const from = entry * kMaxWords
    this.#credit -= kSpentForCopy
    this.#strings[entry] = ''
    if (!writeLatin1(string, this.#words, from)) return false
    this.#strings[entry] = this.#bytes.latin1Slice(from * 4, from * 4 + string.length)
    return true
  }
}

function fingerprintOf (string) {
  const { length } = string
  const head = string.charCodeAt(length >>> 1) << 8 ^ string.charCodeAt(0) ^ length << 16
  const tail = string.charCodeAt(length - 1) << 8 ^ string.charCodeAt(length - 2)
  return Math.imul(Math.imul(head, 0x85EBCA6B) ^ tail, 0x9E3779B1)
}

// Writes the characters of a string into words, from words[pos] on. False if one of them has two
// bytes; the words are then of no use.
function writeLatin1 (string, words, pos) {
  const { length } = string
  const whole = length & ~3
  let i = 0
  // The bits of all characters together: one test at the end shows whether all had one byte.
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

module.exports = { ShortStrings, kMaxShort }
