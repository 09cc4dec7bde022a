'use strict'

// One end of the message channel between a worker and its owner. It carries the values that are not
// in a slot; the slot has the number of the message. In each direction the numbers are consecutive.
// So the number of a message that cannot be deserialized is known too, and later ones stay right.

const { Array, process } = require('../base/globals')
const { receiveMessageOnPort } = require('node:worker_threads')
const { createError } = require('../base/errors')
const { own } = require('../base/own')

// What postMessage() returns while a port is open. Bun's never says whether it is.
const kIfOpen = own(process.versions, 'bun') === undefined ? true : undefined

// Takes the place of a message that could not be deserialized.
class Unreadable {
  message
  dropped = undefined
  error
  note = 0

  constructor (message, error) {
    this.message = message
    this.error = error
  }
}

// A note that came in a small message (note.js).
class Note {
  note // its number, never 0
  slot
  value
  isEncoded

  constructor (message) {
    this.note = message[0]
    this.slot = message[1]
    this.value = message[2]
    this.isEncoded = message[3]
  }
}

class ValuePort {
  #port
  #lastSent = 0
  #lastReceived = 0

  constructor (port) {
    this.#port = port
  }

  // Sends a message that pack() made, and returns its number. One that cannot be sent takes none.
  send (content, transferList) {
    if (content.packet === undefined) return this.#sendCloned(content, transferList)
    const number = content.message = (this.#lastSent + 1) | 0
    this.#port.postMessage(content, transferList)
    this.#lastSent = number
    return number
  }

  // A getter takes the number after the value has been cloned, because an accessor in the value may
  // send other messages.
  #sendCloned (content, transferList) {
    const take = () => (this.#lastSent = (this.#lastSent + 1) | 0)
    let number = null
    try {
      const numbered = { ...content, get message () { return (number = take()) } }
      this.#port.postMessage(numbered, transferList)
    } catch (error) {
      if (number !== null) this.#lastSent = (number - 1) | 0
      throw error
    }
    return number
  }

  // Sends a small message, which takes no number: an array, which the receiver gets as a Note.
  // Returns whether the port is open. It closes when its other side has ended and everything that
  // came before was received.
  post (message) { return this.#port.postMessage(message) === kIfOpen }

  // The next message, a Note, or an Unreadable. Undefined: there is none. What has a `note` other
  // than 0 belongs to no slot.
  receive () {
    let received
    try {
      received = receiveMessageOnPort(this.#port)
    } catch (error) {
      this.#lastReceived = (this.#lastReceived + 1) | 0
      return new Unreadable(this.#lastReceived, createError('ERR_TELAR_UNREADABLE_VALUE', error))
    }
    if (received === undefined) return undefined
    const { message } = received
    if (Array.isArray(message)) return new Note(message)
    this.#lastReceived = message.message
    return message
  }

  close () {
    this.#port.close()
  }
}

module.exports = { Note, Unreadable, ValuePort }
