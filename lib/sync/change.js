'use strict'

const { Attempt } = require('./attempt')

// Waits until a word is no longer what it was. Whoever changes it notifies.
class Change extends Attempt {
  constructor (words, index, expected) {
    super(words)
    this.index = index
    this.expected = expected
  }

  look () {
    return Atomics.load(this.words, this.index) !== this.expected
  }

  leave () {
    if (this.look()) Atomics.notify(this.words, this.index, 1)
  }
}

module.exports = { Change }
