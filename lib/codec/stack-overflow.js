'use strict'

// Recursion that ran out of stack, here or in an accessor of the value: the platform,
// whose recursion is its own, decides what becomes of the value.
function isStackOverflow (error) {
  return error instanceof RangeError && error.message === 'Maximum call stack size exceeded'
}

module.exports = { isStackOverflow }
