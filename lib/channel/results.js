'use strict'

// What a call receives: one value, an array of values, or a claim of bytes.
const kOne = 0
const kMany = 1
const kBytes = 2

// What a call receives at the end of the channel.
function endResult (kind) {
  if (kind === kOne) return { value: undefined, done: true }
  return kind === kMany ? [] : null
}

module.exports = { endResult, kBytes, kMany, kOne }
