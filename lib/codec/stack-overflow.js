'use strict'

const { RangeError } = require('../base/globals')
const { isNativeError } = require('node:util/types')

// Recursion that ran out of stack, here or in an accessor of the value: the platform,
// whose recursion is its own, decides what becomes of the value.
function isStackOverflow (error) {
  // What an accessor throws may be a proxy, whose traps are not for us.
  return isNativeError(error) && error instanceof RangeError && error.message === 'Maximum call stack size exceeded'
}

module.exports = { isStackOverflow }
