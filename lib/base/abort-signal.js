'use strict'

// The one place that listens on abort signals: AbortSignals and any emitter of 'abort'.
//
// One listener of a signal serves all who wait for it here. A thousand tasks may share a
// signal, which would warn of a leak for so many listeners, and search through all of them
// to take one away.
//
// The members of a signal may be the caller's code. What they throw comes out of
// listen(), and is an uncaught exception everywhere else.

const { Set, WeakMap } = require('./globals')
const { memberOf } = require('./own')
const { throwLater } = require('./uncaught')

const listening = new WeakMap() // signal to its AbortListeners

class AbortListeners {
  #signal
  #callbacks = new Set()
  #isOver = false
  #onAbort = () => this.#fire()

  // Throws what the signal throws.
  constructor (signal, callback) {
    this.#signal = signal
    this.#callbacks.add(callback)
    if (typeof signal.addEventListener === 'function') {
      signal.addEventListener('abort', this.#onAbort, { __proto__: null, once: true })
    } else {
      signal.once('abort', this.#onAbort)
    }
    // Not before: a signal that threw is not listened to.
    if (!this.#isOver) listening.set(signal, this)
  }

  add (callback) {
    this.#callbacks.add(callback)
  }

  // Nothing happens for one that is not there any more.
  remove (callback) {
    if (!this.#callbacks.delete(callback) || this.#callbacks.size > 0 || this.#isOver) return
    this.#end()
    try {
      const signal = this.#signal
      if (typeof signal.addEventListener === 'function') {
        signal.removeEventListener('abort', this.#onAbort)
      } else {
        signal.off('abort', this.#onAbort)
      }
    } catch (error) {
      throwLater(error)
    }
  }

  #fire () {
    this.#end()
    for (const callback of this.#callbacks) {
      try {
        callback()
      } catch (error) {
        throwLater(error)
      }
    }
  }

  // Whoever listens to this signal from now on needs a new listener.
  #end () {
    this.#isOver = true
    if (listening.get(this.#signal) === this) listening.delete(this.#signal)
  }
}

// `callback()` is called once, when the signal fires, unless the answer's
// remove(callback) comes first. Throws what the signal throws. Whether it has fired
// already is for the caller to look at.
function listen (signal, callback) {
  const listeners = listening.get(signal)
  if (listeners === undefined) return new AbortListeners(signal, callback)
  listeners.add(callback)
  return listeners
}

function isAbortSignal (value) {
  return typeof value === 'object' && value !== null &&
    (typeof value.addEventListener === 'function' || typeof value.once === 'function')
}

// Why it fired: undefined for an emitter. Never throws.
function reasonOf (signal) {
  try {
    return memberOf(signal, 'reason')
  } catch (error) {
    return error
  }
}

module.exports = { isAbortSignal, listen, reasonOf }
