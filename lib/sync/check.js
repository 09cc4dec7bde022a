'use strict'

// Checks arguments that are not options.

const { argumentError } = require('../base/arguments')
const { Number } = require('../base/globals')

function checkInteger (value, name, min, max) {
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw argumentError(`${name} must be an integer from ${min} to ${max}`, value)
}

function checkFunction (value, name) {
  if (typeof value === 'function') return value
  throw argumentError(`${name} must be a function`, value)
}

module.exports = { checkFunction, checkInteger }
