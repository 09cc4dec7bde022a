'use strict'

// The signal of a call that lasts: map(), runMany(), stream().

const { listen, reasonOf } = require('../../base/abort-signal')
const { AbortError } = require('../../base/errors')
const { memberOf } = require('../../base/own')

class Signal {
  #signal
  #onAbort
  #fire = () => this.#onAbort(new AbortError(reasonOf(this.#signal)))
  #listeners = null

  // `signal`: may be null. onAbort(error): called once, with the error to reject the call with.
  constructor (signal, onAbort) {
    this.#signal = signal
    this.#onAbort = onAbort
  }

  // False: the call is over, and onAbort() was called.
  begin () {
    const signal = this.#signal
    if (signal === null) return true
    try {
      if (!memberOf(signal, 'aborted')) {
        this.#listeners = listen(signal, this.#fire)
        return true
      }
      this.#fire()
    } catch (error) { // thrown by a member of the signal
      this.#onAbort(error)
    }
    return false
  }

  end () {
    this.#listeners?.remove(this.#fire)
    this.#listeners = null
  }
}

module.exports = { Signal }
