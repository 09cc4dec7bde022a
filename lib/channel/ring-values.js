'use strict'

// Encodes and decodes large values directly in the memory of a ring.

const { Decoder, Encoder } = require('../codec')
const { kMaxRegion } = require('../codec/views')
const { ValueMemory } = require('./values')

class RingValues {
  #all
  #memory = new ValueMemory()
  #encoder = null
  #decoder = null

  // `bytes`: a Uint8Array over the ring's memory.
  constructor (bytes) {
    this.#all = bytes
  }

  // The number of bytes; or -1 if the value does not fit into `length` bytes, or the codec leaves
  // it to the platform.
  encode (value, offset, length) {
    const start = this.#select(offset, length)
    this.#memory.limit = start + length
    return (this.#encoder ??= new Encoder(this.#memory)).encode(value, start)
  }

  decode (offset, length) {
    const start = this.#select(offset, length)
    return (this.#decoder ??= new Decoder(this.#memory)).decode(start, start + length)
  }

  // Sets memory.bytes to bytes that contain the record, and returns where it begins there. The
  // codec makes views on memory.bytes. That costs more than most of what is done with them, so one
  // set of views serves all records, except in the largest rings.
  #select (offset, length) {
    if (this.#all.length <= kMaxRegion) {
      this.#memory.bytes = this.#all
      return offset
    }
    this.#memory.bytes = this.#all.subarray(offset, offset + length)
    return 0
  }
}

module.exports = { RingValues }
