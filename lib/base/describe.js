'use strict'

// Describes what a caller passed, for the end of a message: `received "x"`, `received an instance
// of Date`.

const { Array, JSON, Object, String } = require('./globals')

const kMaxShown = 40

function describe (value) {
  switch (typeof value) {
    case 'string':
      return describeString(value)
    case 'bigint':
      return `${value}n`
    case 'symbol':
      return String(value)
    case 'function':
      return value.name ? `function ${value.name}` : 'an anonymous function'
    case 'object': {
      if (value === null) return 'null'
      if (Array.isArray(value)) return `an array of ${value.length}`
      const name = constructorName(value)
      return name === undefined || name === 'Object' ? 'an object' : `an instance of ${name}`
    }
    default:
      return Object.is(value, -0) ? '-0' : String(value)
  }
}

function describeString (text) {
  if (text.length <= kMaxShown) return JSON.stringify(text)
  return `${JSON.stringify(text.slice(0, kMaxShown))}… (${text.length} characters)`
}

// A proxy or a getter of the caller may throw. That must not replace the error that is described.
function constructorName (value) {
  try {
    const name = value.constructor?.name
    return typeof name === 'string' && name !== '' ? name : undefined
  } catch {
    return undefined
  }
}

module.exports = { describe }
