'use strict'

// The table of task functions in shared memory: the file and the export of each. The owner writes
// it, workers read it. A slot refers to an entry of the table by its index. The owner does not
// change an entry as long as a slot in use refers to it.
//
// A worker reads only the entries of the tasks that it runs. So no messages about functions pile up
// for a worker that is idle, or busy for hours.
//
//   entries  16 bytes each: float64 serial, int32 first chunk, int32 length
//   chunks   256 bytes each: int32 next chunk, then up to 126 UTF-16 code units
//
// A function may be called in another way than with the value of its task (kinds). That is part of
// its entry, so it costs other tasks nothing.
//
// Each serial is used once. By the serial a worker knows whether the function that it has loaded
// for an entry is still the one of that entry.

const {
  Buffer, Float64Array, Int32Array, Math, Number, SharedArrayBuffer
} = require('../base/globals')

// How a function is called. kPlain: with the value. kBatch: once for each value of a batch
// (batch.js). kStream: for values that it gives one after the other, on a channel.
const kPlain = ''
const kBatch = 'b'
const kStream = 's'

const kEntryBytes = 16
const kChunkBytes = 256
const kTextOffset = 4 // in a chunk
const kTextUnits = (kChunkBytes - kTextOffset) / 2

class FunctionTable {
  buffer
  entries
  #serials
  #words
  #bytes
  #chunksAt // in bytes

  constructor (buffer, slots) {
    this.buffer = buffer
    this.entries = entriesFor(slots)
    this.#chunksAt = chunksAt(slots)
    // With explicit lengths, since views that follow the length of a growable buffer are slower.
    this.#serials = new Float64Array(buffer, 0, this.entries * 2)
    this.#words = new Int32Array(buffer, 0, buffer.byteLength / 4)
    this.#bytes = Buffer.from(buffer, 0, buffer.byteLength)
  }

  // A table with room for `textBytes` bytes of text. Like the slots, the memory is reserved but not
  // touched.
  static create (slots, textBytes) {
    const bytes = chunksAt(slots) + roundUp(textBytes)
    return new FunctionTable(new SharedArrayBuffer(bytes, { maxByteLength: bytes }), slots)
  }

  get chunks () { return (this.buffer.byteLength - this.#chunksAt) / kChunkBytes }

  serial (entry) { return this.#serials[entry * 2] }

  // `chunks`: the indices of as many free chunks as chunksFor(text) says.
  write (entry, serial, text, chunks) {
    this.#serials[entry * 2] = serial
    this.#words[entry * 4 + 2] = chunks[0]
    this.#words[entry * 4 + 3] = text.length
    for (let i = 0; i < chunks.length; i++) {
      const at = this.#chunksAt + chunks[i] * kChunkBytes
      if (i + 1 < chunks.length) this.#words[at / 4] = chunks[i + 1]
      const part = text.slice(i * kTextUnits, (i + 1) * kTextUnits)
      this.#bytes.write(part, at + kTextOffset, part.length * 2, 'utf16le')
    }
  }

  // `{ filename, name, kind }`
  read (entry) {
    let text = ''
    let chunk = this.#words[entry * 4 + 2]
    const length = this.#words[entry * 4 + 3]
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

// One entry for the function of the pool, and one for each slot: enough even if each slot has a
// function of its own.
const entriesFor = (slots) => slots + 1

const roundUp = (bytes) => Math.ceil(bytes / kChunkBytes) * kChunkBytes

const chunksAt = (slots) => roundUp(entriesFor(slots) * kEntryBytes)

// How many chunks a text takes; an empty text takes one too.
function chunksFor (text) {
  return Math.max(1, Math.ceil(text.length / kTextUnits))
}

// A function as one text, which also serves as its key. Filename and name may hold any characters,
// so the length of the name comes first.
function toText (filename, name, kind) {
  return `${kind}${name.length} ${name}${filename}`
}

function fromText (text) {
  const kind = text[0] === kBatch || text[0] === kStream ? text[0] : kPlain
  const start = text.indexOf(' ') + 1
  const end = start + Number(text.slice(kind.length, start))
  return { name: text.slice(start, end), filename: text.slice(end), kind }
}

module.exports = { FunctionTable, chunksFor, kBatch, kPlain, kStream, toText }
