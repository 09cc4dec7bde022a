'use strict'

// In a worker: what was printed, on its way to the main thread.
//
// A result must not overtake it: the process may end as soon as the last result is there.
// Output travels by messages: one at a time for each stream, the next, with all that was
// printed meanwhile, when the main thread has read the last. Whether a message is out is
// seen where the stream sends it, below its methods: a task may have replaced write(), which
// then calls nobody back, or have ended or destroyed the stream, which takes no more writes.

const { Object, Promise, process } = require('../base/globals')

class Output {
  // What writableLength reads. hasOutput() asks after each task, and the getter takes longer.
  state
  #name
  #stream
  #isSending = false
  #waiting = []

  constructor (name) {
    const stream = process[name]
    this.#name = name
    this.#stream = stream
    this.state = stream._writableState ?? { length: 0 }
    const send = stream._writev
    if (typeof send !== 'function') return // not Node's
    stream._writev = (chunks, callback) => {
      this.#isSending = true
      send.call(stream, chunks, (error) => this.#sent(callback, error))
    }
    if (stream.writableLength === 0) return
    // A file of --require or --import has printed: what follows tells of that too.
    this.#isSending = true
    stream.write('')
  }

  // Resolves when all that was printed so far has been read, or cannot be sent any more.
  // Null: there is nothing to wait for.
  flush () {
    this.#uncork()
    if (!this.#isSending) return null
    this.#keepReachable()
    // The message under way, then the one with the rest.
    return new Promise((resolve) => this.#waiting.push({ messages: 2, resolve }))
  }

  #sent (callback, error) {
    this.#isSending = false
    try {
      callback(error) // sends what was printed meanwhile
    } finally {
      if (this.#waiting.length > 0) this.#tell()
    }
  }

  #tell () {
    this.#uncork()
    this.#waiting = this.#waiting.filter((waiting) => {
      if (--waiting.messages > 0 && this.#isSending) return true
      waiting.resolve()
      return false
    })
  }

  // Node says that a message was read by calling a method of process.stdout, and a task may
  // have put something else there, which would end the worker.
  #keepReachable () {
    const stream = this.#stream
    try {
      const current = process[this.#name]
      for (const method of Object.getOwnPropertySymbols(Object.getPrototypeOf(stream))) {
        if (method in current) continue
        const value = (...args) => stream[method](...args)
        Object.defineProperty(current, method, { __proto__: null, configurable: true, value })
      }
    } catch {} // no object, or one that cannot be changed
  }

  // A stream that a task has corked, and left so, holds back what is printed.
  #uncork () {
    const stream = this.#stream
    if (stream.writableCorked === 0) return
    const { uncork } = require('node:stream').Writable.prototype
    while (stream.writableCorked > 0) uncork.call(stream)
  }
}

const out = new Output('stdout')
const error = new Output('stderr')
const outState = out.state
const errorState = error.state

function hasOutput () {
  return outState.length > 0 || errorState.length > 0
}

// A promise, or null, as Output#flush().
function flushOutput () {
  const pending = [out.flush(), error.flush()].filter((flushed) => flushed !== null)
  return pending.length === 0 ? null : Promise.all(pending)
}

module.exports = { flushOutput, hasOutput }
