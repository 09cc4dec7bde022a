'use strict'

// The errors that replace the error of a task when that cannot be sent.

const { Error } = require('../base/globals')
const { isNativeError } = require('node:util/types')

// Short enough to fit into a slot together with its stack, so it needs neither a payload block nor
// a message.
const kText = 'The error of a task could not be sent'

// The most informative first.
function * substitutes (error) {
  yield error
  yield copyOfTexts(error)
  yield withStack(new Error(kText), `Error: ${kText}`)
}

// An accessor of the user may throw.
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
