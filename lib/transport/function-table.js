'use strict'

// The texts of task functions in shared memory: which file, which export. The owner writes
// them, workers read them. A slot names a place of the table, and the owner leaves that place
// as it is while any slot that is out names it.
//
// So no worker is told of a function that it runs no task of: what a worker that is idle, or
// busy for hours, has yet to read does not grow.
//
//   places   16 bytes each: float64 serial, int32 first chunk, int32 length
//   chunks   256 bytes each: int32 next chunk, then up to 126 UTF-16 code units
//
// Serials are given once. A worker that kept the function of a place knows by the serial
// whether it is still that one.

const { Buffer, Float64Array, Int32Array, Math, Number, SharedArrayBuffer } = require('../base/globals')

const kPlaceBytes = 16
const kChunkBytes = 256
const kTextOffset = 4 // in a chunk
const kTextUnits = (kChunkBytes - kTextOffset) / 2

class FunctionTable {
  buffer
  places
  #serials
  #words
  #bytes
  #chunksAt // in bytes

  constructor (buffer, slots) {
    this.buffer = buffer
    this.places = placesOf(slots)
    this.#chunksAt = chunksAt(slots)
    // With lengths of their own, since views that follow the length of a buffer are slower.
    this.#serials = new Float64Array(buffer, 0, this.places * 2)
    this.#words = new Int32Array(buffer, 0, buffer.byteLength / 4)
    this.#bytes = Buffer.from(buffer, 0, buffer.byteLength)
  }

  // Room for so many bytes of text. Reserved without being touched, as slots are.
  static create (slots, textBytes) {
    const bytes = chunksAt(slots) + roundUp(textBytes)
    return new FunctionTable(new SharedArrayBuffer(bytes, { maxByteLength: bytes }), slots)
  }

  get chunks () { return (this.buffer.byteLength - this.#chunksAt) / kChunkBytes }

  serial (place) { return this.#serials[place * 2] }

  // `chunks`: as many as chunksFor(text), which nobody else uses.
  write (place, serial, text, chunks) {
    this.#serials[place * 2] = serial
    this.#words[place * 4 + 2] = chunks[0]
    this.#words[place * 4 + 3] = text.length
    for (let i = 0; i < chunks.length; i++) {
      const at = this.#chunksAt + chunks[i] * kChunkBytes
      if (i + 1 < chunks.length) this.#words[at / 4] = chunks[i + 1]
      const part = text.slice(i * kTextUnits, (i + 1) * kTextUnits)
      this.#bytes.write(part, at + kTextOffset, part.length * 2, 'utf16le')
    }
  }

  // `{ filename, name }`
  read (place) {
    let text = ''
    let chunk = this.#words[place * 4 + 2]
    const length = this.#words[place * 4 + 3]
    while (text.length < length) {
      const at = this.#chunksAt + chunk * kChunkBytes
      const from = at + kTextOffset
      const units = Math.min(kTextUnits, length - text.length)
      text += this.#bytes.toString('utf16le', from, from + 2 * units)
      chunk = this.#words[at / 4]
    }
    return fromText(text)
  }
}

// One for the pool's own function, and one for each slot: with a function of its own for each
// there is still a place.
const placesOf = (slots) => slots + 1

const roundUp = (bytes) => Math.ceil(bytes / kChunkBytes) * kChunkBytes

const chunksAt = (slots) => roundUp(placesOf(slots) * kPlaceBytes)

// A text of no characters has one too.
function chunksFor (text) {
  return Math.max(1, Math.ceil(text.length / kTextUnits))
}

// A function as one text, which is its key as well. Either may hold any character.
function toText (filename, name) {
  return `${name.length} ${name}${filename}`
}

function fromText (text) {
  const start = text.indexOf(' ') + 1
  const end = start + Number(text.slice(0, start))
  return { name: text.slice(start, end), filename: text.slice(end) }
}

module.exports = { FunctionTable, chunksFor, toText }
