'use strict'

// The readers of an RwLock, by thread. So a thread that was ended while it read no longer counts,
// and threads that read do not compete for one word. Each thread has an entry on a cache line of
// its own: the number of the thread, and how many reads it has open. The next thread that needs an
// entry gets that of an ended thread. It writes its number first, and only then changes the count.
// A writer reads the count first, so it never takes the reads of a living thread for those of an
// ended one.

const { Atomics } = require('../base/globals')
const native = require('../base/native')
const { createError } = require('../base/errors')
const { createCorrupt } = require('./memory')

const kMaxReaders = 256
const kStride = 16 // words of an entry

class Readers {
  #words
  #usedAt // the index of the word that says how many entries were ever used
  #at // the index of the first entry
  #own = 0 // the index of this thread's entry; 0: it has none yet

  constructor (words, usedAt, at) {
    this.#words = words
    this.#usedAt = usedAt
    this.#at = at
  }

  static wordsFor () { return kMaxReaders * kStride }

  // How many reads this thread has open.
  get own () { return this.#own === 0 ? 0 : Atomics.load(this.#words, this.#own + 1) }

  // Counts one more read of this thread. True: this thread has got the entry of a thread that was
  // ended while it read.
  enter () {
    const wasReading = this.#own === 0 && this.#takeEntry()
    Atomics.add(this.#words, this.#own + 1, 1)
    return wasReading
  }

  exit () {
    const before = Atomics.sub(this.#words, this.#own + 1, 1)
    if (before > 0) return
    Atomics.add(this.#words, this.#own + 1, 1)
    throw createCorrupt('RwLock', 'an open read of this thread', before)
  }

  // Whether no thread reads. `isThorough`: threads that were ended do not count.
  isEmpty (isThorough) {
    const words = this.#words
    const used = this.#used()
    for (let i = 0, entry = this.#at; i < used; i++, entry += kStride) {
      const count = Atomics.load(words, entry + 1)
      if (count === 0) continue
      if (count < 0) throw createCorrupt('RwLock', '0 or more open reads', count)
      if (!isThorough || native.isThreadAlive(Atomics.load(words, entry))) return false
    }
    return true
  }

  #used () {
    const used = Atomics.load(this.#words, this.#usedAt)
    if (used >= 0 && used <= kMaxReaders) return used
    throw createCorrupt('RwLock', `at most ${kMaxReaders} reading threads`, used)
  }

  // Sets #own. True: the entry is that of a thread that was ended while it read.
  #takeEntry () {
    const words = this.#words
    const own = native.threadNumber
    // The thread may have an entry already, from an RwLock object that was collected. That one must
    // be used again: of two entries, the count of the unused one would never be cleared.
    const used = this.#used()
    for (let i = 0, entry = this.#at; i < used; i++, entry += kStride) {
      if (Atomics.load(words, entry) !== own) continue
      this.#own = entry
      return false
    }
    const index = this.#claim(own)
    // Before anything is counted there: a writer only reads entries that are in use.
    for (let used; (used = this.#used()) <= index;) {
      Atomics.compareExchange(words, this.#usedAt, used, index + 1)
    }
    this.#own = this.#at + index * kStride
    return Atomics.exchange(words, this.#own + 1, 0) !== 0
  }

  // Returns the number of a free entry, which is this thread's from now on.
  #claim (own) {
    for (let i = 0, entry = this.#at; i < kMaxReaders; i++, entry += kStride) {
      const thread = Atomics.load(this.#words, entry)
      if (thread !== 0 && native.isThreadAlive(thread)) continue
      if (Atomics.compareExchange(this.#words, entry, thread, own) === thread) return i
    }
    throw createError('ERR_TELAR_TOO_MANY_THREADS', 'RwLock', kMaxReaders)
  }
}

module.exports = { Readers }
