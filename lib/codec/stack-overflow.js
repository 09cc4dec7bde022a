'use strict'

const { RangeError } = require('../base/globals')
const { isNativeError } = require('node:util/types')

// Whether recursion ran out of stack, in the codec or in an accessor of the value. Such a value is
// left to the platform, which recurses in its own way.
function isStackOverflow (error) {
  // An accessor may throw a proxy: isNativeError() runs none of its traps.
  return isNativeError(error) && error instanceof RangeError &&
    error.message === 'Maximum call stack size exceeded'
}

module.exports = { isStackOverflow }
