'use strict'

// Values out of a ring. Each call answers at once.

const { Array, Math, Symbol } = require('../base/globals')
const { createError } = require('../base/errors')
const { Claim } = require('./bytes')
const { Packet, kBytesRecord, kHeaderBytes, kKindMask, kNamedRecord } = require('./record')
const { RingValues } = require('./ring-values')
const { scratch, values } = require('./scratch')
const { constants, info, kMissing, kWake, runs } = require('./thread')
const { MissingMemory, ValueMemory, alignRecord } = require('./values')

const { OK, TOO_LARGE, kBatch, kLength, kOffset, kTicket } = constants

// What pull() gives when there is no value.
const kNothing = Symbol('nothing')

class RecordReader {
  // Why the last call gave nothing.
  status = OK
  // The length of the last record in bytes, about.
  spent = 0
  // With kMissing: { id, length, thread } of the memory, and the thread that sent its number.
  missing = null
  #ring
  #inPlace = null
  // Records that were taken from the ring, and are not delivered yet.
  #stash = []

  constructor (ring) {
    this.#ring = ring
  }

  get hasStash () { return this.#stash.length > 0 }

  // The next value, or kNothing. Looks for one for so many nanoseconds. Throws what is wrong
  // with a record; that one is lost.
  pull (spin) {
    if (this.#stash.length > 0) return this.#decodeStash()
    // The scratch is not free while an accessor of a value in it comes here.
    if (values.isBusy) return this.#pullInPlace()
    const length = this.#ring.core.receive(spin)
    if (info[kWake] !== 0) this.#ring.wake()
    if (length >= 0) {
      this.spent = length
      return this.#decodeScratch(0, length)
    }
    if (length === -TOO_LARGE) return this.#pullInPlace()
    this.status = -length
    return kNothing
  }

  // Up to `most` values, or null.
  pullMany (most) {
    if (this.#stash.length > 0 || values.isBusy) return this.#pullOne()
    const count = this.#ring.core.receiveMany(Math.min(most, kBatch))
    if (info[kWake] !== 0) this.#ring.wake()
    if (count > 0) return this.#decodeMany(count)
    if (count === -TOO_LARGE) return this.#pullOne()
    this.status = -count
    return null
  }

  // A Claim, or null. Looks for one for so many nanoseconds. What send() sent is kept for pull().
  claim (spin) {
    if (this.#stash.length > 0) throw createError('ERR_TELAR_NOT_BYTES')
    if (!this.#take(spin)) return null
    const { bytes } = this.#ring
    const { offset, length, ticket } = this.#taken
    this.spent = length
    if (this.#kindAt(offset) === kBytesRecord) {
      return new Claim(this, this.#ring.channel, ticket, bytes.subarray(offset + kHeaderBytes, offset + length))
    }
    this.#stash.push(bytes.slice(offset, offset + length))
    this.release(ticket)
    throw createError('ERR_TELAR_NOT_BYTES')
  }

  release (ticket) {
    this.#ring.core.release(ticket)
    if (info[kWake] !== 0) this.#ring.wake()
  }

  // Gives up the record whose memory nobody has.
  dropMissing () {
    this.#stash.shift()
    this.missing = null
  }

  #pullOne () {
    const value = this.pull(0)
    return value === kNothing ? null : [value]
  }

  // The values of so many runs, which lie in the scratch; null: the first one waits for its memory.
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
    this.spent = at
    return list
  }

  // A memory is not known here, and the records behind have been taken: they wait in line.
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
    this.spent = length
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

  // In bytes of its own, in case that it has to wait.
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
