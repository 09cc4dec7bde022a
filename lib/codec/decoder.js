'use strict'

const { memberOf } = require('../base/own')
const { kNotKept, ValueReader } = require('./value-reader')

// Decodes what an Encoder wrote:
//   memory.bytes              Uint8Array over the shared region
//   memory.attachments        the ArrayBuffers that came beside the encoding, if any
//   memory.find(id, length)   optional: the SharedArrayBuffer that memory.identify() of the encoder
//                             named; throws if there is none
//   memory.named(name)        optional: the object that memory.nameOf() of the encoder named, or
//                             undefined
//   memory.restart()          optional: the value is read again from its beginning
//   memory.revive(plain)      optional: the shared object of which structured clone leaves this
//                             plain object
//
// Without find(), named() and revive() values that need them are not accepted.
//
// Bytes that no Encoder wrote make decode() throw ERR_TELAR_CORRUPT_PAYLOAD. The time and the
// memory that this takes are in proportion to the payload.
class Decoder {
  #memory
  #reader

  constructor (memory) {
    this.#memory = memory
    this.#reader = new ValueReader(memory)
  }

  decode (start, end) {
    const reader = this.#reader
    try {
      return this.#read(start, end)
    } catch (error) {
      if (error !== kNotKept) throw error
      reader.keepAll()
      memberOf(this.#memory, 'restart')?.call(this.#memory)
      return this.#read(start, end)
    } finally {
      reader.close()
    }
  }

  #read (start, end) {
    const reader = this.#reader
    reader.open(start, end)
    const value = reader.value()
    if (reader.pos !== reader.end) reader.fail('the end', 'more words')
    return value
  }
}

module.exports = { Decoder }
