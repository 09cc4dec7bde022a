'use strict'

const { MAX_NUMBER_WORDS, putNumber } = require('./numbers')
const { ShortStrings, MAX_SHORT } = require('./short-strings')
const tags = require('./tags')
const { viewsOn } = require('./views')

const { LATIN1, UTF16, BIGINT64, BIGINT_HEX, TAG_BITS, MAX_PAYLOAD, MAX_DEPTH } = tags

// A two-byte representation is looked for by a scan that irregexp folds to one test
// for one-byte strings.
const NOT_LATIN1 = /[^\x00-\xff]/ // eslint-disable-line no-control-regex

const bigint = new BigInt64Array(1)
const halves = new Int32Array(bigint.buffer)

// Where a number is written to see how many words it takes.
const lastWords = new Int32Array(MAX_NUMBER_WORDS)

// The cursor of an encoder: bounded writes of words, numbers and strings. Every method
// that needs room says false when there is none.
class Writer {
  // In words, from the start of the region. Public to the codec's own modules only.
  words = null
  buffer = null
  base = 0
  pos = 0
  end = 0
  // Levels of containers around the value at hand.
  depth = 0
  // The transport had no memory: no use to try without this or that property.
  full = false
  memory
  strings = new ShortStrings()

  #bytes = null

  constructor (memory) {
    this.memory = memory
  }

  open (start) {
    const { memory } = this
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

  // Around the parts of a container. False when it is nested too deep for the codec.
  enter () {
    return this.depth++ < MAX_DEPTH
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

  #grow (words) {
    const { memory } = this
    const used = this.size
    const exact = used + words * 4
    // One large item is the whole of most large values; what else may follow it gets a
    // little room, so that it is not copied once more for a few bytes.
    const doubled = 2 * (this.end - this.base) * 4
    const generous = this.depth === 0 ? exact : Math.max(doubled, exact + 512 + (exact >>> 3))
    let start = memory.grow(this.start, used, generous)
    if (start < 0 && generous > exact) start = memory.grow(this.start, used, exact)
    if (start < 0) {
      this.full = true
      return false
    }
    if (start % 8 !== 0) throw new TypeError(`Expected memory.grow() to answer a multiple of 8 but received ${start}`)
    if (memory.bytes !== this.#bytes) this.#bind(memory.bytes)
    this.base = start >>> 2
    this.pos = this.base + (used >>> 2)
    this.end = memory.limit >>> 2
    return this.pos + words <= this.end
  }

  // Whether a buffer of so many bytes travels beside the encoding.
  attaches (length) {
    return length >= this.memory.attachFrom
  }

  attach (tag, bytes, length) {
    const { memory } = this
    if (memory.attach === undefined) {
      this.full = true
      return false
    }
    const copy = Buffer.allocUnsafeSlow(length)
    copy.set(bytes)
    return this.word(memory.attach(copy.buffer) << TAG_BITS | tag)
  }

  word (word) {
    if (this.pos === this.end && !this.reserve(1)) return false
    this.words[this.pos++] = word
    return true
  }

  number (number) {
    if (this.pos + MAX_NUMBER_WORDS > this.end && !this.#reserveFor(number)) return false
    this.pos = putNumber(this.words, this.pos, number)
    return true
  }

  // Near the end of the memory: exactly what it takes.
  #reserveFor (number) {
    return this.reserve(putNumber(lastWords, 0, number))
  }

  string (string) {
    const next = this.strings.put(this.words, this.pos, this.end, string)
    if (next < 0) return this.otherString(string)
    this.pos = next
    return true
  }

  // One that ShortStrings did not write.
  otherString (string) {
    const { length } = string
    if (length > MAX_SHORT) return this.#longString(string)
    const count = 1 + ((length + 3) >>> 2)
    // There was room.
    if (this.pos + count <= this.end) return this.#utf16(string)
    return this.reserve(count) && this.string(string)
  }

  #longString (string) {
    if (string.length > MAX_PAYLOAD) return false
    if (NOT_LATIN1.test(string)) return this.#utf16(string)
    return this.#latin1(string, string.length << TAG_BITS | LATIN1)
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
    this.words[this.pos] = length << TAG_BITS | UTF16
    this.words[this.pos + count] = 0
    this.buffer.ucs2Write(string, (this.pos + 1) * 4, 2 * length)
    this.pos += 1 + count
    return true
  }

  bigint (value) {
    if (BigInt.asIntN(64, value) === value) {
      if (!this.reserve(3)) return false
      bigint[0] = value
      this.words[this.pos] = BIGINT64
      this.words[this.pos + 1] = halves[0]
      this.words[this.pos + 2] = halves[1]
      this.pos += 3
      return true
    }
    // Hexadecimal is the one radix that goes both ways in linear time.
    const negative = value < 0n
    const digits = (negative ? -value : value).toString(16)
    if (digits.length > MAX_PAYLOAD >>> 1) return false
    return this.#latin1(digits, (digits.length << 1 | (negative ? 1 : 0)) << TAG_BITS | BIGINT_HEX)
  }
}

module.exports = { Writer }
