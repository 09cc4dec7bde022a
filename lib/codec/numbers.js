'use strict'

const { Float64Array, Int32Array } = require('../base/globals')
const { kSmallInt, kInt32, kDouble, kTagBits, kMinSmallInt, kMaxSmallInt } = require('./tags')

const kMaxNumberWords = 3

const double = new Float64Array(1)
const halves = new Int32Array(double.buffer)

// Writes a number at words[pos], in at most kMaxNumberWords. Returns where the next value begins.
function putNumber (words, pos, number) {
  const int = number | 0
  // -0 is written as a double. Only a zero needs the costly division.
  if (int === number && (int !== 0 || 1 / number > 0)) {
    if (int >= kMinSmallInt && int <= kMaxSmallInt) {
      words[pos] = int << kTagBits | kSmallInt
      return pos + 1
    }
    words[pos] = kInt32
    words[pos + 1] = int
    return pos + 2
  }
  return putDouble(words, pos, number)
}

// A function of its own, so that the one above is short enough to be inlined.
function putDouble (words, pos, number) {
  double[0] = number
  words[pos] = kDouble
  words[pos + 1] = halves[0]
  words[pos + 2] = halves[1]
  return pos + 3
}

module.exports = { putNumber, kMaxNumberWords }
