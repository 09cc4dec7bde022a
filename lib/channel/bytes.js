'use strict'

// Bytes in place. The views that these give out look at the ring itself, and cannot be
// taken back from who keeps one: the ring is safe from that, the bytes are not. While one is
// open it refers to its Channel, the end of which would else be given up with it.

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
      throw createError('ERR_TELAR_INVALID_ARGUMENT', `used must be an integer from 0 to ${length}, the bytes reserved; received ${describe(used)}`)
    }
    this.#bytes = this.#channel = null
    this.#writer.commitBytes(this.#ticket, used)
  }

  // Nothing is sent.
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

  // The room is given back.
  release () {
    if (this.#bytes === null) return
    this.#bytes = this.#channel = null
    this.#reader.release(this.#ticket)
  }

  [Symbol.dispose] () { this.release() }
}

module.exports = { Claim, Reservation }
