'use strict'

// What lies in a record. The codec's first word has a tag below 30 in its low five
// bits; two more kinds begin with a header of eight bytes, so that what follows is
// aligned as a record is:
//
//   kBytesRecord   bytes as they were put there in place
//   kNamedRecord   a value that names shared memory; the header says which thread
//                  sent it, and a number that this thread gave it

const { Decoder } = require('../codec')

const kKindMask = 31
const kBytesRecord = 30
const kNamedRecord = 31
const kNumberShift = 5
const kHeaderBytes = 8

// Numbers of records that name memory go round.
const kNumberMask = 2 ** 27 - 1

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
