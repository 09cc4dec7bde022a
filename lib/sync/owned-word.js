'use strict'

// A fair word that one thread owns at a time: the payload is the number of that thread. When the
// thread of the owner was ended, the next thread takes the word.

const native = require('../base/native')
const { FairWord } = require('./fair-word')
const { createCorrupt } = require('./memory')

class OwnedWord extends FairWord {
  #kind
  #onOwnerEnded
  #release = (payload) => {
    if (payload === native.threadNumber) return 0
    throw createCorrupt(this.#kind, 'this thread as the owner', payload)
  }

  // `onOwnerEnded` is called when this thread takes the word from a thread that was ended.
  constructor (kind, words, at, onOwnerEnded) {
    super(words, at)
    this.#kind = kind
    this.#onOwnerEnded = onOwnerEnded
  }

  get isOwn () { return this.payload === native.threadNumber }

  take (payload, isThorough) {
    if (payload === 0) return native.threadNumber
    if (!isThorough || native.isThreadAlive(payload)) return -1
    if (!native.wasThread(payload)) {
      throw createCorrupt(this.#kind, 'the number of a thread as the owner', payload)
    }
    return native.threadNumber
  }

  taken (before) {
    if (before !== 0) this.#onOwnerEnded()
  }

  // Throws if this thread is not the owner.
  release () {
    this.put(this.#release, 1)
  }
}

module.exports = { OwnedWord }
