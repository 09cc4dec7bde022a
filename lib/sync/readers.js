'use strict'

// The readers of a lock by thread, so that a thread that was ended while it read
// counts no more, and threads that read do not fight over one word. Each thread has
// a place, on a cache line of its own: its number, and how many reads it has open.
// The place of an ended thread goes to the next one that needs one; only the new
// owner touches its count, so a writer that sees both takes neither for the other's.

const { Atomics } = require('../base/globals')
const native = require('../base/native')
const { createError } = require('../base/errors')
const { createCorrupt } = require('./memory')

const kMaxReaders = 256
const kStride = 16 // words

class Readers {
  #words
  #usedAt // a word: places that were ever taken
  #at // of the first place
  #own = 0 // this thread's place, once it has one

  constructor (words, usedAt, at) {
    this.#words = words
    this.#usedAt = usedAt
    this.#at = at
  }

  static wordsFor () { return kMaxReaders * kStride }

  get own () { return this.#own === 0 ? 0 : Atomics.load(this.#words, this.#own + 1) }

  // One more of this thread. True: its place had a count of an ended thread.
  enter () {
    const had = this.#own === 0 && this.#takePlace()
    Atomics.add(this.#words, this.#own + 1, 1)
    return had
  }

  exit () {
    const before = Atomics.sub(this.#words, this.#own + 1, 1)
    if (before > 0) return
    Atomics.add(this.#words, this.#own + 1, 1)
    throw createCorrupt('RwLock', 'a reader', before)
  }

  // Whether nobody reads. Not thorough: without asking who has been ended.
  isEmpty (isThorough) {
    const words = this.#words
    const used = this.#used()
    for (let i = 0, place = this.#at; i < used; i++, place += kStride) {
      const count = Atomics.load(words, place + 1)
      if (count === 0) continue
      if (count < 0) throw createCorrupt('RwLock', 'a number of readers', count)
      if (!isThorough || native.isThreadAlive(Atomics.load(words, place))) return false
    }
    return true
  }

  #used () {
    const used = Atomics.load(this.#words, this.#usedAt)
    if (used < 0 || used > kMaxReaders) throw createCorrupt('RwLock', `at most ${kMaxReaders} threads that read`, used)
    return used
  }

  #takePlace () {
    const words = this.#words
    const own = native.threadNumber
    // Another object of this thread had one, and is gone. Before any is claimed:
    // of two places, the count of the one that is not used would never be cleared.
    const used = this.#used()
    for (let i = 0, place = this.#at; i < used; i++, place += kStride) {
      if (Atomics.load(words, place) !== own) continue
      this.#own = place
      return false
    }
    const index = this.#claim(own)
    // Before anything is counted there, or a writer would not look at it.
    for (let used; (used = this.#used()) <= index;) Atomics.compareExchange(words, this.#usedAt, used, index + 1)
    this.#own = this.#at + index * kStride
    return Atomics.exchange(words, this.#own + 1, 0) !== 0
  }

  #claim (own) {
    for (let i = 0, place = this.#at; i < kMaxReaders; i++, place += kStride) {
      const thread = Atomics.load(this.#words, place)
      if (thread !== 0 && native.isThreadAlive(thread)) continue
      if (Atomics.compareExchange(this.#words, place, thread, own) === thread) return i
    }
    throw createError('ERR_TELAR_TOO_MANY_THREADS', 'RwLock', kMaxReaders)
  }
}

module.exports = { Readers }
