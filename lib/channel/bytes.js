'use strict'

// Reservations and claims: bytes that users write or read in place. `bytes` is a view on the ring
// itself, and a user who keeps it can still access that memory afterwards. This cannot break the
// ring, but it can change the bytes of other records. An open reservation or claim refers to its
// Channel: if the Channel were collected, its end would be detached, and the bytes given back.

const { Number, Symbol } = require('../base/globals')
const { createError, describe } = require('../base/errors')

class Reservation {
  #writer
  #channel
  #ticket
  #bytes

  constructor (writer, channel, ticket, bytes) {
    this.#writer = writer
    this.#channel = channel
    this.#ticket = ticket
    this.#bytes = bytes
  }

  get bytes () {
    if (this.#bytes === null) throw createError('ERR_TELAR_DISPOSED', 'reservation')
    return this.#bytes
  }

  // Sends the first `used` bytes.
  commit (used = this.bytes.length) {
    const { length } = this.bytes
    if (!Number.isInteger(used) || used < 0 || used > length) {
      throw createError('ERR_TELAR_INVALID_ARGUMENT',
        `used must be an integer from 0 to ${length}, the number of bytes reserved; received ` +
        describe(used))
    }
    this.#bytes = this.#channel = null
    this.#writer.commitBytes(this.#ticket, used)
  }

  // Gives the room back without sending anything.
  discard () {
    if (this.#bytes === null) return
    this.#bytes = this.#channel = null
    this.#writer.discard(this.#ticket)
  }

  [Symbol.dispose] () { this.discard() }
}

class Claim {
  #reader
  #channel
  #ticket
  #bytes

  constructor (reader, channel, ticket, bytes) {
    this.#reader = reader
    this.#channel = channel
    this.#ticket = ticket
    this.#bytes = bytes
  }

  get bytes () {
    if (this.#bytes === null) throw createError('ERR_TELAR_DISPOSED', 'claim')
    return this.#bytes
  }

  // Gives the room of the record back.
  release () {
    if (this.#bytes === null) return
    this.#bytes = this.#channel = null
    this.#reader.release(this.#ticket)
  }

  [Symbol.dispose] () { this.release() }
}

module.exports = { Claim, Reservation }
