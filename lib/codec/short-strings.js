'use strict'

const { Array, Buffer, Int32Array, Math, Uint16Array } = require('../base/globals')
const { LATIN1, TAG_BITS } = require('./tags')

// Writes short one-byte strings, four characters to a word, and remembers those that come again with their
// words: names of states and types do, and to copy words costs half of taking a string apart. The counterpart of
// Interned.
//
// What is remembered is a copy. A string of the caller's may be a part of a large one, which would stay as long; and
// its words may lie in shared memory, where others may change them.
//
// A lookup that finds nothing costs a third of taking a string apart, and a copy twice as much as
// that. Values whose strings are new each time must not pay for it. So a string is copied only when
// one that looks like it came just before. Lookups are paid from credit: one that finds its string
// earns some, one that does not spends some, and without credit only one string in ONE_IN is looked
// for.

const ENTRY_BITS = 9
const ENTRIES = 1 << ENTRY_BITS
const MAX_WORDS = 8
const MAX_SHORT = MAX_WORDS * 4
// Shorter ones are taken apart as fast as they are found.
const REMEMBERED_FROM = 8
const MAX_CREDIT = 256
const EARNED = 2
const SPENT = 1
const SPENT_FOR_COPY = 6
const ONE_IN = 32

class ShortStrings {
  #strings = new Array(ENTRIES).fill('')
  #words = new Int32Array(ENTRIES * MAX_WORDS)
  #bytes = Buffer.from(this.#words.buffer)
  // What the string that came last for an entry looked like.
  #looks = new Int32Array(ENTRIES)
  #credit = MAX_CREDIT
  #passed = 0
  // The entry that was used last, and for each which one was used after it: the strings of records come again in the
  // same order, and to compare with one takes a third of looking for it.
  #last = 0
  #after = new Uint16Array(ENTRIES)

  // Writes a string with its tag at words[pos]; where the next value begins. -1: it is longer than MAX_SHORT, there is no
  // room before words[end], or it is not of one-byte characters.
  put (words, pos, end, string) {
    const { length } = string
    const next = pos + 1 + ((length + 3) >>> 2)
    if (length > MAX_SHORT || next > end) return -1
    words[pos] = length << TAG_BITS | LATIN1
    return (length < REMEMBERED_FROM ? writeLatin1(string, words, pos + 1) : this.#write(string, words, pos + 1)) ? next : -1
  }

  // As writeLatin1.
  #write (string, words, pos) {
    if (this.#credit <= 0 && ++this.#passed % ONE_IN !== 0) return writeLatin1(string, words, pos)
    const likely = this.#after[this.#last]
    if (this.#strings[likely] === string) {
      this.#last = likely
      this.#earn()
      this.#copy(likely, words, pos, string.length)
      return true
    }
    const look = lookOf(string)
    const entry = look >>> (32 - ENTRY_BITS)
    if (this.#strings[entry] === string) {
      this.#earn()
    } else {
      this.#credit -= SPENT
      if (this.#looks[entry] !== look) {
        this.#looks[entry] = look
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
    if (this.#credit < MAX_CREDIT) this.#credit += EARNED
  }

  #copy (entry, words, pos, length) {
    const own = this.#words
    const from = entry * MAX_WORDS
    const count = (length + 3) >>> 2
    for (let i = 0; i < count; i++) words[pos + i] = own[from + i]
  }

  #remember (entry, string) {
    const from = entry * MAX_WORDS
    this.#credit -= SPENT_FOR_COPY
    this.#strings[entry] = ''
    if (!writeLatin1(string, this.#words, from)) return false
    this.#strings[entry] = this.#bytes.latin1Slice(from * 4, from * 4 + string.length)
    return true
  }
}

function lookOf (string) {
  const { length } = string
  const head = string.charCodeAt(length >>> 1) << 8 ^ string.charCodeAt(0) ^ length << 16
  const tail = string.charCodeAt(length - 1) << 8 ^ string.charCodeAt(length - 2)
  return Math.imul(Math.imul(head, 0x85EBCA6B) ^ tail, 0x9E3779B1)
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

module.exports = { ShortStrings, MAX_SHORT }
