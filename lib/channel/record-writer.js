'use strict'

// Values into a ring. Each call answers at once, with a status of C's.

const { ArrayBuffer, Buffer, Int32Array, Math } = require('../base/globals')
const { types } = require('node:util')
const native = require('../base/native')
const { createError } = require('../base/errors')
const { Reservation } = require('./bytes')
const { Packet, kBytesRecord, kHeaderBytes, kNamedRecord, kNumberMask, putHeader } = require('./record')
const { RingValues } = require('./ring-values')
const { scratch, values } = require('./scratch')
const { constants, info, kWake, runs } = require('./thread')
const { Values, kScratchBytes } = require('./values')

const { OK, TOO_LARGE, kBatch, kOffset, kTicket } = constants

// Bytes of this size and more are written in place: one copy less.
const kInPlaceBytes = 8 * 1024
// What the codec adds to bytes, at most.
const kOverheadBytes = 32
// Not more at a time, so that a receiver has something to do soon.
const kBatchBytes = 16 * 1024

// Instead of a status: by another way.
const kElsewhere = -1

let lastNumber = 0

class RecordWriter {
  // Of the last pushMany() or reserve().
  status = OK
  // Bytes of what was tried last: a record, or the first of many.
  spent = 0
  #ring
  #inPlace = null

  constructor (ring) {
    this.#ring = ring
  }

  // Sends a value. Throws DataCloneError, RECORD_TOO_LARGE, or what an accessor of the value throws.
  push (value) {
    if (values.isBusy) return this.pushPacket(this.pack(value))
    if (typeof value === 'object' && value !== null && isLarge(value)) {
      const status = this.#pushInPlace(value)
      if (status !== kElsewhere) return status
    }
    this.#encode(value)
    const status = this.#ring.core.send(scratch.start, this.spent)
    if (info[kWake] !== 0) this.#ring.wake()
    return status
  }

  // What push() could not send, to be sent later as it is now.
  keep (value) {
    return scratch.isFilled ? scratch.copy() : this.pack(value)
  }

  // A value as a record by itself.
  pack (value) {
    if (values.isBusy) return this.#packApart(value)
    this.#encode(value)
    return scratch.copy()
  }

  pushPacket (packet) {
    this.spent = packet.bytes.length
    const status = this.#ring.core.sendBytes(packet.bytes)
    if (info[kWake] !== 0) this.#ring.wake()
    return status
  }

