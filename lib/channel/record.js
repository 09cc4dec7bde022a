'use strict'

// The kinds of records: an encoded value, bytes, and an encoded value that names shared memory. The
// last two begin with a header, whose tag the codec does not use for values (tags.js).

const { Int32Array } = require('../base/globals')
const native = require('../base/native')
const { Decoder } = require('../codec')
const {
  kBytesRecord, kNamedRecord, kTagMask: kKindMask, kTagBits: kNumberShift, kMaxPayload: kNumberMask
} = require('../codec/tags')

const { kHeaderBytes } = native.channelConstants

// `at`: the index of the first word of the record.
function putHeader (words, at, kind, number, thread) {
  words[at] = number << kNumberShift | kind
  words[at + 1] = thread
}

// The number of a record that names shared memory, from its first word.
function numberOf (word) {
  return word >>> kNumberShift
}

// A record outside the ring, in bytes of its own: it waits for room, or for shared memory.
class Packet {
  bytes
  #words

  constructor (bytes) {
    this.bytes = bytes
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2)
  }

  get kind () { return this.#words[0] & kKindMask }
  get number () { return numberOf(this.#words[0]) }
  get thread () { return this.#words[1] >>> 0 }

  // `memory`: the memory of the Decoder, which finds what the value names.
  decode (memory) {
    memory.bytes = this.bytes
    const start = this.kind === kNamedRecord ? kHeaderBytes : 0
    return new Decoder(memory).decode(start, this.bytes.length)
  }
}

module.exports = {
  Packet, kBytesRecord, kHeaderBytes, kKindMask, kNamedRecord, kNumberMask, numberOf, putHeader
}
