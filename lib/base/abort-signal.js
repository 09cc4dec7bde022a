'use strict'

// The only place that listens to abort signals: AbortSignals and any emitter of 'abort'.
//
// Each signal gets one listener, which serves all callbacks. A thousand tasks may share a
// signal. With a listener for each of them the signal would warn of a leak, and it would search
// through all of them to remove one.
//
// The members of a signal may be user code. listen() throws what they throw; everywhere else
// that is an uncaught exception.

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
    // Last: a signal that threw has no listener.
    if (!this.#isOver) listening.set(signal, this)
  }

  add (callback) {
    this.#callbacks.add(callback)
  }

  // Does nothing for a callback that is no longer there.
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

  // From now on a call of listen() for this signal makes a new listener.
  #end () {
    this.#isOver = true
    if (listening.get(this.#signal) === this) listening.delete(this.#signal)
  }
}

// Calls `callback()` once, when the signal fires, unless remove(callback) of the returned object
// is called first. Throws what the signal throws. The caller checks beforehand whether the signal
// has fired already.
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

// Why the signal fired; undefined for an emitter. Never throws.
function reasonOf (signal) {
  try {
    return memberOf(signal, 'reason')
  } catch (error) {
    return error
  }
}

module.exports = { isAbortSignal, listen, reasonOf }
