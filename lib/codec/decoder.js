'use strict'

const { NOT_KEPT, ValueReader } = require('./value-reader')

// Decodes what an Encoder wrote, from memory.bytes: a Uint8Array over the shared region; and
// memory.attachments: the ArrayBuffers that came beside it, if any.
// memory.find(id, length) gives the SharedArrayBuffer that memory.identify() named, or throws;
// memory.revive(plain) makes an object in such memory out of what structured clone leaves of it.
// Without these two such a value is not accepted.
// Anything else that lies there makes decode() throw ERR_TELAR_CORRUPT_PAYLOAD, in a time
// and with memory in proportion to the payload.
class Decoder {
  #reader

  constructor (memory) {
    this.#reader = new ValueReader(memory)
  }

  decode (start, end) {
    const reader = this.#reader
    try {
      return this.#read(start, end)
    } catch (error) {
      if (error !== NOT_KEPT) throw error
      reader.keepAll()
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
