'use strict'

const { BigInt, BigInt64Array, Int32Array, Math, TypeError } = require('../base/globals')
const { kNotLatin1 } = require('./latin1')
const { kMaxNumberWords, putNumber } = require('./numbers')
const { memberOf } = require('../base/own')
const { ShortStrings, kMaxShort } = require('./short-strings')
const tags = require('./tags')
const { viewsOn } = require('./views')

const { kLatin1, kUtf16, kBigInt64, kBigIntHex, kTagBits, kMaxPayload, kMaxDepth } = tags

const bigint = new BigInt64Array(1)
const halves = new Int32Array(bigint.buffer)

// A number is written here to see how many words it takes.
const lastWords = new Int32Array(kMaxNumberWords)

// The cursor of an encoder: bounded writes of words, numbers and strings. The methods that write
// return false when there is no room.
class Writer {
  // Positions are in words, from the start of the region. Only modules of the codec use these.
  words = null
  buffer = null
  base = 0
  pos = 0
  end = 0
  // How many containers are around the current value.
  depth = 0
  // No memory was left. Leaving out a property would not help.
  full = false
  // The memory that is written to: that of the transport, or what its overflow() gave.
  memory
  // Buffers of this many bytes or more are attached there.
  #attachFrom
  strings = new ShortStrings()
  // The buffers that are moved with the value (transport/moved-buffers.js), or null.
  moved = null

  #home
  #bytes = null

  constructor (memory) {
    this.#home = memory
    this.#use(memory)
  }

