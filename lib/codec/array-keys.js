'use strict'

const { Math, Object, String } = require('../base/globals')
const { inspect } = require('node:util')

const { keys, hasOwn } = Object

// Structured clone copies the named properties of an array too, such as `index` of a match. There
// is no cheap way to find them: Object.keys makes a string of each index. For longer arrays Node's
// inspect() skips the indices in constant time. Its output for an array without named properties
// is known; any other output is not relied on. (inspect() does not show an element that was made
// non-enumerable, which structured clone would leave out.)
const kLong = 64
const kNoElements = Object.freeze({
  maxArrayLength: 0,
  depth: 0,
  customInspect: false,
  showHidden: false,
  showProxy: false,
  colors: false,
  getters: false,
  compact: 3,
  breakLength: 80
})

// From this length on, an array that is mostly holes is left to structured clone: here each hole
// takes a word, there it takes less.
const kSparse = 65536
const kSamples = 64

const kNone = Object.freeze([])

// The names of the properties that are not elements. Null: the array is left to structured clone,
// since it is large and mostly holes, or has non-enumerable elements.
function keysBeyondIndices (array, length) {
  if (length > kLong) {
    if (length > kSparse && isSparse(array, length)) return null
    if (hasOnlyElements(array, length)) return kNone
  }
  const names = keys(array)
  if (names.length === length && (length === 0 || names[length - 1] === String(length - 1))) {
    return kNone
  }
  return namesAfterIndices(names, array, length)
}

function hasOnlyElements (array, length) {
  try {
    return inspect(array, kNoElements) === `[ ... ${length} more items ]`
  } catch {
    // Thrown by an accessor that inspect() reads and structured clone does not.
    return false
  }
}

function isSparse (array, length) {
  const step = Math.floor(length / kSamples)
  let holes = 0
  for (let i = 0; i < length; i += step) {
    if (!hasOwn(array, i)) holes++
  }
  return holes > kSamples / 2
}

// Object.keys() gives the indices first, in ascending order.
function namesAfterIndices (names, array, length) {
  let indices = 0
  while (indices < names.length && isIndexBelow(names[indices], length)) indices++
  let elements = 0
  for (let i = 0; i < length; i++) {
    if (hasOwn(array, i)) elements++
  }
  return elements === indices ? names.slice(indices) : null
}

function isIndexBelow (name, length) {
  const index = name >>> 0
  return index < length && String(index) === name
}

module.exports = { keysBeyondIndices }
