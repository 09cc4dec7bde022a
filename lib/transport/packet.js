'use strict'

// A value that goes by port. One that the codec knows is encoded in memory of its own,
// which is transferred: it found no room in shared memory, or is a result with a large
// buffer. So what arrives does not depend on how large a value is, or on how full the
// memory was.

const { ArrayBuffer, Buffer, Math, Uint8Array } = require('../base/globals')
const native = require('../base/native')
const { isUsed, revive } = require('../shared/registry')
const { kAttachBytes } = require('./attach-bytes')
const { Unreadable } = require('./value-port')

const kFirstBytes = 4096
// The codec counts in 32-bit integers. Beyond, the platform clones.
const kMaxBytes = 2 ** 30
// Memory that nobody writes to costs address space alone, and to move costs as much as to encode.
const kSpare = 2
// All members, whatever it holds: see own.js.
class Message {
  value = undefined
  // It may have shared objects inside, whose classes the clone has stripped.
  isStripped = false
  // It was a Buffer, of which the clone has made a Uint8Array.
  isBuffer = false
  // Of a task: `{ filename, name }`, where no place stands for its function.
  taskFunction = undefined
  // Instead of the value: its encoding.
  packet = undefined
  length = 0
  attachments = undefined
}

// Memory for one encoding, from its beginning.
class PacketMemory {
  bytes = null
  limit = 0
  attachFrom = kAttachBytes
  attachments = []
  #buffer = null

  // Null: there is not so much memory. `begun`: the bytes that were written elsewhere so far.
  static begin (begun, needed, wanted) {
    const memory = new PacketMemory()
    return memory.#resize(begun, needed, wanted) ? memory : null
  }

  grow (start, used, needed, wanted) {
    return this.#resize(this.bytes.subarray(start, start + used), needed, wanted) ? start : -1
  }

  attach (buffer) {
    return this.attachments.push(buffer) - 1
  }

  // For the encoder, which writes the value once more from its beginning.
  detach () {
    this.attachments.length = 0
  }

  // For the encoder, when the value cannot be encoded after all.
  free () {
    if (this.#buffer !== null) native.detach(this.#buffer)
  }

  // What was encoded, as a message for a port: `[message, transferList]`.
  toMessage (length) {
    const { attachments } = this
    const packet = this.#buffer
    const message = new Message()
    message.packet = packet
    message.length = length
    message.attachments = attachments
    return [message, [packet, ...attachments]]
  }

  // Never in place: V8 is five to ten times as slow in the memory of a resizable ArrayBuffer.
  #resize (begun, needed, wanted) {
    if (needed > kMaxBytes) return false
    const buffer = allocate(Math.min(kSpare * wanted, kMaxBytes)) ?? allocate(needed)
    if (buffer === null) return false
    copy(begun, buffer)
    this.free()
    this.#buffer = buffer
    this.bytes = new Uint8Array(buffer)
    this.limit = buffer.byteLength
    return true
  }
}

// What is decoded last, and its decoder once there is one.
const source = { bytes: null, attachments: null }
let decoder = null

const align8 = (bytes) => Math.ceil(bytes / 8) * 8

// Null: there is not so much memory.
function allocate (size) {
  try {
    return new ArrayBuffer(align8(size))
  } catch {
    return null
  }
}

// fill() is one memcpy, where set() goes word by word through shared memory.
function copy (bytes, buffer) {
  if (bytes.length > 0) Buffer.from(buffer).fill(bytes, 0, bytes.length)
}

// A value that is encoded nowhere else, as a message. Null: the platform has to clone it.
function encode (value) {
  const { Encoder } = require('../codec')
  const memory = PacketMemory.begin(new Uint8Array(0), kFirstBytes, kFirstBytes)
  if (memory === null) return null
  const length = new Encoder(memory).encode(value, 0)
  return length < 0 ? null : memory.toMessage(length)
}

// A value as a message. `packed`: what toMessage() made of it, if it is encoded. The others
// are the platform's to clone, and may have shared objects inside, whose classes the clone
// strips.
function pack (value, packed, transferList) {
  return packed ?? wrap(value, transferList)
}

function wrap (value, transferList) {
  const message = new Message()
  message.value = value
  message.isStripped = isUsed()
  message.isBuffer = isBuffer(value)
  return [message, transferList]
}

// Of which the platform makes a Uint8Array.
function isBuffer (value) {
  return ArrayBuffer.isView(value) && Buffer.isBuffer(value)
}

// Throws what is wrong with a value that came, but could not be deserialized.
function unpack (received) {
  if (received instanceof Unreadable) throw received.error
  const { value, isStripped, isBuffer, packet, length, attachments } = received
  if (packet === undefined) {
    if (isBuffer === true) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    return isStripped === true ? revive(value) : value
  }
  source.bytes = new Uint8Array(packet)
  source.attachments = attachments
  try {
    return getDecoder().decode(0, length)
  } finally {
    source.bytes = source.attachments = null
    native.detach(packet) // at once: the garbage collector of some versions does not know how much it is
  }
}

// One for all, since it learns which shapes of objects come.
function getDecoder () {
  if (decoder === null) {
    const { Decoder } = require('../codec')
    decoder = new Decoder(source)
  }
  return decoder
}

module.exports = { PacketMemory, encode, pack, unpack }