  #use (memory) {
    this.memory = memory
    this.#attachFrom = memberOf(memory, 'attachFrom') ?? Infinity
  }

  open (start) {
    const memory = this.#home
    if (this.memory !== memory) this.#use(memory)
    if (memory.bytes !== this.#bytes) this.#bind(memory.bytes)
    this.base = this.pos = start >>> 2
    this.end = memory.limit >>> 2
    this.depth = 0
    this.full = false
  }

  #bind (bytes) {
    const { words, buffer } = viewsOn(bytes)
    this.words = words
    this.buffer = buffer
    this.#bytes = bytes
  }

  // Moves the cursor back to the beginning, in the current memory.
  rewind () {
    const { memory } = this
    memberOf(memory, 'detach')?.call(memory)
    this.pos = this.base
    this.depth = 0
    this.full = false
  }

  // To be called before the parts of a container, and leave() after them. False when it is nested
  // too deep for the codec.
  enter () {
    if (this.depth++ < kMaxDepth) return true
    // It may be a cycle that was not noticed.
    this.seen.check()
    return false
  }

  leave () {
    this.depth--
  }

  get start () {
    return this.base * 4
  }

  get size () {
    return (this.pos - this.base) * 4
  }

  reserve (words) {
    return this.pos + words <= this.end || this.#grow(words)
  }

  // The words written so far are copied each time. So the room has to grow by a factor: otherwise
  // the time to write a value would grow with the square of its size.
  #grow (words) {
    const used = this.size
    const needed = used + words * 4
    const wanted = this.#wanted(needed)
    if (!this.#move(used, needed, wanted) && !this.#overflow(needed, wanted)) return false
    return this.pos + words <= this.end
  }

  // Like reserve(), for a buffer. If the writer moves to overflow memory, it reserves no room for
  // the buffer there, since it may be attached instead. So the caller checks attaches() next, then
  // calls reserve().
  reserveBuffer (words) {
    const { size } = this
    const needed = size + words * 4
    return this.pos + words <= this.end || this.#move(size, needed, this.#wanted(needed)) ||
      this.#overflow(size, withMore(size))
  }

  // Most large values are a single large item. They get a little more room than that, so that the
  // item is not copied again for a few bytes that follow it.
  #wanted (needed) {
    return this.depth === 0 ? needed : Math.max(2 * (this.end - this.base) * 4, withMore(needed))
  }

  #move (used, needed, wanted) {
    const start = this.memory.grow(this.start, used, needed, wanted)
    if (start < 0) return false
    this.#moveTo(start, used)
    return true
  }

  // Leaves the memory for what takes all that is sent beside an encoding. False: there is none.
  overflow () {
    const { size } = this
    return this.#overflow(size, withMore(size))
  }

  // Moves to the overflow memory of the transport, if it has any.
  #overflow (needed, wanted) {
    const used = this.size
    const { memory, start } = this
    const other = memberOf(memory, 'overflow')?.call(memory, start, used, needed, wanted) ?? null
    if (other === null) {
      this.full = true
      return false
    }
    this.#use(other)
    this.#moveTo(0, used)
    return true
  }

  #moveTo (start, used) {
    const { memory } = this
    if (start % 8 !== 0) {
      throw new TypeError(`Expected memory.grow() to return a multiple of 8 but received ${start}`)
    }
    if (memory.bytes !== this.#bytes) this.#bind(memory.bytes)
    this.base = start >>> 2
    this.pos = this.base + (used >>> 2)
    this.end = memory.limit >>> 2
  }

  // Whether a buffer of `length` bytes is attached, that is, transferred beside the encoding.
  attaches (length) {
    return length >= this.#attachFrom
  }

  attach (tag, buffer) {
    const canAttach = memberOf(this.memory, 'attach') !== undefined
    if (!canAttach && !this.overflow()) return false
    return this.word(this.memory.attach(buffer) << kTagBits | tag)
  }

  word (word) {
    if (this.pos === this.end && !this.reserve(1)) return false
    this.words[this.pos++] = word
    return true
  }

  number (number) {
    if (this.pos + kMaxNumberWords > this.end && !this.#reserveFor(number)) return false
    this.pos = putNumber(this.words, this.pos, number)
    return true
  }

  // Near the end of the memory: reserves only as many words as the number takes.
  #reserveFor (number) {
    return this.reserve(putNumber(lastWords, 0, number))
  }

  string (string) {
    const next = this.strings.put(this.words, this.pos, this.end, string)
    if (next < 0) return this.otherString(string)
    this.pos = next
    return true
  }

  // Writes a string that ShortStrings did not write.
  otherString (string) {
    const { length } = string
    if (length > kMaxShort) return this.#longString(string)
    const count = 1 + ((length + 3) >>> 2)
    // There was room, so the reason was a character of two bytes.
    if (this.pos + count <= this.end) return this.#utf16(string)
    return this.reserve(count) && this.string(string)
  }

  #longString (string) {
    if (string.length > kMaxPayload) return false
    if (kNotLatin1.test(string)) return this.#utf16(string)
    return this.#latin1(string, string.length << kTagBits | kLatin1)
  }

  #latin1 (string, head) {
    const length = string.length
    const count = (length + 3) >>> 2
    if (!this.reserve(1 + count)) return false
    this.words[this.pos] = head
    this.words[this.pos + count] = length === 0 ? head : 0
    this.buffer.latin1Write(string, (this.pos + 1) * 4, length)
    this.pos += 1 + count
    return true
  }

  #utf16 (string) {
    const length = string.length
    const count = (length + 1) >>> 1
    if (!this.reserve(1 + count)) return false
    this.words[this.pos] = length << kTagBits | kUtf16
    this.words[this.pos + count] = 0
    this.buffer.ucs2Write(string, (this.pos + 1) * 4, 2 * length)
    this.pos += 1 + count
    return true
  }

  bigint (value) {
    if (BigInt.asIntN(64, value) === value) {
      if (!this.reserve(3)) return false
      bigint[0] = value
      this.words[this.pos] = kBigInt64
      this.words[this.pos + 1] = halves[0]
      this.words[this.pos + 2] = halves[1]
      this.pos += 3
      return true
    }
    // In hexadecimal, which is converted in linear time in both directions.
    const negative = value < 0n
    const digits = (negative ? -value : value).toString(16)
    if (digits.length > kMaxPayload >>> 1) return false
    const payload = digits.length << 1 | (negative ? 1 : 0)
    return this.#latin1(digits, payload << kTagBits | kBigIntHex)
  }
}

// A number of bytes, and a little room for what may follow.
function withMore (bytes) {
  return bytes + 512 + (bytes >>> 3)
}

module.exports = { Writer }
