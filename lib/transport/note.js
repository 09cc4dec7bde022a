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

const { encode, pack, unpack, unpackText } = require('./packet')
const { Note } = require('./value-port')

// The numbers of two notes that belong to no task, below those of tasks. A worker that ends by
// itself says farewell: the slot is its exit code, the value is worker/farewell.js's. A probe has
// no meaning: the owner posts it to see whether the port is open.
const kFarewell = -1
const kProbe = -2

function sendNote (port, number, slot, value) {
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'function') return sendMessage(port, number, slot, value, null)
    return port.post([number, slot, value, false])
  }
  const packed = encode(value)
  if (packed === null || !isText(packed[0])) return sendMessage(port, number, slot, value, packed)
  port.post([number, slot, packed[0].packet, true])
}

function isText ({ packet, beside }) { return typeof packet === 'string' && beside.length === 0 }

function sendMessage (port, number, slot, value, packed) {
  const [content, transferList] = pack(value, packed)
  content.note = number
  content.slot = slot
  port.send(content, transferList)
}

// The value of a note. Throws the error of one that could not be deserialized.
function valueOf (note) {
  if (!(note instanceof Note)) return unpack(note)
  return note.isEncoded ? unpackText(note.value) : note.value
}

module.exports = { kFarewell, kProbe, sendNote, valueOf }
