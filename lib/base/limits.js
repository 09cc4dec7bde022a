'use strict'

// The options { timeout, signal }, which limit how long a call waits.

const { Object, Promise } = require('./globals')
const { isAbortSignal, listen, reasonOf } = require('./abort-signal')
const { argumentError, isObject, ownOptions } = require('./arguments')
const { createError } = require('./errors')
const { memberOf } = require('./own')
const { startTimer, stopTimer } = require('./time')

const kNames = ['timeout', 'signal']
const kNone = Object.freeze({ timeout: Infinity, signal: undefined })

// Reads and checks the options of a call. Throws an AbortError if the signal has fired already.
function readLimits (options) {
  if (options === undefined) return kNone
  if (!isObject(options)) {
    throw argumentError('options must be an object with timeout and signal', options)
  }
  const given = ownOptions(options, kNames, 'options.')
  const timeout = given.timeout ?? Infinity
  const signal = given.signal ?? undefined
  if (typeof timeout !== 'number' || !(timeout >= 0)) {
    const message = 'options.timeout must be a number of milliseconds from 0, or Infinity'
    throw argumentError(message, timeout)
  }
  if (signal !== undefined && !isAbortSignal(signal)) {
    const message = 'options.signal must be an object with addEventListener() or once()'
    throw argumentError(message, signal)
  }
  if (signal !== undefined && memberOf(signal, 'aborted')) throw createAborted(signal)
  return { timeout, signal }
}

function createAborted (signal) {
  return createError('ERR_TELAR_ABORTED', reasonOf(signal), 'call')
}

function createTimeout (call, { timeout }) {
  return createError('ERR_TELAR_TIMEOUT', call, timeout)
}

// A promise that settles as `promise` does, or rejects when a limit is reached first. What
// `promise` stands for goes on.
function waitWithin (promise, limits, call) {
  if (limits === kNone) return promise
  return new Promise((resolve, reject) => {
    const { signal, timeout } = limits
    let timer = null
    let listeners = null
    const onAbort = () => settle(reject, createAborted(signal))
    const settle = (done, value) => {
      stopTimer(timer)
      listeners?.remove(onAbort)
      done(value)
    }
    promise.then((value) => settle(resolve, value), (error) => settle(reject, error))
    if (timeout !== Infinity) {
      timer = startTimer(() => settle(reject, createTimeout(call, limits)), timeout)
    }
    // After the timer, which a signal that fires at once has to stop.
    if (signal !== undefined) listeners = listen(signal, onAbort)
  })
}

module.exports = { createAborted, createTimeout, kNone, readLimits, waitWithin }
