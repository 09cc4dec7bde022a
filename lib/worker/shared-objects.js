'use strict'

// In a worker: what values need that have objects inside which threads share. This file is loaded
// with the first of them.

require('../shared-classes') // of some of them no code of this thread has required the class
const { Map } = require('../base/globals')
const { SharedLine, kWorker } = require('../transport/shared-line')
const registry = require('../shared/registry')

class SharedObjects {
  revive = registry.revive
  #line = null // to the owner, made with the first message on it
  #startup

  constructor (startup) {
    this.#startup = startup
  }

  // Handles a message on the line to the owner.
  handle (message) { this.#getLine().handle(message) }

  #getLine () {
    const { port, counts } = this.#startup.line
    this.#line ??= new SharedLine(port, counts, kWorker, { __proto__: null, isListening: true })
    return this.#line
  }

  // Called for the first value with an object that threads share.
  openNames () {
    const { WorkerNames } = require('../transport/shared-names')
    const { slots, index } = this.#startup
    return new WorkerNames(slots, new Map([[index, this.#getLine()]]), index)
  }
}

module.exports = { SharedObjects }
