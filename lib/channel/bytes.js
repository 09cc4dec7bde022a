'use strict'

// Reservations and claims: bytes that users write or read in place. `bytes` is a view on the ring
// itself, and a user who keeps it can still access that memory afterwards. This cannot break the
// ring, but it can change the bytes of other records. An open reservation or claim refers to its
// Channel: if the Channel were collected, its end would be detached, and the bytes given back.

const { Number, Symbol, Uint8Array } = require('../base/globals')
const { describe } = require('../base/describe')
const { createError } = require('../base/errors')

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

// A reservation for which a channel that drops the newest records has no room. The bytes are
// outside the channel. They are sent when they are committed, if there is room by then.
class LateReservation extends Reservation {
  constructor (writer, channel, length) {
    const bytes = new Uint8Array(length)
    const lateWriter = {
      commitBytes: (_, used) => writer.commitLate(bytes.subarray(0, used)),
      discard: () => {}
    }
    super(lateWriter, channel, null, bytes)
  }
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

module.exports = { Claim, LateReservation, Reservation }
