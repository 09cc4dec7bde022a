'use strict'

// What a task fails with when its error cannot be sent as it is.

const { Error } = require('../base/globals')
const { isNativeError } = require('node:util/types')

// With its stack it fits into a slot, so it takes neither memory nor a message.
const kText = 'The error of a task could not be sent'

// The best first.
function * substitutes (error) {
  yield error
  yield copyOfTexts(error)
  yield withStack(new Error(kText), `Error: ${kText}`)
}

// An accessor of the user's may throw.
function text (error, key) {
  try {
    const value = error[key]
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

function copyOfTexts (error) {
  const message = text(error, 'message') ?? kText
  const name = isNativeError(error) ? text(error, 'name') ?? 'Error' : 'Error'
  const copy = withStack(new Error(message), text(error, 'stack') ?? `${name}: ${message}`)
  copy.name = name
  return copy
}

function withStack (error, stack) {
  error.stack = stack
  return error
}

module.exports = { substitutes }
