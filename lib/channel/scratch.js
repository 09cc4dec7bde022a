'use strict'

// The scratch buffer of this thread, which C copies records from and to.

const { Int32Array, Uint8Array } = require('../base/globals')
const { Packet, kHeaderBytes, kNamedRecord, kNumberMask, putHeader } = require('./record')
const { core, runs } = require('./thread')
const { putNumber, kMaxNumberWords } = require('../codec/numbers')
const { kSmallInt, kTagBits, kTagMask } = require('../codec/tags')
const { Values, alignRecord, kScratchBytes } = require('./values')

// One that had to grow beyond this for a value shrinks again.
const kKeepBytes = 4 * 2 ** 20

const values = new Values(kScratchBytes)

class Scratch {
  bytes = null
  words = null
  // Of the record that was encoded last.
  start = kHeaderBytes
  length = 0
  // False: there is none.
  isFilled = false
  // Of the batch.
  runCount = 0
  #runLength = 0

  constructor () {
    this.#follow()
  }

  // The number of bytes. Throws what values.encode() throws.
  encode (value) {
    this.isFilled = false
    this.#shrink()
    this.start = kHeaderBytes
    this.length = this.#encodeAt(value, kHeaderBytes)
    this.isFilled = true
    return this.length
  }

  // The memories that it names, by id, or null.
  get named () { return values.named }

  // Makes the record one that names memory.
  putHeader (number, thread) {
    putHeader(this.words, 0, kNamedRecord, number & kNumberMask, thread)
    this.start = 0
    this.length += kHeaderBytes
  }

  // The last record, in bytes of its own.
  copy () {
    return new Packet(this.bytes.slice(this.start, this.start + this.length))
  }

  // One more record of a batch, at byte `at`. Where the next one begins, or -1: this one names
  // memory and is to be sent by itself.
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

  // The memory may have grown also where the value cannot be sent in the end: C has to know.
  #encodeAt (value, at) {
    try {
      return values.encode(value, at)
    } finally {
      this.#follow()
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

  // Before a batch, and before what does without the scratch.
  begin () {
    this.isFilled = false
    this.runCount = 0
    this.#runLength = 0
    this.#shrink()
  }

  // A value that C has copied to byte `at`; not of a kind with a header.
  decode (at, length) {
    const word = this.words[at >>> 2]
    if ((word & kTagMask) === kSmallInt && length === 4) return word >> kTagBits
    return values.decode(at, at + length)
  }

  #follow () {
    const { bytes } = values.memory
    if (bytes === this.bytes) return
    this.bytes = bytes
    this.words = new Int32Array(bytes.buffer)
    core.setScratch(bytes)
  }

  #shrink () {
    if (this.bytes.length <= kKeepBytes) return
    values.memory.replace(new Uint8Array(kScratchBytes))
    this.#follow()
  }
}

module.exports = { scratch: new Scratch(), values }
