'use strict'

// The payload of the slots: the shared memory that holds a task's value until the worker has read
// it, and then the result until the owner has read it. Both use this class; the scheduler in C
// never reads the payload.
//
// A slot has 256 bytes, at slot * 256:
//   0   int32    form: how the value is stored, plus flags: kError, kSteered …
//   4   uint32   bytes of the encoding, or the number of the message if the value is sent by port
//   8   uint32   where the encoding begins
//   12  int32    in a request: the entry of the task function; in a result: the index of the worker
//   16  float64  the value itself, if it is a number
//   24           small encodings; larger ones are in a payload block

const { Float64Array, Int32Array, Math, Object, Uint8Array } = require('../base/globals')
const native = require('../base/native')

const kSlotBytes = 256
const kSlotHeaderBytes = 24
const kWordShift = 6 // slot to index of an int32
const kDoubleShift = 5 // slot to index of a float64
const kNumberOffset = 2 // in float64

// How a value is stored.
const kForm = Object.freeze({
  number: 0,
  undefined: 1,
  inline: 2, // encoded in the slot
  block: 3, // encoded in a payload block
  portRequest: 4, // sent by MessagePort to the worker
  portResult: 5 // sent by MessagePort to the owner
})
const kFormMask = 0xff
// The task failed: the value is what it threw.
const kError = 0x100
// Of a request: the task words of the slot are valid (task-words.js).
const kSteered = 0x200
// Of a request: the key of the slot is valid (task-keys.js).
const kKeyed = 0x400
// Of a request: the task may be interrupted while it runs.
const kInterruptible = 0x800

// Blocks up to this size stay with their slot for the next value.
const { kKeepBlockBytes } = native.poolConstants

// Files that few values need, once they are loaded: finding one by require() takes as long as
// sending a message.
let movedBuffers = null
let packets = null
let registry = null

const getMovedBuffers = () => (movedBuffers ??= require('./moved-buffers'))
const getPackets = () => (packets ??= require('./packet'))
const getRegistry = () => (registry ??= require('../shared/registry'))

class SlotMemory {
  bytes
  limit = 0
  // Buffers of this many bytes or more are attached to the encoding, which is then a message.
  attachFrom
  #words
  #doubles
  // The codec is loaded with the first value that needs it: that takes longer than starting the
  // rest of a worker, and numbers do not need it.
  #encoder = null
  #decoder = null
  #core
  #slot = 0 // that is written
  #moved = null // the MovedBuffers of the value that is written next
  #readSlot = 0
  // The names of the objects in the values that threads share. Null: there was none yet.
  #names = null
  #openNames
  // The message for a value that was not stored, if it was encoded.
  #packed = null

  // Used of the native `core`: allocate(slot, bytes) returns the offset of a payload block, or -1;
  // release(slot) frees that block. openNames(): the OwnerNames or WorkerNames.
  constructor (buffer, slots, core, { attachFrom = Infinity, openNames }) {
    this.bytes = new Uint8Array(buffer, 0, buffer.byteLength)
    this.#words = new Int32Array(buffer, 0, slots << kWordShift)
    this.#doubles = new Float64Array(buffer, 0, slots << kDoubleShift)
    this.#core = core
    this.attachFrom = attachFrom
    this.#openNames = openNames
  }

  // Like write(), for a value with a transfer list of ArrayBuffers, which are then detached. Throws
  // what the platform throws for the list. If it returns false, they are part of the message.
  writeMoved (slot, value, flags, functionOrWorker, transferList) {
    const { MovedBuffers, detach, joined } = getMovedBuffers()
    let isWritten
    this.#moved = new MovedBuffers(transferList)
    try {
      isWritten = this.write(slot, value, flags, functionOrWorker)
    } finally {
      this.#moved = null
    }
    if (isWritten) detach(transferList)
    else if (this.#packed !== null) this.#packed[1] = joined(this.#packed[1], transferList)
    return isWritten
  }

  // Stores a value. `functionOrWorker`: the entry of the task function, or the index of the worker.
  // False: the value has to be sent by port; takePacked() gives its encoding.
  write (slot, value, flags, functionOrWorker) {
    const word = slot << kWordShift
    this.#words[word + 3] = functionOrWorker
    if (typeof value === 'number') {
      this.#words[word] = kForm.number | flags
      this.#doubles[(slot << kDoubleShift) + kNumberOffset] = value
      return true
    }
    if (value === undefined) {
      this.#words[word] = kForm.undefined | flags
      return true
    }
    return this.#encode(slot, value, flags)
  }

  #encode (slot, value, flags) {
    const encoder = this.#encoder ?? this.#loadCodec().#encoder
    // A getter of the value that is being encoded has called run(). One encoder serves one value.
    if (encoder.isBusy) return this.#refuse(getPackets().encode(value))
    const start = slot * kSlotBytes + kSlotHeaderBytes
    const word = slot << kWordShift
    this.#names?.begin(slot)
    this.#slot = slot
    this.limit = (slot + 1) * kSlotBytes
    const length = encoder.encode(value, start, this.#moved)
    if (length < 0) return this.#refuse(null)
    if (encoder.memory !== this) return this.#refuse(encoder.memory.toMessage(length))
    const at = encoder.start
    this.#words[word] = (at === start ? kForm.inline : kForm.block) | flags
    this.#words[word + 1] = length
    this.#words[word + 2] = at
    this.#names?.wrote(slot)
    return true
  }

  #refuse (packed) {
    this.#packed = packed
    return false
  }

