'use strict'

// Notes: values that go by port beside those of tasks, in small messages. A worker sends the
// progress of its tasks, the owner the reason of an abort. A note has a number, by which the
// receiver knows whom it concerns, but no place in the sequence of messages.
//
//   [number, slot, value, false]  a primitive
//   [number, slot, text, true]    the encoding of another value, a character for each byte: V8
//                                 clones strings faster than buffers
//
// A value for which that is too little (it has attachments, or the platform has to clone it) goes
// in an ordinary message, whose member `note` is the number.

const { Buffer, Math, Uint8Array } = require('../base/globals')
const { PacketMemory, encode: encodePacket, pack, unpack } = require('./packet')
const { Note } = require('./value-port')

// The numbers of two notes that belong to no task, below those of tasks. A worker that ends by
// itself says farewell: the slot is its exit code, the value is worker/farewell.js's. A probe has
// no meaning: the owner posts it to see whether the port is open.
const kFarewell = -1
const kProbe = -2

const kFirstBytes = 1024
// Larger encodings are transferred, not copied.
const kMaxText = 16 * 1024

// The memory and the encoder of all notes of this thread, and the same for decoding, made with the
// first note that needs them.
let memory = null
let encoder = null
const source = { bytes: null, attachments: [] }
let decoder = null

function sendNote (port, number, slot, value) {
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'function') return sendMessage(port, number, slot, value, null)
    return port.post([number, slot, value, false])
  }
  const { text, packed } = encode(value)
  if (text !== null) port.post([number, slot, text, true])
  else sendMessage(port, number, slot, value, packed)
}

function sendMessage (port, number, slot, value, packed) {
  const [content, transferList] = pack(value, packed)
  content.note = number
  content.slot = slot
  port.send(content, transferList)
}

// Returns the encoding as `text` or as the message `packed`; neither if the platform has to clone
// the value.
function encode (value) {
  // A getter of the value that is being encoded has called this.
  if (encoder?.isBusy) return { text: null, packed: encodePacket(value) }
  if (memory === null && !open()) return { text: null, packed: null }
  const used = memory
  memory = null // unless the encoding leaves it as it was
  const length = encoder.encode(value, 0)
  if (length < 0) return { text: null, packed: null }
  if (!used.isAlone || length > kMaxText) {
    return { text: null, packed: used.toMessage(length) }
  }
  memory = used
  const { bytes } = used
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, length).latin1Slice(0, length)
  return { text, packed: null }
}

// False: there is not enough memory.
function open () {
  memory = PacketMemory.begin(new Uint8Array(0), kFirstBytes, kFirstBytes)
  if (memory === null) return false
  const { Encoder } = require('../codec')
  encoder = new Encoder(memory)
  return true
}

// The value of a note. Throws the error of one that could not be deserialized.
function valueOf (note) {
  if (!(note instanceof Note)) return unpack(note)
  return note.isEncoded ? decode(note.value) : note.value
}

function decode (text) {
  if (decoder === null || source.bytes.length < text.length) {
    const { Decoder } = require('../codec')
    source.bytes = Buffer.allocUnsafeSlow(Math.max(kMaxText, text.length))
    decoder = new Decoder(source)
  }
  source.bytes.latin1Write(text, 0, text.length)
  return decoder.decode(0, text.length)
}

module.exports = { kFarewell, kProbe, sendNote, valueOf }
