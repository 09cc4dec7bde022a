'use strict'

const { memberOf } = require('../base/own')
const { kRepeated } = require('./seen')
const { ValueWriter } = require('./value-writer')
const { isStackOverflow } = require('./stack-overflow')

// Encodes values into the memory of the transport:
//   memory.bytes                Uint8Array over the shared region
//   memory.limit                end of the area in use, in bytes
//   memory.grow(start, used, needed, wanted)
//                               offset of a block that begins with the `used` bytes written so far,
//                               and has room for `needed` bytes or, if there is enough memory, for
//                               `wanted`; or -1. Sets memory.limit
//   memory.overflow(start, used, needed, wanted)
//                               optional: called when grow() gave -1. Other memory, which begins
//                               with the bytes written so far and takes the rest; or null
//   memory.attachFrom           buffers of this many bytes or more are attached, not encoded
//                               (undefined: all are encoded)
//   memory.attach(arrayBuffer)  takes the copy of such a buffer, or one that is moved. It is then
//                               transferred beside the encoding; returns its index there. The
//                               encoder leaves memory without this method by overflow() first
//   memory.detach()             optional: forgets all attached buffers and named objects, since the
//                               value is written again from its beginning
//   memory.free()               optional: the encoding is not needed
//   memory.identify(buffer)     optional: a BigInt by which the other side finds that
//                               SharedArrayBuffer; without it, values with such buffers are left
//                               to structured clone
//   memory.nameOf(object)       optional, instead of identify(): a number by which the other side
//                               finds that SharedArrayBuffer or WebAssembly.Module; or -1. Then the
//                               encoder leaves memory by overflow(), and asks again there
//   memory.isShared(object)     optional, with one of these two: whether an object lies in such
//                               memory
//
// `moved`: the buffers that the sender loses, which need not be copied, or null:
//   moved.has(buffer)           whether a buffer is one of them
//   moved.isLarge(length)       whether such a buffer is attached
//
// encode() returns the number of bytes, from `start` on. -1: the value has to be cloned by the
// platform. An accessor in the value that throws makes encode() throw the same error. If the codec
// leaves the value to the platform after some of its accessors have run, those run a second time.
//
// JavaScript cannot see that an object was marked by markAsUncloneable(). So it is cloned.
class Encoder {
  // Where the last encoding begins; grow() may have moved it.
  start = 0
  // A value that may have accessors is being encoded.
  isBusy = false
  #writer

  constructor (memory) {
    this.#writer = new ValueWriter(memory)
  }

  encode (value, start, moved = null) {
    // Called by an accessor of the value that is being encoded. One cursor serves one value.
    if (this.isBusy) return -1
    const writer = this.#writer
    writer.moved = moved
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
      if (error !== kRepeated) throw error
    }
    writer.restart()
    return writer.checked(value)
  }

  // Whether the last value that was not encoded failed only for lack of memory.
  get isFull () { return this.#writer.full }

  // Where the last encoding lies: the transport's memory, or the memory that overflow() gave.
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
