'use strict'

// Strings that are beside each other in an array. They are joined, and written as one piece. To
// write a single string takes a call into the engine, which first makes a flat copy of a string
// that was concatenated, as template literals are. So writing a joined string takes a quarter to a
// half of the time that writing each string takes.
//
//   word             kTextRun, and whether a character takes two bytes
//   word             number of strings
//   for each string  word: number of characters
//   the characters of all strings, padded to whole words

const { Array, Number } = require('../base/globals')
const { kNotLatin1 } = require('./latin1')
const { kEscape, kKindBits, kTagBits, kinds } = require('./tags')

const { kTextRun } = kinds
const { join, slice } = Array.prototype

// Shorter strings, and fewer of them, are faster to write one by one.
const kMinText = 13
const kMinTexts = 8
// A run should stay in the processor's cache while it is joined and written.
const kMaxTexts = 1024
const kMaxChars = 64 * 1024
// What the runs of one value hold together. The joined text is garbage afterwards: where it fills
// V8's young generation again and again, collections cost more than joining saves.
const kMaxCharsOfValue = 2 ** 20
// One run in this many is written string by string, so that the cache of short strings notices
// strings that repeat.
const kOneIn = 32

class TextRun {
  #texts = new Array(kMaxTexts).fill('')
  #count = 0
  #chars = 0
  #written = 0
  #charsOfValue = 0

  // To be called before each value.
  open () { this.#charsOfValue = 0 }

  // Whether the string at the beginning of `left` elements may begin a run.
  mayBegin (writer, text, left) {
    return text.length >= kMinText && left >= kMinTexts &&
      this.#charsOfValue < kMaxCharsOfValue && writer.strings.isFresh(text.length)
  }

  get isFull () { return this.#count === kMaxTexts || this.#chars >= kMaxChars }

  add (text) {
    this.#texts[this.#count++] = text
    this.#chars += text.length
  }

  // Writes the strings that were added, and forgets them. False: the value must be left to the
  // platform.
  write (writer) {
    const count = this.#count
    const isLongEnough = count >= kMinTexts && this.#chars >= count * kMinText
    const isWritten = isLongEnough && ++this.#written % kOneIn !== 0
      ? this.#writeJoined(writer)
      : this.#writeEach(writer)
    this.#texts.fill('', 0, count)
    this.#charsOfValue += this.#chars
    this.#count = this.#chars = 0
    return isWritten
  }

  #writeEach (writer) {
    for (let i = 0; i < this.#count; i++) {
      if (!writer.string(this.#texts[i])) return false
    }
    return true
  }

  #writeJoined (writer) {
    const count = this.#count
    const chars = this.#chars
    const texts = this.#texts
    const text = join.call(count === kMaxTexts ? texts : slice.call(texts, 0, count), '')
    const isWide = kNotLatin1.test(text)
    const bytes = isWide ? 2 * chars : chars
    const size = 2 + count + ((bytes + 3) >>> 2)
    if (!writer.reserve(size)) return false
    const { words, buffer, pos } = writer
    words[pos] = (Number(isWide) << kKindBits | kTextRun) << kTagBits | kEscape
    words[pos + 1] = count
    for (let i = 0; i < count; i++) words[pos + 2 + i] = texts[i].length
    words[pos + size - 1] = 0
    const from = (pos + 2 + count) * 4
    if (isWide) buffer.ucs2Write(text, from, bytes)
    else buffer.latin1Write(text, from, bytes)
    writer.pos = pos + size
    return true
  }
}

// Reads a run into array[index] and the elements after it, and returns the number of strings.
// `payload` is that of the run's first word. `max` is how many elements the array still has room
// for.
function readRun (reader, payload, array, index, max) {
  const isWide = payload >>> kKindBits === 1
  const count = reader.word()
  if (!(count >= 1 && count <= max)) reader.fail(`at most ${max} strings`, `${count}`)
  const { words, buffer } = reader
  const lengths = reader.take(count)
  const end = reader.end * 4
  let from = reader.pos * 4
  for (let i = 0; i < count; i++) {
    // Read once: another thread may change it.
    const length = words[lengths + i] >>> 0
    const next = from + (isWide ? 2 * length : length)
    if (next > end) reader.fail('the characters of a string', 'the end')
    array[index + i] = isWide ? buffer.ucs2Slice(from, next) : reader.oneByteText(from, length)
    from = next
  }
  reader.pos = (from + 3) >>> 2
  return count
}

module.exports = { TextRun, readRun }
