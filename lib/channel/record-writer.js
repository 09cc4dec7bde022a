'use strict'

// Encodes values and puts them into a ring. No call sleeps; most return a status of C.

const { ArrayBuffer, Buffer, Int32Array, Math } = require('../base/globals')
const { types } = require('node:util')
const native = require('../base/native')
const { createError } = require('../base/errors')
const { LateReservation, Reservation } = require('./bytes')
const {
  Packet, kBytesRecord, kHeaderBytes, kNamedRecord, kNumberMask, putHeader
} = require('./record')
const { RingValues } = require('./ring-values')
const { scratch, values } = require('./scratch')
const { constants, info, kWake, runs } = require('./thread')
const { Values, kScratchBytes } = require('./values')

const { AGAIN, DROPPED, FULL, OK, TOO_LARGE, kBatch, kDropped, kOffset, kTicket } = constants

// Views and ArrayBuffers of this size and more are encoded in place, which saves a copy.
const kInPlaceBytes = 8 * 1024
// The codec adds at most this many bytes to a view or an ArrayBuffer.
const kMaxOverheadBytes = 32
// A batch is sent when it has this many bytes, so that a receiver can begin early.
const kBatchBytes = 16 * 1024

// Returned instead of a status: the value has not been encoded, and has to go through the scratch
// buffer.
const kUseScratch = -1

let lastNumber = 0

class RecordWriter {
  // The status of the last pushMany() or reserve().
  status = OK
  // The length of the record that was tried last, in bytes. After pushMany(): of the batch, or of
  // its first record if nothing was sent.
  lastBytes = 0
  // How many values pushMany() has dropped, since there was no room for them.
  dropped = 0
  #ring
  #inPlace = null

  constructor (ring) {
    this.#ring = ring
  }

  // Sends a value. Throws a DataCloneError, ERR_TELAR_RECORD_TOO_LARGE, or what an accessor of the
  // value throws.
  push (value) {
    if (values.isBusy) return this.pushPacket(this.pack(value))
    if (typeof value === 'object' && value !== null && isLarge(value)) {
      const status = this.#pushInPlace(value)
      if (status !== kUseScratch) return status
    }
    this.#encode(value)
    const status = this.#ring.core.send(scratch.start, this.lastBytes)
    if (info[kWake] !== 0) this.#ring.wake()
    if (status === DROPPED && scratch.named !== null) this.#forget(native.threadNumber, lastNumber)
    return status
  }

  // Returns the value that push() could not send as a Packet, so that later changes of the value do
  // not count.
  keep (value) {
    return scratch.isFilled ? scratch.copy() : this.pack(value)
  }

  // Encodes a value as a Packet.
  pack (value) {
    if (values.isBusy) return this.#packApart(value)
    this.#encode(value)
    return scratch.copy()
  }

  pushPacket (packet) {
    this.lastBytes = packet.bytes.length
    const status = this.#ring.core.sendBytes(packet.bytes)
    if (info[kWake] !== 0) this.#ring.wake()
    if (status === DROPPED && packet.kind === kNamedRecord) {
      this.#forget(packet.thread, packet.number)
    }
    return status
  }

  // Sends bytes as a record that a receiver can read in place.
  pushBytes (bytes) {
    this.lastBytes = bytes.length + kHeaderBytes
    this.#checkLength(this.lastBytes)
    const status = this.#ring.core.sendWithHeader(kBytesRecord, bytes)
    if (info[kWake] !== 0) this.#ring.wake()
    return status
  }

  // Sends list[from] and as many of the next values as fit into one batch. Returns how many were
  // sent or dropped. If none were, `status` says why.
  pushMany (list, from) {
    const count = values.isBusy ? 0 : this.#collect(list, from)
    if (count === 0) return this.#pushFirst(list[from])
    const sent = this.#ring.core.sendMany(scratch.runCount)
    if (this.#ring.dropsNewest) this.dropped += info[kDropped]
    if (info[kWake] !== 0) this.#ring.wake()
    this.status = sent >= 0 ? OK : -sent
    if (sent < 0) this.lastBytes = runs[1]
    if (this.status === TOO_LARGE) throw this.#tooLarge(this.lastBytes)
    return sent >= 0 ? sent : 0
  }

  #pushFirst (value) {
    this.status = this.push(value)
    if (this.status === DROPPED) {
      this.status = OK
      this.dropped++
    }
    return this.status === OK ? 1 : 0
  }

  // Encodes a batch into the scratch buffer and returns how many values it has. A value that has to
  // be sent in another way, or that cannot be sent, ends the batch; the batch is empty if that is
  // the first one. Only the first value is checked for being a large ArrayBuffer, because the check
  // is a call into C++ for each object. Later large ArrayBuffers are copied once more.
  #collect (list, from) {
    const maxCount = Math.min(list.length - from, kBatch)
    let at = 0
    let count = 0
    scratch.begin()
    values.limitTo(this.#ring.maxRecord)
    try {
      while (count < maxCount && at < kBatchBytes) {
        const value = list[from + count]
        if (typeof value === 'object' && value !== null) {
          if (count === 0 ? isLarge(value) : isLargeView(value)) break
        }
        const next = scratch.append(value, at)
        if (next < 0) break
        at = next
        count++
      }
    } catch (error) {
      if (count === 0) throw error
    }
    this.lastBytes = at
    return count
  }

