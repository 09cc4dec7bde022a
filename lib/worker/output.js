'use strict'

// In a worker: waits until what a task has printed has reached the main thread.
//
// A result must not overtake the output of its task: the process may end as soon as the last result
// is there. Output is sent in messages, one at a time for each stream. When the main thread has
// read a message, the stream sends the next one, with all that was printed meanwhile. This class
// sees the messages by replacing _writev(), below the public methods: a task may have replaced
// write(), which then never calls back, or have ended or destroyed the stream, which then takes no
// more writes.

const { Object, Promise, process } = require('../base/globals')

class Output {
  // The object that the getter writableLength reads. hasOutput() runs after each task, and reading
  // this object directly is faster.
  state
  #name
  #stream
  #isSending = false
  #endSending = null
  #waiting = []

  constructor (name) {
    const stream = process[name]
    this.#name = name
    this.#stream = stream
    this.state = stream._writableState ?? { length: 0 }
    const send = stream._writev
    if (typeof send !== 'function') return // not a stream of Node
    stream._writev = (chunks, callback) => {
      this.#isSending = true
      const end = (error) => {
        if (this.#endSending !== end) return // push() has called it
        this.#endSending = null
        this.#sent(callback, error)
      }
      this.#endSending = end
      send.call(stream, chunks, end)
    }
    if (stream.writableLength === 0) return
    // A file of --require or --import has printed something. The callback of this empty write comes
    // after that output too.
    this.#isSending = true
    stream.write('')
  }

  // A promise that resolves when all that was printed so far has been read, or can no longer be
  // sent. Null: there is nothing to wait for.
  flush () {
    this.#uncork()
    if (!this.#isSending) return null
    this.#keepMethods()
    // The message that is being sent, then the one with the rest.
    return new Promise((resolve) => this.#waiting.push({ messages: 2, resolve }))
  }

  // Sends all that was printed so far, without waiting until it is read: the main thread gets what
  // was sent also if this thread is ended.
  push () {
    this.#uncork()
    while (this.#endSending !== null) this.#endSending()
  }

  #sent (callback, error) {
    this.#isSending = false
    try {
      callback(error) // sends what was printed meanwhile
    } finally {
      if (this.#waiting.length > 0) this.#countMessage()
    }
  }

  #countMessage () {
    this.#uncork()
    this.#waiting = this.#waiting.filter((waiting) => {
      if (--waiting.messages > 0 && this.#isSending) return true
      waiting.resolve()
      return false
    })
  }

  // When a message was read, Node calls a method of process.stdout or process.stderr whose key is a
  // symbol. A task may have put another object there; without that method the worker would end. So
  // the object gets the methods of the stream.
  #keepMethods () {
    const stream = this.#stream
    try {
      const current = process[this.#name]
      for (const method of Object.getOwnPropertySymbols(Object.getPrototypeOf(stream))) {
        if (method in current) continue
        const value = (...args) => stream[method](...args)
        Object.defineProperty(current, method, { __proto__: null, configurable: true, value })
      }
    } catch {} // not an object, or one that cannot be changed
  }

  // A stream that a task has corked and not uncorked holds back the output.
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

// Flushes both streams. A promise or null, like Output#flush().
function flushOutput () {
  const pending = [out.flush(), error.flush()].filter((flushed) => flushed !== null)
  return pending.length === 0 ? null : Promise.all(pending)
}

function pushOutput () {
  out.push()
  error.push()
}

module.exports = { flushOutput, hasOutput, pushOutput }