  // Sends bytes as they are, a record that can be read in place.
  pushBytes (bytes) {
    this.spent = bytes.length + kHeaderBytes
    if (this.spent > this.#ring.maxRecord) throw this.#tooLarge(this.spent)
    const status = this.#ring.core.sendWithHeader(kBytesRecord, bytes)
    if (info[kWake] !== 0) this.#ring.wake()
    return status
  }

  // Sends list[from] and as many of those behind it as go at once. How many; if none, `status` says why.
  pushMany (list, from) {
    const count = values.isBusy ? 0 : this.#collect(list, from)
    if (count === 0) {
      this.status = this.push(list[from])
      return this.status === OK ? 1 : 0
    }
    const sent = this.#ring.core.sendMany(scratch.runCount)
    if (info[kWake] !== 0) this.#ring.wake()
    this.status = sent >= 0 ? OK : -sent
    if (sent < 0) this.spent = runs[1]
    if (this.status === TOO_LARGE) throw this.#tooLarge(this.spent)
    return sent >= 0 ? sent : 0
  }

  // Encodes a batch. What goes another way, or cannot be sent, ends it; as its first it is none. Behind the first one an
  // ArrayBuffer is not asked for, which is a call into C++ for each object: a large one is copied once more.
  #collect (list, from) {
    const most = Math.min(list.length - from, kBatch)
    let at = 0
    let count = 0
    scratch.begin()
    values.limitTo(this.#ring.maxRecord)
    try {
      while (count < most && at < kBatchBytes) {
        const value = list[from + count]
        if (typeof value === 'object' && value !== null && (count === 0 ? isLarge(value) : isLargeView(value))) break
        const next = scratch.append(value, at)
        if (next < 0) break
        at = next
        count++
      }
    } catch (error) {
      if (count === 0) throw error
    }
    this.spent = at
    return count
  }

  // A Reservation of so many bytes, or null and a status.
  reserve (length) {
    const ring = this.#ring
    if (length + kHeaderBytes > ring.maxRecord) throw this.#tooLarge(length + kHeaderBytes)
    this.spent = length + kHeaderBytes
    this.status = ring.core.reserve(this.spent)
    const offset = info[kOffset]
    const ticket = info[kTicket]
    if (info[kWake] !== 0) ring.wake()
    if (this.status !== OK) return null
    putHeader(ring.words, offset >>> 2, kBytesRecord, 0, 0)
    return new Reservation(this, ring.channel, ticket, ring.bytes.subarray(offset + kHeaderBytes, offset + kHeaderBytes + length))
  }

  commit (ticket, used) {
    const status = this.#ring.core.commit(ticket, used)
    if (info[kWake] !== 0) this.#ring.wake()
    return status
  }

  commitBytes (ticket, used) {
    // detach() has given it back.
    if (!this.#ring.isAttached) throw createError('ERR_TELAR_DISPOSED', 'reservation')
    const status = this.commit(ticket, used + kHeaderBytes)
    if (status !== OK) throw this.#ring.failure(status)
  }

  discard (ticket) {
    this.#ring.core.discard(ticket)
    if (info[kWake] !== 0) this.#ring.wake()
  }

  #encode (value) {
    values.limitTo(this.#ring.maxRecord)
    scratch.encode(value)
    if (scratch.named !== null) scratch.putHeader(this.#announce(scratch.named), native.threadNumber)
    this.spent = scratch.length
    if (this.spent > this.#ring.maxRecord) throw this.#tooLarge(this.spent)
  }

  // An accessor of a value that is in the scratch sends something itself.
  #packApart (value) {
    const apart = new Values(kScratchBytes)
    apart.limitTo(this.#ring.maxRecord)
    const length = apart.encode(value, kHeaderBytes)
    if (apart.named === null) return this.#checked(new Packet(apart.memory.bytes.slice(kHeaderBytes, kHeaderBytes + length)))
    const bytes = apart.memory.bytes.slice(0, kHeaderBytes + length)
    putHeader(new Int32Array(bytes.buffer, 0, 2), 0, kNamedRecord, this.#announce(apart.named), native.threadNumber)
    return this.#checked(new Packet(bytes))
  }

  #checked (packet) {
    if (packet.bytes.length > this.#ring.maxRecord) throw this.#tooLarge(packet.bytes.length)
    return packet
  }

  // The number of a record that names memory.
  #announce (named) {
    lastNumber = (lastNumber + 1) & kNumberMask
    this.#ring.announcements.announce(`${native.threadNumber}:${lastNumber}`, named)
    return lastNumber
  }

  #pushInPlace (value) {
    const { core, maxRecord } = this.#ring
    scratch.begin()
    const whole = ArrayBuffer.isView(value) && !Buffer.isBuffer(value) ? value.buffer : value
    const most = whole.byteLength + kOverheadBytes
    if (most > maxRecord) return kElsewhere // the codec knows how large exactly
    this.spent = most
    const status = core.reserve(most)
    const offset = info[kOffset]
    const ticket = info[kTicket]
    if (info[kWake] !== 0) this.#ring.wake()
    if (status !== OK) return status
    let length = -1
    try {
      length = (this.#inPlace ??= new RingValues(this.#ring.bytes)).encode(value, offset, most)
    } finally {
      if (length < 0) this.discard(ticket)
    }
    this.spent = length
    return length < 0 ? kElsewhere : this.commit(ticket, length)
  }

  #tooLarge (bytes) {
    return createError('ERR_TELAR_RECORD_TOO_LARGE', bytes, this.#ring.maxRecord)
  }
}

function isLargeView (value) {
  return ArrayBuffer.isView(value) && value.byteLength >= kInPlaceBytes && !types.isSharedArrayBuffer(value.buffer)
}

function isLarge (value) {
  return isLargeView(value) || (types.isArrayBuffer(value) && value.byteLength >= kInPlaceBytes)
}

module.exports = { RecordWriter }