  // Returns a Reservation of so many bytes, or null; then `status` says why.
  reserve (length) {
    const ring = this.#ring
    this.lastBytes = length + kHeaderBytes
    this.#checkLength(this.lastBytes)
    this.status = ring.core.reserve(this.lastBytes)
    const offset = info[kOffset]
    const ticket = info[kTicket]
    if (info[kWake] !== 0) ring.wake()
    if (this.status !== OK) return null
    putHeader(ring.words, offset >>> 2, kBytesRecord, 0, 0)
    const bytes = ring.bytes.subarray(offset + kHeaderBytes, offset + kHeaderBytes + length)
    return new Reservation(this, ring.channel, ticket, bytes)
  }

  // The same in a channel that drops what it has no room for: without room, the bytes are written
  // elsewhere at first.
  reserveOrDrop (length) {
    const reservation = this.reserve(length)
    if (!isFull(this.status) || !this.#ring.dropsNewest) return reservation
    this.status = OK
    return new LateReservation(this, this.#ring.channel, length)
  }

  commit (ticket, used) {
    const status = this.#ring.core.commit(ticket, used)
    if (info[kWake] !== 0) this.#ring.wake()
    return status
  }

  commitBytes (ticket, used) {
    this.#checkAttached()
    const status = this.commit(ticket, used + kHeaderBytes)
    if (status !== OK) throw this.#ring.failure(status)
  }

  commitLate (bytes) {
    this.#checkAttached()
    const status = this.pushBytes(bytes)
    if (status !== OK && status !== DROPPED) throw this.#ring.failure(status)
  }

  // detach() has given the reservations back.
  #checkAttached () {
    if (!this.#ring.isAttached) throw createError('ERR_TELAR_DISPOSED', 'reservation')
  }

  discard (ticket) {
    this.#ring.core.discard(ticket)
    if (info[kWake] !== 0) this.#ring.wake()
  }

  #encode (value) {
    values.limitTo(this.#ring.maxRecord)
    scratch.encode(value)
    const { named } = scratch
    if (named !== null) scratch.putHeader(this.#announce(named), native.threadNumber)
    this.lastBytes = scratch.length
    this.#checkLength(this.lastBytes)
  }

  // Encodes in memory of its own: an accessor of the value that is being encoded into the scratch
  // buffer sends another value.
  #packApart (value) {
    const apart = new Values(kScratchBytes)
    apart.limitTo(this.#ring.maxRecord)
    const end = kHeaderBytes + apart.encode(value, kHeaderBytes)
    const { memory, named } = apart
    const bytes = memory.bytes.slice(named === null ? kHeaderBytes : 0, end)
    if (named !== null) {
      const header = new Int32Array(bytes.buffer, 0, 2)
      putHeader(header, 0, kNamedRecord, this.#announce(named), native.threadNumber)
    }
    this.#checkLength(bytes.length)
    return new Packet(bytes)
  }

  // Returns the number of a new record that names shared memory.
  #announce (named) {
    lastNumber = (lastNumber + 1) & kNumberMask
    this.#ring.announcements.announce(`${native.threadNumber}:${lastNumber}`, named)
    return lastNumber
  }

  // A record that was announced has been dropped.
  #forget (thread, number) {
    this.#ring.announcements.acknowledge(`${thread}:${number}`)
  }

  #pushInPlace (value) {
    const { core, maxRecord } = this.#ring
    scratch.begin()
    const whole = ArrayBuffer.isView(value) && !Buffer.isBuffer(value) ? value.buffer : value
    const maxLength = whole.byteLength + kMaxOverheadBytes
    if (maxLength > maxRecord) return kUseScratch // the codec finds the exact length
    this.lastBytes = maxLength
    const status = core.reserve(maxLength)
    const offset = info[kOffset]
    const ticket = info[kTicket]
    if (info[kWake] !== 0) this.#ring.wake()
    if (isFull(status) && this.#ring.dropsNewest) return kUseScratch // which drops and counts it
    if (status !== OK) return status
    let length = -1
    try {
      this.#inPlace ??= new RingValues(this.#ring.bytes)
      length = this.#inPlace.encode(value, offset, maxLength)
    } finally {
      if (length < 0) this.discard(ticket)
    }
    this.lastBytes = length
    return length < 0 ? kUseScratch : this.commit(ticket, length)
  }

  #checkLength (bytes) {
    if (bytes > this.#ring.maxRecord) throw this.#tooLarge(bytes)
  }

  #tooLarge (bytes) {
    return createError('ERR_TELAR_RECORD_TOO_LARGE', bytes, this.#ring.maxRecord)
  }
}

const isFull = (status) => status === FULL || status === AGAIN

function isLargeView (value) {
  return ArrayBuffer.isView(value) && value.byteLength >= kInPlaceBytes &&
    !types.isSharedArrayBuffer(value.buffer)
}

function isLarge (value) {
  return isLargeView(value) || (types.isArrayBuffer(value) && value.byteLength >= kInPlaceBytes)
}

module.exports = { RecordWriter }
