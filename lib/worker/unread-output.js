'use strict'

// In a worker: the tasks that have ended, and whose output has not been read yet. Their results
// wait for that (output.js). But an owner that is blocked by runSync() reads no output until it has
// the results, so then they do not wait. This file is loaded with the first task that has printed
// something.

const { Set } = require('../base/globals')
const { TaskWords } = require('../transport/task-words')
const { flushOutput, pushOutput } = require('./output')

class UnreadOutput {
  #held = new Set() // lists of slots
  #words
  #complete

  // complete(slots): the results of these slots need not wait any more.
  constructor ({ taskWords }, complete) {
    this.#words = new TaskWords(taskWords)
    this.#complete = complete
  }

  // False: there is nothing to wait for.
  hold (slots) {
    if (this.#words.isOwnerBlocked) {
      pushOutput()
      return false
    }
    const flushed = flushOutput()
    if (flushed === null) return false
    this.#held.add(slots)
    flushed.then(() => this.#release(slots))
    return true
  }

  // To be called when the owner may have blocked its event loop.
  check () {
    if (this.#held.size === 0 || !this.#words.isOwnerBlocked) return
    pushOutput()
    for (const slots of [...this.#held]) this.#release(slots)
  }

  #release (slots) {
    if (this.#held.delete(slots)) this.#complete(slots)
  }
}

module.exports = { UnreadOutput }
