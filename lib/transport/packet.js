'use strict'

// Messages for values that are sent by MessagePort. If the codec can encode such a value (there was
// no room for it in shared memory, or it is a result with a large buffer), the message is a packet:
// an ArrayBuffer with the encoding, which is transferred. So what the receiver gets does not depend
// on the size of a value, or on how full the shared memory was.

const { ArrayBuffer, Buffer, Math, Uint8Array } = require('../base/globals')
const native = require('../base/native')
const { kMaxRegion } = require('../codec/views')
const { isShared, isUsed, restorePlain, revive } = require('../shared/registry')
const { kAttachBytes } = require('./attach-bytes')
const { joined } = require('./moved-buffers')
const { besideName, findBeside, kMaxListed } = require('./shared-names')
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
  // For a task whose function has no entry in the function table: `{ filename, name, kind }`.
  taskFunction = undefined
  // For a task whose key is too long for its slot.
  key = undefined
  // Instead of a value: the number of an earlier message, whose task will not run.
  dropped = undefined
  // Instead of the value: its encoding.
  packet = undefined
  length = 0
  beside = undefined
  // Of a note (note.js): its number, which is not 0, and the slot of its task.
  note = 0
  slot = 0
}

// The memory of one packet. The encoding begins at its first byte.
class PacketMemory {
  bytes = null
  limit = 0
  attachFrom = kAttachBytes
  #buffer = null
  // What is sent beside the encoding: buffers that are transferred, and objects that are shared.
  #beside = []
  #transferred = []
  #names
  // The shared objects of the value, in their order.
  #named

  constructor (names) {
    this.#names = names
    this.#named = names === null ? [] : names.takeList()
  }

  // `begun`: the part of the encoding that was written elsewhere. `names`: of what it names, or
  // null. Null: there is not enough memory.
  static begin (begun, needed, wanted, names = null) {
    const memory = new PacketMemory(names)
    return memory.#resize(begun, needed, wanted) ? memory : null
  }

  grow (start, used, needed, wanted) {
    return this.#resize(this.bytes.subarray(start, start + used), needed, wanted) ? start : -1
  }

  attach (buffer) {
    this.#transferred.push(buffer)
    return this.#beside.push(buffer) - 1
  }

  // Called by the encoder for an object that threads share. -1: there are too many.
  nameOf (object) {
    if (this.#named.length === kMaxListed) return -1
    this.#named.push(object)
    const name = this.#names?.announcedName(object) ?? -1
    if (name >= 0) return name
    this.#names?.countByPort(object)
    return besideName(this.#beside.push(object) - 1)
  }

  isShared (object) { return isShared(object) }

  // Whether nothing is sent beside the encoding.
  get isAlone () { return this.#beside.length === 0 }

  // Called by the encoder when it writes the value again from its beginning.
  detach () {
    this.#beside.length = this.#transferred.length = this.#named.length = 0
  }

  // Called by the encoder when the value cannot be encoded.
  free () {
    if (this.#buffer !== null) native.detach(this.#buffer)
  }

  // The encoding as a message for a port: `[message, transferList, named]`, with the shared objects
  // that it names.
  toMessage (length) {
    const packet = this.#buffer
    const message = new Message()
    message.packet = packet
    message.length = length
    message.beside = this.#beside
    return [message, [packet, ...this.#transferred], this.#named]
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

// Instead of a SlotMemory, for a message that belongs to no slot.
const kNoSlot = { namedIn: (slot, name, beside) => findBeside(name, beside), restartIn () {} }

// The packet that is being decoded.
class Source {
  bytes = null
  attachments = null
  #memory = null
  #slot = 0

  // Null: there is none any more.
  set (bytes, beside, memory, slot) {
    this.bytes = bytes
    this.attachments = beside
    this.#memory = memory
    this.#slot = slot
  }

  named (name) { return this.#memory.namedIn(this.#slot, name, this.attachments) }

  restart () { this.#memory.restartIn(this.#slot) }

  revive (plain) { return restorePlain(plain) }
}

const source = new Source()
// Once there is one.
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
// `transferList`: ArrayBuffers that are transferred with the message, or undefined.
function encode (value, transferList) {
  const { Encoder } = require('../codec')
  const memory = PacketMemory.begin(new Uint8Array(0), kFirstBytes, kFirstBytes)
  if (memory === null) return null
  const length = new Encoder(memory).encode(value, 0)
  if (length < 0) return null
  const packed = memory.toMessage(length)
  if (transferList !== undefined) packed[1] = joined(packed[1], transferList)
  return packed
}

// A value as a message. `packed`: the result of toMessage(), if the value is encoded. Otherwise the
// platform clones it; it may have shared objects inside, whose classes the clone strips.
function pack (value, packed, transferList) {
  return packed ?? wrap(value, transferList)
}

// See Message#dropped.
function dropMessage (number) {
  const message = new Message()
  message.dropped = number
  return message
}

function wrap (value, transferList) {
  const message = new Message()
  message.value = value
  message.isStripped = isUsed()
  message.isBuffer = isBuffer(value)
  return [message, transferList, []]
}

// Structured clone makes a Uint8Array of a Buffer.
function isBuffer (value) {
  return ArrayBuffer.isView(value) && Buffer.isBuffer(value)
}

// The value of a message, to which a slot of a SlotMemory refers. Throws the error of a message
// that could not be deserialized.
function unpack (received, memory = kNoSlot, slot = 0) {
  if (received instanceof Unreadable) throw received.error
  const { value, isStripped, isBuffer, packet, length, beside } = received
  if (packet === undefined) {
    if (isBuffer === true) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    return isStripped === true ? revive(value) : value
  }
  source.set(new Uint8Array(packet), beside, memory, slot)
  try {
    return getDecoder().decode(0, length)
  } finally {
    source.set(null, null, null, 0)
    // Freed at once: the garbage collector of some versions of Node does not know its size.
    native.detach(packet)
  }
}

// Several encodings in one ArrayBuffer (batch.js).
class Parts {
  #bytes
  #beside

  constructor (buffer, beside) {
    this.#bytes = buffer === null ? null : new Uint8Array(buffer)
    this.#beside = beside
  }

  decode (start, end) {
    source.set(this.#bytes, this.#beside, kNoSlot, 0)
    try {
      return getDecoder().decode(start, end)
    } finally {
      source.set(null, null, null, 0)
    }
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

module.exports = { PacketMemory, Parts, dropMessage, encode, pack, unpack }
