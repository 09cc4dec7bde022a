'use strict'

// A fair word that one thread owns at a time: the payload is its number. An owner
// that was ended is noticed, and the word goes to the next one.

const native = require('../base/native')
const { FairWord } = require('./fair-word')
const { createCorrupt } = require('./memory')

class OwnedWord extends FairWord {
  #kind
  #onDeath
  #release = (payload) => {
    if (payload !== native.threadNumber) throw createCorrupt(this.#kind, 'this thread as the owner', payload)
    return 0
  }

  // `onDeath` is called by the next owner.
  constructor (kind, words, at, onDeath) {
    super(words, at)
    this.#kind = kind
    this.#onDeath = onDeath
  }

  get isMine () { return this.payload === native.threadNumber }

  take (payload, isThorough) {
    if (payload === 0) return native.threadNumber
    if (!isThorough || native.isThreadAlive(payload)) return -1
    if (!native.wasThread(payload)) throw createCorrupt(this.#kind, 'the number of a thread as the owner', payload)
    return native.threadNumber
  }

  taken (before) {
    if (before !== 0) this.#onDeath()
  }

  // Throws if this thread is not the owner.
  release () {
    this.put(this.#release, 1)
  }
}

module.exports = { OwnedWord }
