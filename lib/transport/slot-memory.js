'use strict'

// The payload side of the slots: where a task's value lies in shared memory
// until the worker has read it, and the result until the owner has. Used by
// both; the scheduler in C never looks at it.
//
// A slot of 256 bytes, at slot * 256:
//   0   int32    form: how the value is stored, plus kError
//   4   uint32   bytes of the encoding, or number of the message where it travels by port
//   8   uint32   where the encoding begins
//   12  int32    request: place of the task function; result: number of the worker
//   16  float64  the value itself, where it is a number
//   24           small encodings; larger ones lie in a payload block

const { Float64Array, Int32Array, Math, Object, Uint8Array } = require('../base/globals')
const native = require('../base/native')

const kSlotBytes = 256
const kHeaderBytes = 24
const kWordShift = 6 // slot to index of an int32
const kDoubleShift = 5 // slot to index of a float64
const kNumberOffset = 2 // in float64

// How a value is stored.
const kForm = Object.freeze({
  number: 0,
  undefined: 1,
  inline: 2, // encoded in the slot
  block: 3, // encoded in a payload block
  portRequest: 4, // travels by MessagePort to the worker
  portResult: 5 // travels by MessagePort to the owner
})
const kFormMask = 0xff
// The task failed: the value is what it threw.
const kError = 0x100

// Blocks up to this size stay with their slot for the next value.
const { kKeepBlockBytes } = native.poolConstants

class SlotMemory {
  bytes
  limit = 0
  // Buffers of so many bytes and more travel beside the encoding, which is then a message.
  attachFrom
  #words
  #doubles
  // The codec, once a value needs it: loading it takes longer than starting the
  // rest of a worker, and numbers do without.
  #encoder = null
  #decoder = null
  #core
  #slot = 0
  // What became of a value that was not stored.
  #packed = null

  // Of the native `core`: allocate(slot, bytes) gives a payload block's offset, or -1, and
  // release(slot) gives back what it gave.
  constructor (buffer, slots, core, attachFrom = Infinity) {
    this.bytes = new Uint8Array(buffer, 0, buffer.byteLength)
    this.#words = new Int32Array(buffer, 0, slots << kWordShift)
    this.#doubles = new Float64Array(buffer, 0, slots << kDoubleShift)
    this.#core = core
    this.attachFrom = attachFrom
  }

  // Stores a value. `who`: the place of the function, or the worker's number. False: it goes by port;
  // takePacked() says how.
  write (slot, value, flags, who) {
    const word = slot << kWordShift
    this.#words[word + 3] = who
    if (typeof value === 'number') {
      this.#words[word] = kForm.number | flags
      this.#doubles[(slot << kDoubleShift) + kNumberOffset] = value
      return true
    }
    if (value === undefined) {
      this.#words[word] = kForm.undefined | flags
      return true
    }
    const encoder = this.#encoder ?? this.#loadCodec().#encoder
    // A getter of the value under way has called run(): one encoder serves one value.
    if (encoder.isBusy) return this.#refuse(require('./packet').encode(value))
    const start = slot * kSlotBytes + kHeaderBytes
    this.#slot = slot
    this.limit = (slot + 1) * kSlotBytes
    const length = encoder.encode(value, start)
    if (length < 0) return this.#refuse(null)
    if (encoder.memory !== this) return this.#refuse(encoder.memory.toMessage(length))
    const at = encoder.start
    this.#words[word] = (at === start ? kForm.inline : kForm.block) | flags
    this.#words[word + 1] = length
    this.#words[word + 2] = at
    return true
  }

  #refuse (packed) {
    this.#packed = packed
    return false
  }

  // Once after a write() that said false: the value as a message of its own, encoded; null: the
  // platform has to clone it.
  takePacked () {
    const packed = this.#packed
    this.#packed = null
    return packed
  }

  #loadCodec () {
    const { Decoder, Encoder } = require('../codec')
    this.#encoder = new Encoder(this)
    this.#decoder = new Decoder(this)
    return this
  }

  // For the encoder, whose value outgrew the space it has.
  grow (start, used, needed, wanted) {
    let size = wanted
    let at = this.#core.allocate(this.#slot, size)
    if (at < 0) {
      // What is used is copied each time, so with less than this it would take too often.
      size = Math.max(needed, used + (used >>> 1))
      if (size < wanted) at = this.#core.allocate(this.#slot, size)
    }
    if (at < 0) return -1
    this.bytes.copyWithin(at, start, start + used)
    this.limit = at + size
    return at
  }

  // For the encoder, when no block is left: it goes on in a message.
  overflow (start, used, needed, wanted) {
    const { PacketMemory } = require('./packet')
    const packet = PacketMemory.begin(this.bytes.subarray(start, start + used), needed, wanted)
    if (packet !== null) this.#core.release(this.#slot)
    return packet
  }

  // The value goes by port, in the message of that number.
  writePort (slot, form, flags, who, message) {
    const word = slot << kWordShift
    this.#words[word] = form | flags
    this.#words[word + 1] = message
    this.#words[word + 3] = who
  }

  message (slot) {
    return this.#words[(slot << kWordShift) + 1]
  }

  form (slot) {
    return this.#words[slot << kWordShift]
  }

  who (slot) {
    return this.#words[(slot << kWordShift) + 3]
  }

  // The value of a slot that does not travel by port.
  read (slot) {
    const word = slot << kWordShift
    switch (this.#words[word] & kFormMask) {
      case kForm.number:
        return this.#doubles[(slot << kDoubleShift) + kNumberOffset]
      case kForm.undefined:
        return undefined
      default: {
        const at = this.#words[word + 2] >>> 0
        const decoder = this.#decoder ?? this.#loadCodec().#decoder
        return decoder.decode(at, at + (this.#words[word + 1] >>> 0))
      }
    }
  }

  // Whether the slot's payload block is too large to stay with it.
  isBlockLarge (slot) {
    const word = slot << kWordShift
    return (this.#words[word] & kFormMask) === kForm.block && (this.#words[word + 1] >>> 0) > kKeepBlockBytes
  }
}

module.exports = { SlotMemory, kError, kForm, kFormMask, kSlotBytes }
