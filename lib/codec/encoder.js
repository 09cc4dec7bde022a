'use strict'

const { memberOf } = require('../base/own')
const { REPEATED } = require('./seen')
const { ValueWriter } = require('./value-writer')
const { isStackOverflow } = require('./stack-overflow')

// Encodes values into the memory of the transport:
//   memory.bytes                       Uint8Array over the shared region
//   memory.limit                       end of the area in use, in bytes
//   memory.grow(start, used, needed, wanted)  offset of a block that begins with the `used` bytes
//                                      written so far, has room for `needed` and, where there is
//                                      that much, for `wanted`; or -1. Sets memory.limit
//   memory.overflow(start, used, needed, wanted)  optional: when that was -1, other memory, with these
//                                      bytes at its beginning, which takes the rest; or null
//   memory.attachFrom                  buffers of so many bytes and more are not encoded there
//                                      (undefined: all are)
//   memory.attach(arrayBuffer)         takes the copy of such a buffer, to be transferred beside
//                                      the encoding; gives its index there. Memory without
//                                      this method is left by overflow() first
//   memory.detach()                    with attach(): nothing is attached after all
//   memory.free()                      optional: what lies there is not needed
//   memory.identify(buffer)            optional: a BigInt by which the other end finds that
//                                      SharedArrayBuffer; without it those are the platform's
//   memory.isShared(object)            optional, with identify: that object lies in such memory
//
// encode() answers the number of bytes, from `start` on, or -1: the platform must clone
// the value. An accessor in the value that throws makes encode() throw the same. One that
// runs before the codec meets something it leaves to the platform runs there once more.
//
// Not seen from JavaScript, and so cloned: objects marked by markAsUncloneable().
class Encoder {
  // Where the last encoding begins; grow() may have moved it.
  start = 0
  // A value with accessors is under way.
  isBusy = false
  #writer

  constructor (memory) {
    this.#writer = new ValueWriter(memory)
  }

  encode (value, start) {
    // An accessor of the value under way came back: one cursor serves one value.
    if (this.isBusy) return -1
    const writer = this.#writer
    if (typeof value !== 'object' || value === null) {
      writer.open(start)
      return writer.value(value) ? this.#done() : this.#failed()
    }
    this.isBusy = true
    try {
      writer.openValues(start)
      return this.#writeValue(value) ? this.#done() : this.#failed()
    } catch (error) {
      this.#failed()
      if (isStackOverflow(error)) return -1
      throw error
    } finally {
      this.isBusy = false
      writer.close()
    }
  }

  #writeValue (value) {
    const writer = this.#writer
    try {
      return writer.checked(value)
    } catch (error) {
      if (error !== REPEATED) throw error
    }
    writer.restart()
    return writer.checked(value)
  }

  // Whether the last value that was not encoded lacked memory only.
  get isFull () { return this.#writer.full }

  // Where the last encoding lies: the transport's memory, or what took over from it.
  get memory () { return this.#writer.memory }

  #failed () {
    const { memory } = this.#writer
    memberOf(memory, 'free')?.call(memory)
    return -1
  }

  #done () {
    const writer = this.#writer
    this.start = writer.start
    return writer.size
  }
}

module.exports = { Encoder }
