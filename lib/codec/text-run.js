'use strict'

// Strings that are beside each other in an array. Their characters are written as one piece, so
// that the reader makes one string for several of them. The writer joins them first. To write a
// single string takes a call into the engine, which first makes a flat copy of a string that was
// concatenated, as template literals are. So writing a joined string takes a quarter to a half of
// the time that writing each string takes.
//
//   word             kTextRun, and whether a character takes two bytes
//   word             number of strings
//   for each string  word: number of characters
//   the characters of all strings, padded to whole words

const { Array, Int32Array, Number, String } = require('../base/globals')
const { kNotLatin1 } = require('./latin1')
const { kEscape, kKindBits, kTagBits, kinds } = require('./tags')

const { kTextRun } = kinds
const { join, slice } = Array.prototype
const { slice: cut } = String.prototype

// Shorter strings, and fewer of them, are faster to write one by one.
const kMinText = 13
const kMinTexts = 8
// A run should stay in the processor's cache while it is joined and written.
const kMaxTexts = 1024
const kMaxChars = 64 * 1024
// Strings are read by the piece: a string is made of the bytes of several, which are then cut from
// it. Making a string of bytes is a call into the engine, and takes three times as long as cutting.
// A string of 13 characters or more refers to its piece. So this is how much memory a string may
// keep beside its own.
const kMaxPiece = 1024
const kMaxCuts = kMaxPiece / kMinText | 0
// So many characters of one value are joined, those of further runs are written string by string.
// The joined text is garbage afterwards: where it fills V8's young generation again and again,
// collections cost more than joining saves. So less is joined of an array that has more than that.
const kMaxJoined = 2 ** 20
const kMaxJoinedOfLarge = 2 ** 18
// One run in this many is written string by string, so that the cache of short strings notices
// strings that repeat.
const kOneIn = 32

// Where each string of a piece ends in it.
const cuts = new Int32Array(kMaxCuts)

class TextRun {
  #texts = new Array(kMaxTexts).fill('')
  #count = 0
  #chars = 0
  #written = 0
  #charsOfValue = 0
  #maxJoined = kMaxJoined

  // To be called before each value.
  open () {
    this.#charsOfValue = 0
    this.#maxJoined = kMaxJoined
  }

  // Whether the string at the beginning of `left` elements may begin a run.
  mayBegin (writer, text, left) {
    return text.length >= kMinText && left >= kMinTexts && writer.strings.isFresh(text.length)
  }

  begin (text, left) {
    if (left * text.length > kMaxJoined) this.#maxJoined = kMaxJoinedOfLarge
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
      ? this.#writeRun(writer)
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

  #writeRun (writer) {
    const count = this.#count
    const chars = this.#chars
    const texts = this.#texts
    const text = this.#charsOfValue < this.#maxJoined ? this.#join() : null
    const isWide = text === null ? this.#isWide() : kNotLatin1.test(text)
    const bytes = isWide ? 2 * chars : chars
    const size = 2 + count + ((bytes + 3) >>> 2)
    if (!writer.reserve(size)) return false
    const { words, buffer, pos } = writer
    words[pos] = (Number(isWide) << kKindBits | kTextRun) << kTagBits | kEscape
    words[pos + 1] = count
    for (let i = 0; i < count; i++) words[pos + 2 + i] = texts[i].length
    words[pos + size - 1] = 0
    const from = (pos + 2 + count) * 4
    if (text === null) this.#writeChars(buffer, from, isWide)
    else writeText(buffer, text, from, isWide)
    writer.pos = pos + size
    return true
  }

  #join () {
    const texts = this.#texts
    const count = this.#count
    return join.call(count === kMaxTexts ? texts : slice.call(texts, 0, count), '')
  }

  #isWide () {
    for (let i = 0; i < this.#count; i++) {
      if (kNotLatin1.test(this.#texts[i])) return true
    }
    return false
  }

  #writeChars (buffer, from, isWide) {
    for (let i = 0; i < this.#count; i++) {
      const text = this.#texts[i]
      writeText(buffer, text, from, isWide)
      from += isWide ? 2 * text.length : text.length
    }
  }
}

function writeText (buffer, text, from, isWide) {
  if (isWide) buffer.ucs2Write(text, from, 2 * text.length)
  else buffer.latin1Write(text, from, text.length)
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
  let i = 0
  while (i < count) {
    // A length is read once: another thread may change it.
    let chars = words[lengths + i] >>> 0
    let next = 1
    cuts[0] = chars
    while (next < kMaxCuts && i + next < count) {
      const length = words[lengths + i + next] >>> 0
      if (chars + length > kMaxPiece) break
      chars += length
      cuts[next++] = chars
    }
    const to = from + (isWide ? 2 * chars : chars)
    if (to > end) reader.fail('the characters of a string', 'the end')
    const piece = isWide ? buffer.ucs2Slice(from, to) : buffer.latin1Slice(from, to)
    if (next === 1) array[index + i] = piece
    else cutPiece(piece, next, array, index + i)
    i += next
    from = to
  }
  reader.pos = (from + 3) >>> 2
  return count
}

function cutPiece (piece, count, array, index) {
  let from = 0
  for (let i = 0; i < count; i++) {
    const to = cuts[i]
    array[index + i] = cut.call(piece, from, to)
    from = to
  }
}

module.exports = { TextRun, readRun }
