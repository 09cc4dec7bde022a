'use strict'

// Reads the options of run() and close(). Errors are returned, not thrown, since these calls return
// a promise. For `strict` see options.js.

const { Array, Object } = require('../base/globals')
const { argumentError, isObject, refuseUnknown } = require('../base/arguments')
const { isURL, resolveFilename } = require('./filename')

// The options of a call of run(). `error`: what to reject the call with, or null. A class, so that
// all instances have the same hidden class.
class RunOptions {
  error = null
  transferList = undefined
  filename
  name
  signal = null

  constructor (filename = null, name = null) {
    this.filename = filename
    this.name = name
  }
}

const runOptionNames = Object.keys(new RunOptions()).filter((name) => name !== 'error')

// Never throws, not even if a getter does: run() rejects then.
function normalizeRunOptions (options, { strict }) {
  const result = new RunOptions()
  try {
    result.error = readRunOptions(options, result, strict)
  } catch (error) {
    result.error = error
  }
  return result
}

// Returns the error, or null. In one pass over the own keys, since run() is called millions of
// times.
function readRunOptions (options, result, strict) {
  if (!isObject(options)) return argumentError('options must be an object', options, strict)
  if (strict && Array.isArray(options)) return transferListError(options)
  for (const key of Object.keys(options)) {
    switch (key) {
      case 'transferList':
        result.transferList = options.transferList
        break
      case 'filename':
        result.filename = options.filename ?? null
        break
      case 'name':
        result.name = options.name ?? null
        break
      case 'signal':
        result.signal = options.signal ?? null
        break
      default:
        if (strict) refuseUnknown({ __proto__: null, [key]: undefined }, runOptionNames, '')
    }
  }

  const { transferList, filename, name, signal } = result
  if (transferList !== undefined && !Array.isArray(transferList)) {
    return argumentError('transferList argument must be an Array', transferList, strict)
  }
  if (filename !== null) {
    if (typeof filename !== 'string' && !(strict && isURL(filename))) {
      const expected = strict ? 'a string or a URL' : 'a string'
      return argumentError(`filename argument must be ${expected}`, filename, strict)
    }
    result.filename = resolveFilename(filename, 'filename argument')
  }
  if (name !== null && typeof name !== 'string') {
    return argumentError('name argument must be a string', name, strict)
  }
  if (signal !== null) {
    const message = 'signal argument must be an object'
    if (typeof signal !== 'object') return argumentError(message, signal, strict)
    if (typeof signal.addEventListener !== 'function' && typeof signal.once !== 'function') {
      return argumentError(`${message} with addEventListener() or once()`, signal, strict)
    }
  }
  return null
}

// A likely mistake: postMessage() takes a transfer list as its second argument.
function transferListError (list) {
  return argumentError(
    'options must be an object: what is to be transferred goes into its transferList, ' +
    'as in run(value, { transferList: [buffer] })',
    list)
}

// Returns { error, force }.
function normalizeCloseOptions (options, { strict }) {
  const result = { error: null, force: false }
  try {
    if (!isObject(options) || (strict && Array.isArray(options))) {
      result.error = argumentError('options must be an object', options, strict)
      return result
    }
    const given = Object.assign(Object.create(null), options)
    if (strict) refuseUnknown(given, ['force'], '')
    if (given.force !== undefined && typeof given.force !== 'boolean') {
      result.error = argumentError('force argument must be a boolean', given.force, strict)
    } else {
      result.force = given.force ?? false
    }
  } catch (error) {
    result.error = error
  }
  return result
}

module.exports = { RunOptions, normalizeCloseOptions, normalizeRunOptions, runOptionNames }
