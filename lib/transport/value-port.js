'use strict'

// One end of the port between a worker and its owner, by which values go that do not lie in a slot.
// Slots refer to them by number. The numbers of one direction follow each other: a value that the
// platform cannot deserialize here has its number by its place, and spoils no other.

const { receiveMessageOnPort } = require('node:worker_threads')
const { createError } = require('../base/errors')

// What came in place of a value.
class Unreadable {
  message
  error

  constructor (message, error) {
    this.message = message
    this.error = error
  }
}

class ValuePort {
  #port
  #lastSent = 0
  #lastReceived = 0

  constructor (port) {
    this.#port = port
  }

  // Sends a value, as pack() gives it; the number of its message. That is taken when the value has been written: an
  // accessor in it may send others. What cannot be sent takes none.
  send (content, transferList) {
    const take = () => (this.#lastSent = (this.#lastSent + 1) | 0)
    let number = null
    try {
      this.#port.postMessage({ ...content, get message () { return (number = take()) } }, transferList)
    } catch (error) {
      if (number !== null) this.#lastSent = (number - 1) | 0
      throw error
    }
    return number
  }

  // The next message, an Unreadable, or undefined: there is none.
  receive () {
    let received
    try {
      received = receiveMessageOnPort(this.#port)
    } catch (error) {
      this.#lastReceived = (this.#lastReceived + 1) | 0
      return new Unreadable(this.#lastReceived, createError('ERR_TELAR_UNREADABLE_VALUE', error))
    }
    if (received === undefined) return undefined
    this.#lastReceived = received.message.message
    return received.message
  }

  close () {
    this.#port.close()
  }
}

module.exports = { Unreadable, ValuePort }
