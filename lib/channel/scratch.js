'use strict'

// The scratch buffer of this thread, from and to which C copies records.

const { Int32Array, Uint8Array } = require('../base/globals')
const { Packet, kHeaderBytes, kNamedRecord, kNumberMask, putHeader } = require('./record')
const { core, runs } = require('./thread')
const { putNumber, kMaxNumberWords } = require('../codec/numbers')
const { kSmallInt, kTagBits, kTagMask } = require('../codec/tags')
const { Values, alignRecord, kScratchBytes } = require('./values')

// A buffer that has grown beyond this for one value shrinks again.
const kMaxKeptBytes = 4 * 2 ** 20

const values = new Values(kScratchBytes)

class Scratch {
  bytes = null
  words = null
  // Where the record lies that was encoded last.
  start = kHeaderBytes
  length = 0
  // False if there is no such record.
  isFilled = false
  // The number of runs in the batch.
  runCount = 0
  #runLength = 0

  constructor () {
    this.#followMemory()
  }

  // Returns the number of bytes. Throws what values.encode() throws.
  encode (value) {
    this.isFilled = false
    this.#shrink()
    this.start = kHeaderBytes
    this.length = this.#encodeAt(value, kHeaderBytes)
    this.isFilled = true
    return this.length
  }

  // The SharedArrayBuffers that the record names, by id, or null.
  get named () { return values.named }

  // Puts the header of a record that names shared memory before the value.
  putHeader (number, thread) {
    putHeader(this.words, 0, kNamedRecord, number & kNumberMask, thread)
    this.start = 0
    this.length += kHeaderBytes
  }

  // A copy of the last record.
  copy () {
    return new Packet(this.bytes.slice(this.start, this.start + this.length))
  }

  // Adds a record to the batch, at byte `at`. Returns where the next one begins, or -1 if this one
  // names shared memory and has to be sent by itself.
  append (value, at) {
    if (typeof value === 'number' && at + kMaxNumberWords * 4 <= this.bytes.length) {
      const length = putNumber(this.words, at >>> 2, value) * 4 - at
      this.#addToRun(length)
      return at + alignRecord(length)
    }
    const length = this.#encodeAt(value, at)
    if (values.named !== null) return -1
    this.#addToRun(length)
    return at + alignRecord(length)
  }

  // The memory may have grown even if the value cannot be sent in the end, and C has to know the
  // new memory.
  #encodeAt (value, at) {
    try {
      return values.encode(value, at)
    } finally {
      this.#followMemory()
    }
  }

  #addToRun (length) {
    if (length !== this.#runLength) {
      this.#runLength = length
      runs[2 * this.runCount] = 0
      runs[2 * this.runCount++ + 1] = length
    }
    runs[2 * this.runCount - 2]++
  }

  // To be called before a batch, and before a value is encoded directly into the ring.
  begin () {
    this.isFilled = false
    this.runCount = 0
    this.#runLength = 0
    this.#shrink()
  }

  // Decodes a value that C has copied to byte `at`. The record must have no header.
  decode (at, length) {
    const word = this.words[at >>> 2]
    if ((word & kTagMask) === kSmallInt && length === 4) return word >> kTagBits
    return values.decode(at, at + length)
  }

  #followMemory () {
    const { bytes } = values.memory
    if (bytes === this.bytes) return
    this.bytes = bytes
    this.words = new Int32Array(bytes.buffer)
    core.setScratch(bytes)
  }

  #shrink () {
    if (this.bytes.length <= kMaxKeptBytes) return
    values.memory.replace(new Uint8Array(kScratchBytes))
    this.#followMemory()
  }
}

module.exports = { scratch: new Scratch(), values }
