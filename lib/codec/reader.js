'use strict'

const {
  BigInt, Buffer, DataView, Int32Array, Math, String, Uint8Array
} = require('../base/globals')
const { BufferPool } = require('./buffer-pool')
const { own } = require('../base/own')
const { viewsOn, kMaxRegion } = require('./views')
const { createError } = require('../base/errors')
const { Interned, kMaxInterned } = require('./interned')

const { slice } = Uint8Array.prototype
const { slice: cut } = String.prototype
// The byte order of the machine, which that of the words is.
const isLittleEndian = new Uint8Array(Int32Array.of(1).buffer)[0] === 1

// From this many bytes on, Buffer's methods to allocate and copy memory are worth their overhead.
const kLargeBytes = 2048

// Making a string of bytes is a call into the engine. Making a substring is done by compiled code,
// in a third of the time. So a piece of the payload is made into one string, and short strings are
// cut from that. Up to this length V8 copies a substring; a longer one would refer to the whole
// piece and keep it in memory.
const kMaxCut = 12
const kTextBytes = 4096

// The cursor of a decoder. The memory is shared with JavaScript that may overwrite it at any time.
// So a length is read once, compared with what is left, and only then used.
class Reader {
  // Positions are in words, from the start of the region. Only modules of the codec use these.
  words = null
  buffer = null
  pos = 0
  end = 0
  memory

  #bytes = null
  // For values that are not aligned.
  #view = null
  #interned = new Interned()
  #pool = new BufferPool()
  // The bytes from #textStart on as a string, whatever they stand for.
  #text = ''
  #textStart = 0
  #textLimit = 0

  constructor (memory) {
    this.memory = memory
  }

  open (start, end) {
    const { bytes } = this.memory
    if (bytes !== this.#bytes) {
      const { words, buffer } = viewsOn(bytes)
      this.words = words
      this.buffer = buffer
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      this.#bytes = bytes
    }
    if (!(start >= 0 && start <= end && end <= bytes.length) || ((start | end) & 3) !== 0) {
      const expected = `a payload of whole words in ${bytes.length} bytes`
      throw createError('ERR_TELAR_CORRUPT_PAYLOAD', expected, `bytes ${start} to ${end}`, 0)
    }
    this.pos = start >>> 2
    this.end = end >>> 2
    this.#text = ''
    this.#textStart = 0
    this.#textLimit = end
  }

  fail (expected, received) {
    throw createError('ERR_TELAR_CORRUPT_PAYLOAD', expected, received, (this.pos - 1) * 4)
  }

  word () {
    if (this.pos >= this.end) this.fail('another word', 'the end')
    return this.words[this.pos++]
  }

  // Moves the cursor past `count` words, and returns where they begin.
  take (count) {
    const { pos } = this
    if (count > this.end - pos) this.fail(`${count} more words`, `${this.end - pos}`)
    this.pos = pos + count
    return pos
  }

  double () {
    return this.#view.getFloat64(this.take(2) * 4, isLittleEndian)
  }

  bigint64 () {
    return this.#view.getBigInt64(this.take(2) * 4, isLittleEndian)
  }

  bigintHex (length, negative) {
    const digits = this.latin1(length)
    if (!/^[0-9a-f]+$/.test(digits)) this.fail('hexadecimal digits', 'other characters')
    const value = BigInt(`0x${digits}`)
    return negative ? -value : value
  }

  latin1 (length) {
    if (length === 0) return ''
    const pos = this.take((length + 3) >>> 2)
    if (length <= kMaxInterned) {
      const known = this.#interned.read(this.words, pos, length)
      if (known !== null) return known
    }
    return this.oneByteText(pos * 4, length)
  }

  // A string of the bytes from `start` on. The caller has checked that they are there.
  oneByteText (start, length) {
    return length <= kMaxCut
      ? this.#cut(start, length)
      : this.buffer.latin1Slice(start, start + length)
  }

  #cut (start, length) {
    let from = start - this.#textStart
    if (from < 0 || from + length > this.#text.length) {
      this.#readText(start)
      from = 0
    }
    return cut.call(this.#text, from, from + length)
  }

  #readText (start) {
    this.#textStart = start
    this.#text = this.buffer.latin1Slice(start, Math.min(start + kTextBytes, this.#textLimit))
  }

  utf16 (length) {
    const pos = this.take((length + 1) >>> 1)
    return this.buffer.ucs2Slice(pos * 4, pos * 4 + 2 * length)
  }

  // Where the `length` bytes of a buffer begin: at a multiple of 8.
  #payload (length) {
    // Checked first, since what follows is arithmetic in 32 bits.
    if (length > kMaxRegion) this.fail('the length of a buffer', `${length}`)
    if ((this.pos & 1) === 1) this.take(1)
    return this.take((length + 3) >>> 2) * 4
  }

  // A copy in an ArrayBuffer of its own.
  arrayBuffer (length) {
    const start = this.#payload(length)
    if (length >= kLargeBytes) return this.#copyLarge(start, length).buffer
    // By means of the existing view: making a view on growable memory is a call into the engine.
    return slice.call(this.#bytes, start, start + length).buffer
  }

  // An ArrayBuffer that came beside the encoding.
  attached (index) {
    const buffer = own(this.memory, 'attachments')?.[index]
    if (buffer === undefined) this.fail('the index of an attached ArrayBuffer', `${index}`)
    return buffer
  }

  // A copy as a Buffer; a small one is in a pool, as with Buffer.from().
  nodeBuffer (length) {
    const start = this.#payload(length)
    if (length >= kLargeBytes) return this.#copyLarge(start, length)
    return this.#pool.copy(this.buffer, start, length)
  }

  // One memcpy, into memory that was not zeroed first and is not part of a pool.
  #copyLarge (start, length) {
    const { buffer, byteOffset } = this.buffer
    const source = new Uint8Array(buffer, byteOffset + start, length)
    return Buffer.allocUnsafeSlow(length).fill(source)
  }
}

module.exports = { Reader }
