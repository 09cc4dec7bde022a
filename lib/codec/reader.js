'use strict'

const { BigInt, Buffer, DataView, Int32Array, Math, String, Uint8Array } = require('../base/globals')
const { BufferPool } = require('./buffer-pool')
const { own } = require('../base/own')
const { viewsOn, MAX_REGION } = require('./views')
const { createError } = require('../base/errors')
const { Interned, MAX_INTERNED } = require('./interned')

const { slice } = Uint8Array.prototype
const { slice: cut } = String.prototype
// In the order of bytes that words have.
const isLittleEndian = new Uint8Array(Int32Array.of(1).buffer)[0] === 1

// From here on Buffer's own ways to get and to copy memory are worth their overhead.
const LARGE = 2048

// To make a string of bytes is a call into the engine. A part of a string is made by generated code, in a third of the
// time; so a piece of the payload is made into one, of which short strings are cut. Up to this length the engine
// copies such a part; a longer one would refer to the whole piece and keep it in memory.
const MAX_CUT = 12
const TEXT = 4096

// The cursor of a decoder. The memory is shared with JavaScript that may overwrite it at
// any time: a length is read once, checked against what is left, and then used.
class Reader {
  // In words, from the start of the region. Public to the codec's own modules only.
  words = null
  buffer = null
  pos = 0
  end = 0
  memory

  #bytes = null
  // For what is not aligned.
  #view = null
  #interned = new Interned()
  #pool = new BufferPool()
  // The characters at this place in the payload, whatever they are.
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
      throw createError('ERR_TELAR_CORRUPT_PAYLOAD', `a payload of whole words in ${bytes.length} bytes`, `bytes ${start} to ${end}`, 0)
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

  // The position of `count` words, and the cursor after them.
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
    if (length <= MAX_INTERNED) {
      const known = this.#interned.read(this.words, pos, length)
      if (known !== null) return known
      if (length <= MAX_CUT) return this.#cut(pos, length)
    }
    return this.buffer.latin1Slice(pos * 4, pos * 4 + length)
  }

  #cut (pos, length) {
    let from = pos * 4 - this.#textStart
    if (from < 0 || from + length > this.#text.length) {
      this.#readText(pos)
      from = 0
    }
    return cut.call(this.#text, from, from + length)
  }

  #readText (pos) {
    this.#textStart = pos * 4
    this.#text = this.buffer.latin1Slice(pos * 4, Math.min(pos * 4 + TEXT, this.#textLimit))
  }

  utf16 (length) {
    const pos = this.take((length + 1) >>> 1)
    return this.buffer.ucs2Slice(pos * 4, pos * 4 + 2 * length)
  }

  // Where `length` bytes of the payload begin, at a multiple of 8.
  #payload (length) {
    // Before the arithmetic, which is that of 32 bits.
    if (length > MAX_REGION) this.fail('the length of a buffer', `${length}`)
    if ((this.pos & 1) === 1) this.take(1)
    return this.take((length + 3) >>> 2) * 4
  }

  // A copy in an ArrayBuffer of its own.
  arrayBuffer (length) {
    const start = this.#payload(length)
    if (length >= LARGE) return this.#copyLarge(start, length).buffer
    // From the view at hand: making one on growable memory calls into the engine.
    return slice.call(this.#bytes, start, start + length).buffer
  }

  // One that came beside the encoding, as it is.
  attached (index) {
    const buffer = own(this.memory, 'attachments')?.[index]
    if (buffer === undefined) this.fail('the index of an attached ArrayBuffer', `${index}`)
    return buffer
  }

  // A small one in a pool, as Buffer.from() makes it.
  nodeBuffer (length) {
    const start = this.#payload(length)
    if (length >= LARGE) return this.#copyLarge(start, length)
    return this.#pool.copy(this.buffer, start, length)
  }

  // One memcpy into memory that was not zeroed first, nor comes from a pool.
  #copyLarge (start, length) {
    return Buffer.allocUnsafeSlow(length).fill(new Uint8Array(this.buffer.buffer, this.buffer.byteOffset + start, length))
  }
}

module.exports = { Reader }
