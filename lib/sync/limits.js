'use strict'

// How long a waiting call may wait: { timeout, signal }.

const { Object } = require('../base/globals')
const { isAbortSignal, reasonOf } = require('../base/abort-signal')
const { AbortError, createError, describe } = require('../base/errors')
const { memberOf } = require('../base/own')
const { ownOptions } = require('../base/arguments')

const kNames = ['timeout', 'signal']
const kNone = Object.freeze({ timeout: Infinity, signal: undefined })

// Checks what a caller passed. Throws an AbortError for a signal that is aborted.
function readLimits (options) {
  if (options === undefined) return kNone
  if (typeof options !== 'object' || options === null) {
    throw createError('ERR_TELAR_INVALID_ARGUMENT', `options must be an object with timeout and signal; received ${describe(options)}`)
  }
  const given = ownOptions(options, kNames, 'options.')
  const timeout = given.timeout ?? Infinity
  const signal = given.signal ?? undefined
  if (typeof timeout !== 'number' || !(timeout >= 0)) {
    throw createError('ERR_TELAR_INVALID_ARGUMENT', `options.timeout must be a number of milliseconds from 0, or Infinity; received ${describe(timeout)}`)
  }
  if (signal !== undefined && !isAbortSignal(signal)) {
    throw createError('ERR_TELAR_INVALID_ARGUMENT',
      `options.signal must be an object with addEventListener() or once(); received ${describe(signal)}`)
  }
  if (signal !== undefined && memberOf(signal, 'aborted')) throw createAborted(signal)
  return { timeout, signal }
}

function createAborted (signal) {
  return new AbortError(reasonOf(signal), 'wait')
}

function createTimeout (call, { timeout }) {
  return createError('ERR_TELAR_TIMEOUT', call, timeout)
}

module.exports = { createAborted, createTimeout, kNone, readLimits }
