'use strict'

// Messages for values that are sent by MessagePort. If the codec can encode such a value (there was
// no room for it in shared memory, or it is a result with a large buffer), the message is a packet:
// an ArrayBuffer with the encoding, which is transferred. So what the receiver gets does not depend
// on the size of a value, or on how full the shared memory was.

const { ArrayBuffer, Buffer, Math, Uint8Array } = require('../base/globals')
const native = require('../base/native')
const { kMaxRegion } = require('../codec/views')
const { isUsed, revive } = require('../shared/registry')
const { kAttachBytes } = require('./attach-bytes')
const { Unreadable } = require('./value-port')

const kFirstBytes = 4096
// A packet is made this many times as large as wanted. Memory that is not written to costs only
// address space, while moving to a larger packet costs as much as encoding.
const kSpare = 2

// Every message has all members: see own.js.
class Message {
  value = undefined
  // The value may have shared objects inside, whose classes the clone has stripped.
  isStripped = false
  // The value was a Buffer, which the clone has turned into a Uint8Array.
  isBuffer = false
  // For a task whose function has no entry in the function table: `{ filename, name }`.
  taskFunction = undefined
  // Instead of the value: its encoding.
  packet = undefined
  length = 0
  attachments = undefined
}

// The memory of one packet. The encoding begins at its first byte.
class PacketMemory {
  bytes = null
  limit = 0
  attachFrom = kAttachBytes
  attachments = []
  #buffer = null

  // `begun`: the part of the encoding that was written elsewhere. Null: there is not enough memory.
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

  // Called by the encoder when it writes the value again from its beginning.
  detach () {
    this.attachments.length = 0
  }

  // Called by the encoder when the value cannot be encoded.
  free () {
    if (this.#buffer !== null) native.detach(this.#buffer)
  }

  // The encoding as a message for a port: `[message, transferList]`.
  toMessage (length) {
    const { attachments } = this
    const packet = this.#buffer
    const message = new Message()
    message.packet = packet
    message.length = length
    message.attachments = attachments
    return [message, [packet, ...attachments]]
  }

  // Always moves to a new buffer: in a resizable ArrayBuffer V8 is five to ten times as slow.
  #resize (begun, needed, wanted) {
    if (needed > kMaxRegion) return false
    const buffer = allocate(Math.min(kSpare * wanted, kMaxRegion)) ?? allocate(needed)
    if (buffer === null) return false
    copy(begun, buffer)
    this.free()
    this.#buffer = buffer
    this.bytes = new Uint8Array(buffer)
    this.limit = buffer.byteLength
    return true
  }
}

// The packet that is being decoded, and the decoder, once there is one.
const source = { bytes: null, attachments: null }
let decoder = null

const align8 = (bytes) => Math.ceil(bytes / 8) * 8

// Null: there is not enough memory.
function allocate (size) {
  try {
    return new ArrayBuffer(align8(size))
  } catch {
    return null
  }
}

// By fill(), which is one memcpy; set() copies from shared memory word by word.
function copy (bytes, buffer) {
  if (bytes.length > 0) Buffer.from(buffer).fill(bytes, 0, bytes.length)
}

// Encodes a value into a packet, as a message. Null: the platform has to clone the value.
function encode (value) {
  const { Encoder } = require('../codec')
  const memory = PacketMemory.begin(new Uint8Array(0), kFirstBytes, kFirstBytes)
  if (memory === null) return null
  const length = new Encoder(memory).encode(value, 0)
  return length < 0 ? null : memory.toMessage(length)
}

// A value as a message. `packed`: the result of toMessage(), if the value is encoded. Otherwise the
// platform clones it; it may have shared objects inside, whose classes the clone strips.
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

// Structured clone makes a Uint8Array of a Buffer.
function isBuffer (value) {
  return ArrayBuffer.isView(value) && Buffer.isBuffer(value)
}

// The value of a message. Throws the error of one that could not be deserialized.
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
    // Freed at once: the garbage collector of some versions of Node does not know its size.
    native.detach(packet)
  }
}

// One decoder for all packets, since it learns the shapes of objects.
function getDecoder () {
  if (decoder === null) {
    const { Decoder } = require('../codec')
    decoder = new Decoder(source)
  }
  return decoder
}

module.exports = { PacketMemory, encode, pack, unpack }