  // To be called once after a write() that returned false: the value, encoded as a message. Null:
  // the platform has to clone it.
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

  // Called by the encoder when its value needs more memory.
  grow (start, used, needed, wanted) {
    let size = wanted
    let at = this.#core.allocate(this.#slot, size)
    if (at < 0) {
      // At least half as much again: the bytes written so far are copied each time.
      size = Math.max(needed, used + (used >>> 1))
      if (size < wanted) at = this.#core.allocate(this.#slot, size)
    }
    if (at < 0) return -1
    this.bytes.copyWithin(at, start, start + used)
    this.limit = at + size
    return at
  }

  // Called by the encoder when there is no block: it continues in a packet.
  overflow (start, used, needed, wanted) {
    const { PacketMemory } = getPackets()
    const packet = PacketMemory.begin(
      this.bytes.subarray(start, start + used), needed, wanted, this.#names)
    if (packet !== null) this.#core.release(this.#slot)
    return packet
  }

  // ---- objects that threads share ----

  #useNames () {
    return (this.#names ??= this.#openNames())
  }

  // Called by the encoder for such an object. -1: it has to be sent by port.
  nameOf (object) { return this.#useNames().nameOf(object) }

  // Called by the encoder.
  isShared (object) { return getRegistry().isShared(object) }

  // Called by the encoder when the value is written again from its beginning, or not at all.
  detach () { this.#names?.begin(this.#slot) }

  free () { this.detach() }

  // Called by the decoder.
  named (name) { return this.namedIn(this.#readSlot, name, null) }

  // `beside`: the objects beside the encoding.
  namedIn (slot, name, beside) {
    return this.#useNames().find(slot, name, this.workerIndex(slot), beside)
  }

  // Called by the decoder when the value is read again from its beginning.
  restart () { this.restartIn(this.#readSlot) }

  restartIn (slot) { this.#names?.restart(slot) }

  // Called by the decoder.
  revive (plain) {
    this.#useNames()
    return getRegistry().restorePlain(plain)
  }

  // Of a request in a message: keeps what it names until the slot is free.
  hold (slot, list) {
    if (list.length > 0) this.#useNames().hold(slot, list)
  }

  // The slot is free, or a result was stored in it: the objects of its request are not needed.
  forget (slot) {
    if (this.#names !== null) this.#names.forget(slot)
  }

  // The value is sent by port, in the message with this number.
  writePort (slot, form, flags, functionOrWorker, message) {
    const word = slot << kWordShift
    this.#words[word] = form | flags
    this.#words[word + 1] = message
    this.#words[word + 3] = functionOrWorker
  }

  message (slot) {
    return this.#words[(slot << kWordShift) + 1]
  }

  form (slot) {
    return this.#words[slot << kWordShift]
  }

  // Of a request: the entry of the task function.
  functionEntry (slot) {
    return this.#words[(slot << kWordShift) + 3]
  }

  // Of a result: the index of the worker.
  workerIndex (slot) {
    return this.#words[(slot << kWordShift) + 3]
  }

  // The value of a slot, unless it was sent by port.
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
        this.#readSlot = slot
        return decoder.decode(at, at + (this.#words[word + 1] >>> 0))
      }
    }
  }

  // Whether the payload block of a slot is too large to stay with it.
  isBlockLarge (slot) {
    const word = slot << kWordShift
    const form = this.#words[word] & kFormMask
    return form === kForm.block && (this.#words[word + 1] >>> 0) > kKeepBlockBytes
  }
}

module.exports = {
  SlotMemory, kError, kForm, kFormMask, kInterruptible, kKeyed, kSlotBytes, kSteered
}
