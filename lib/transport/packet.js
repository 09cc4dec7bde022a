'use strict'

// Messages for values that are sent by MessagePort. If the codec can encode such a value (there was
// no room for it in shared memory, or it has a buffer that is moved), the message is a packet with
// the encoding: a text, or an ArrayBuffer that is transferred. So what the receiver gets does not
// depend on the size of a value, or on how full the shared memory was.

const { ArrayBuffer, Buffer, Math, Uint8Array } = require('../base/globals')
const native = require('../base/native')
const { kMaxRegion } = require('../codec/views')
const { isShared, isUsed, restorePlain, revive } = require('../shared/registry')
const { kAttachBytes } = require('./attach-bytes')
const { joined } = require('./moved-buffers')
const { besideName, findBeside, kMaxListed } = require('./shared-names')
const { Unreadable } = require('./value-port')

const kFirstBytes = 4096
// Encodings of up to this many bytes are sent as a text with a character for each byte. V8 clones
// such a text faster than it transfers a buffer, and the memory for the encoding can be used again.
// Besides, where many large buffers are alive, making another one makes V8 collect garbage.
const kMaxText = 16 * 1024
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
  // Instead of the value: its encoding, as a text or in an ArrayBuffer.
  packet = undefined
  length = 0
  beside = undefined
  // Of a note (note.js): its number, which is not 0, and the slot of its task.
  note = 0
  slot = 0
  // The number of this message (value-port.js).
  message = 0
}

// The memory for encodings that become texts, and the same for decoding. Made when first needed.
let textMemory = null
let isTextMemoryUsed = false
let receivedBytes = null
let receivedText = null // as a Buffer

// The memory of one packet. The encoding begins at its first byte.
class PacketMemory {
  bytes = null
  limit = 0
  attachFrom = kAttachBytes
  #buffer = null
  // What is sent beside the encoding: buffers that are transferred, and objects that are shared.
  #beside = []
  #transferred = []
  #names = null
  // The shared objects of the value, in their order.
  #named = []

  // `begun`: the part of the encoding that was written elsewhere. `names`: of what it names, or
  // null. Null: there is not enough memory.
  static begin (begun, needed, wanted, names = null) {
    const memory = new PacketMemory()
    if (names !== null) {
      memory.#names = names
      memory.#named = names.takeList()
    }
    return memory.#resize(begun, needed, wanted) ? memory : null
  }

  // Begins the next encoding, which refers to no names. False: there is not enough memory.
  open () {
    this.#beside = []
    this.#transferred = []
    this.#named = []
    return this.#resize(kNothing, kFirstBytes, kFirstBytes)
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

  // Called by the encoder when it writes the value again from its beginning.
  detach () {
    this.#beside.length = this.#transferred.length = this.#named.length = 0
  }

  // Called by the encoder when the value cannot be encoded.
  free () {
    if (this.#buffer === null) return
    if (this.bytes === textMemory) isTextMemoryUsed = false
    else native.detach(this.#buffer)
    this.#buffer = null
  }

  // The encoding as a message for a port: `[message, transferList, named]`, with the shared objects
  // that it names.
  toMessage (length) {
    const message = new Message()
    message.length = length
    message.beside = this.#beside
    const buffer = this.#buffer
    if (length > kMaxText) {
      this.#buffer = null // it belongs to the message, which may be sent much later
      message.packet = buffer
      return [message, [buffer, ...this.#transferred], this.#named]
    }
    message.packet = Buffer.from(buffer, 0, length).latin1Slice(0, length)
    this.free()
    return [message, this.#transferred, this.#named]
  }

  // Always moves to a new buffer: in a resizable ArrayBuffer V8 is five to ten times as slow.
  #resize (begun, needed, wanted) {
    if (needed > kMaxRegion) return false
    const bytes = (wanted <= kMaxText ? takeTextMemory() : null) ??
      allocate(Math.min(kSpare * wanted, kMaxRegion)) ?? allocate(needed)
    if (bytes === null) return false
    copy(begun, bytes)
    this.free()
    this.#buffer = bytes.buffer
    this.bytes = bytes
    this.limit = bytes.length
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
const kNothingBeside = []
// Once there is one.
let decoder = null

const kNothing = new Uint8Array(0)
const align8 = (bytes) => Math.ceil(bytes / 8) * 8

// Null: there is not enough memory.
function allocate (size) {
  try {
    return new Uint8Array(align8(size))
  } catch {
    return null
  }
}

// Null: it is in use, by a value one of whose getters sends another value.
function takeTextMemory () {
  if (isTextMemoryUsed) return null
  textMemory ??= allocate(kMaxText)
  isTextMemoryUsed = textMemory !== null
  return textMemory
}

// By fill(), which is one memcpy; set() copies from shared memory word by word.
function copy (from, to) {
  if (from.length > 0) Buffer.from(to.buffer).fill(from, 0, from.length)
}

// The encoder of values that are messages from the beginning, and its memory. One serves all of
// them, since it learns their shapes.
let writer = null

function createWriter () {
  const { Encoder } = require('../codec')
  const memory = new PacketMemory()
  return { memory, encoder: new Encoder(memory) }
}

// Encodes a value into a packet, as a message. Null: the platform has to clone the value.
// `transferList`: ArrayBuffers that are transferred with the message, or undefined.
function encode (value, transferList) {
  writer ??= createWriter()
  // A getter of the value that is being encoded has called this. One encoder serves one value.
  const { memory, encoder } = writer.encoder.isBusy ? createWriter() : writer
  if (!memory.open()) return null
  const length = encoder.encode(value, 0)
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

// The value of an encoding that was sent as a text and nothing beside it.
function unpackText (text) { return decode(0, text.length, bytesOf(text), kNothingBeside) }

// The value of a message, to which a slot of a SlotMemory refers. Throws the error of a message
// that could not be deserialized.
function unpack (received, memory = kNoSlot, slot = 0) {
  if (received instanceof Unreadable) throw received.error
  const { value, isStripped, isBuffer, packet, length, beside } = received
  if (packet === undefined) {
    if (isBuffer === true) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    return isStripped === true ? revive(value) : value
  }
  if (typeof packet === 'string') return decode(0, length, bytesOf(packet), beside, memory, slot)
  try {
    return decode(0, length, new Uint8Array(packet), beside, memory, slot)
  } finally {
    // Freed at once: the garbage collector of some versions of Node does not know its size.
    native.detach(packet)
  }
}

function decode (start, end, bytes, beside, memory = kNoSlot, slot = 0) {
  source.set(bytes, beside, memory, slot)
  try {
    return getDecoder().decode(start, end)
  } finally {
    source.set(null, null, null, 0)
  }
}

// They are valid until the next call.
function bytesOf (text) {
  receivedBytes ??= new Uint8Array(kMaxText)
  receivedText ??= Buffer.from(receivedBytes.buffer)
  receivedText.latin1Write(text, 0, text.length)
  return receivedBytes
}

// Several encodings in one ArrayBuffer (batch.js).
class Parts {
  #bytes
  #beside

  constructor (buffer, beside) {
    this.#bytes = buffer === null ? null : new Uint8Array(buffer)
    this.#beside = beside
  }

  decode (start, end) { return decode(start, end, this.#bytes, this.#beside) }
}

// One decoder for all packets, since it learns the shapes of objects.
function getDecoder () {
  if (decoder === null) {
    const { Decoder } = require('../codec')
    decoder = new Decoder(source)
  }
  return decoder
}

module.exports = { PacketMemory, Parts, dropMessage, encode, pack, unpack, unpackText }
