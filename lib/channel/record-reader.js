'use strict'

// Takes records out of a ring and decodes them. No call sleeps. Where a call takes `spin`, it polls
// for a record for so many nanoseconds.

const { Array, Math, Symbol } = require('../base/globals')
const { createError } = require('../base/errors')
const { Claim } = require('./bytes')
const { Packet, kBytesRecord, kHeaderBytes, kKindMask, kNamedRecord } = require('./record')
const { RingValues } = require('./ring-values')
const { scratch, values } = require('./scratch')
const { constants, info, kMissing, kWake, runs } = require('./thread')
const { MissingMemory, ValueMemory, alignRecord } = require('./values')

const { OK, TOO_LARGE, kBatch, kLength, kOffset, kTicket } = constants

// Returned by pull() if there is no value.
const kNothing = Symbol('nothing')

class RecordReader {
  // Why the last call returned nothing.
  status = OK
  // The approximate length of the last record or batch, in bytes.
  lastBytes = 0
  // If the status is kMissing: { id, length, thread }, the SharedArrayBuffer that this thread does
  // not know, and the number of the thread that sent the record.
  missing = null
  #ring
  #inPlace = null
  // Records that were taken from the ring and have not been delivered yet.
  #stash = []

  constructor (ring) {
    this.#ring = ring
  }

  get hasStash () { return this.#stash.length > 0 }

  // Returns the next value, or kNothing. Throws if the record cannot be decoded; the record is lost
  // then.
  pull (spin) {
    if (this.#stash.length > 0) return this.#decodeStash()
    // An accessor of a value calls this while the value is encoded into the scratch buffer.
    if (values.isBusy) return this.#pullInPlace()
    const length = this.#ring.core.receive(spin)
    if (info[kWake] !== 0) this.#ring.wake()
    if (length >= 0) {
      this.lastBytes = length
      return this.#decodeScratch(0, length)
    }
    if (length === -TOO_LARGE) return this.#pullInPlace()
    this.status = -length
    return kNothing
  }

  // Returns up to `max` values, or null.
  pullMany (max) {
    if (this.#stash.length > 0 || values.isBusy) return this.#pullOne()
    const count = this.#ring.core.receiveMany(Math.min(max, kBatch))
    if (info[kWake] !== 0) this.#ring.wake()
    if (count > 0) return this.#decodeMany(count)
    if (count === -TOO_LARGE) return this.#pullOne()
    this.status = -count
    return null
  }

  // Returns a Claim, or null. If the next record is a value, it is kept for pull(), and the call
  // throws.
  claim (spin) {
    if (this.#stash.length > 0) throw createError('ERR_TELAR_NOT_BYTES')
    if (!this.#take(spin)) return null
    const { bytes } = this.#ring
    const { offset, length, ticket } = this.#taken
    this.lastBytes = length
    if (this.#kindAt(offset) === kBytesRecord) {
      const content = bytes.subarray(offset + kHeaderBytes, offset + length)
      return new Claim(this, this.#ring.channel, ticket, content)
    }
    this.#stash.push(bytes.slice(offset, offset + length))
    this.release(ticket)
    throw createError('ERR_TELAR_NOT_BYTES')
  }

  release (ticket) {
    this.#ring.core.release(ticket)
    if (info[kWake] !== 0) this.#ring.wake()
  }

  // Drops the record whose SharedArrayBuffer no thread has any more.
  dropMissing () {
    this.#stash.shift()
    this.missing = null
  }

  #pullOne () {
    const value = this.pull(0)
    return value === kNothing ? null : [value]
  }

  // Decodes so many runs, which C has copied to the scratch buffer. Returns null if the first
  // record has to wait for shared memory.
  #decodeMany (count) {
    let total = 0
    for (let run = 0; run < count; run++) total += runs[2 * run]
    const list = new Array(total)
    const { words } = scratch
    let at = 0
    let taken = 0
    for (let run = 0; run < count; run++) {
      const length = runs[2 * run + 1]
      for (let left = runs[2 * run]; left > 0; left--) {
        if ((words[at >>> 2] & kKindMask) < kBytesRecord) {
          list[taken++] = scratch.decode(at, length)
        } else {
          const value = this.#decodeScratch(at, length)
          if (value === kNothing) {
            this.#stashRest(at, run, left, count)
            list.length = taken
            return taken === 0 ? null : list
          }
          list[taken++] = value
        }
        at += alignRecord(length)
      }
    }
    this.lastBytes = at
    return list
  }

  // A record has to wait for shared memory. The records after it have been taken from the ring, so
  // they are stashed.
  #stashRest (at, run, left, count) {
    at += alignRecord(runs[2 * run + 1])
    left--
    while (run < count) {
      const length = runs[2 * run + 1]
      for (; left > 0; left--) {
        this.#stash.push(scratch.bytes.slice(at, at + length))
        at += alignRecord(length)
      }
      left = runs[2 * ++run]
    }
  }

  #decodeScratch (at, length) {
    switch (scratch.words[at >>> 2] & kKindMask) {
      case kBytesRecord: return scratch.bytes.slice(at + kHeaderBytes, at + length)
      case kNamedRecord: return this.#decodeNamed(scratch.bytes.slice(at, at + length))
      default: return scratch.decode(at, length)
    }
  }

  #taken = { offset: 0, length: 0, ticket: 0 }

  #take (spin) {
    this.status = this.#ring.core.claim(spin)
    const taken = this.#taken
    taken.offset = info[kOffset]
    taken.length = info[kLength]
    taken.ticket = info[kTicket]
    if (info[kWake] !== 0) this.#ring.wake()
    return this.status === OK
  }

  #kindAt (offset) {
    return this.#ring.words[offset >>> 2] & kKindMask
  }

  #pullInPlace () {
    if (!this.#take(0)) return kNothing
    const { offset, length, ticket } = this.#taken
    const { bytes } = this.#ring
    this.lastBytes = length
    try {
      switch (this.#kindAt(offset)) {
        case kBytesRecord: return bytes.slice(offset + kHeaderBytes, offset + length)
        case kNamedRecord: return this.#decodeNamed(bytes.slice(offset, offset + length))
        default: return (this.#inPlace ??= new RingValues(bytes)).decode(offset, length)
      }
    } finally {
      this.release(ticket)
    }
  }

  // `bytes`: a copy of the record, which is stashed if it has to wait for shared memory.
  #decodeNamed (bytes) {
    const packet = new Packet(bytes)
    const { announcements } = this.#ring
    try {
      announcements.drain()
      const value = packet.decode(new ValueMemory())
      this.missing = null
      announcements.acknowledge(`${packet.thread}:${packet.number}`)
      return value
    } catch (error) {
      if (!(error instanceof MissingMemory)) throw error
      this.#stash.unshift(bytes)
      this.missing = { id: error.id, length: error.length, thread: packet.thread }
      this.status = kMissing
      return kNothing
    }
  }

  #decodeStash () {
    const bytes = this.#stash.shift()
    const packet = new Packet(bytes)
    switch (packet.kind) {
      case kBytesRecord: return bytes.subarray(kHeaderBytes)
      case kNamedRecord: return this.#decodeNamed(bytes)
      default: return packet.decode(new ValueMemory())
    }
  }
}

module.exports = { RecordReader, kNothing }
