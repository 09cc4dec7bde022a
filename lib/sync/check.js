'use strict'

// What callers pass that is no option.

const { Number } = require('../base/globals')
const { createError, describe } = require('../base/errors')

// An integer from min to max.
function checkInteger (value, name, min, max) {
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw createError('ERR_TELAR_INVALID_ARGUMENT', `${name} must be an integer from ${min} to ${max}; received ${describe(value)}`)
}

function checkFunction (value, name) {
  if (typeof value === 'function') return value
  throw createError('ERR_TELAR_INVALID_ARGUMENT', `${name} must be a function; received ${describe(value)}`)
}

module.exports = { checkFunction, checkInteger }
