'use strict'

// What lies in a record: a value, bytes, or a value that names shared memory (tags.js).

const { Int32Array } = require('../base/globals')
const native = require('../base/native')
const { Decoder } = require('../codec')
const {
  kBytesRecord, kNamedRecord, kTagMask: kKindMask, kTagBits: kNumberShift, kMaxPayload: kNumberMask
} = require('../codec/tags')

const { kHeaderBytes } = native.channelConstants

// `at`: the index of its first word.
function putHeader (words, at, kind, number, thread) {
  words[at] = number << kNumberShift | kind
  words[at + 1] = thread
}

// A record in bytes of its own: one that waits for room, or for a memory.
class Packet {
  bytes
  #words

  constructor (bytes) {
    this.bytes = bytes
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2)
  }

  get kind () { return this.#words[0] & kKindMask }
  get number () { return this.#words[0] >>> kNumberShift }
  get thread () { return this.#words[1] >>> 0 }

  // `memory` finds what the value names, as for a Decoder.
  decode (memory) {
    memory.bytes = this.bytes
    return new Decoder(memory).decode(this.kind === kNamedRecord ? kHeaderBytes : 0, this.bytes.length)
  }
}

module.exports = { Packet, kBytesRecord, kHeaderBytes, kKindMask, kNamedRecord, kNumberMask, putHeader }
