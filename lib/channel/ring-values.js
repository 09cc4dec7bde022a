'use strict'

// Large values, written and read where they lie in the ring.

const { Decoder, Encoder } = require('../codec')
const { ValueMemory } = require('./values')

// As far as the codec can count.
const kMaxBytes = 2 ** 30

class RingValues {
  #all
  #memory = new ValueMemory()
  #encoder = null
  #decoder = null

  // `bytes`: over the ring's memory.
  constructor (bytes) {
    this.#all = bytes
  }

  // The number of bytes, or -1: it does not fit in `length`, or is none of those that the
  // codec writes whatever happens.
  encode (value, offset, length) {
    const start = this.#window(offset, length)
    this.#memory.limit = start + length
    return (this.#encoder ??= new Encoder(this.#memory)).encode(value, start)
  }

  decode (offset, length) {
    const start = this.#window(offset, length)
    return (this.#decoder ??= new Decoder(this.#memory)).decode(start, start + length)
  }

  // Where a record begins in memory.bytes. Making views costs more than most of what is
  // done with them, so one set serves all records of all but the largest rings.
  #window (offset, length) {
    if (this.#all.length <= kMaxBytes) {
      this.#memory.bytes = this.#all
      return offset
    }
    this.#memory.bytes = this.#all.subarray(offset, offset + length)
    return 0
  }
}

module.exports = { RingValues }
