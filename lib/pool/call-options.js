'use strict'

// Reads the options of run() and close(). Errors are returned, not thrown, since these calls return
// a promise. For `strict` see options.js.

const { Array, Object } = require('../base/globals')
const { argumentError, refuseUnknown, wrongOptions } = require('../base/arguments')
const { kPlain } = require('../transport/function-table')
const { kInterruptible, kKeyed, kSteered } = require('../transport/slot-memory')
const { fitsSlot } = require('../transport/task-keys')
const { isURL, resolveFilename } = require('./filename')
const { checkKey, checkPriority, hashOf, kNone } = require('./route')
const { defaultGrace, defaultTerms, isLimited, termOptions, wrongTerm } = require('./terms')

// The options of a call of run(). `error`: what to reject the call with, or null. A class, so that
// all instances have the same hidden class.
class RunOptions {
  error = null
  transferList = undefined
  filename
  name
  signal = null
  priority = 0
  key = undefined
  keyHash = kNone
  target = null // the worker that a broadcast is for
  kind = kPlain
  onProgress = null
  abort
  graceMs
  interruptMs
  timeout
  queueTimeout
  needsTask = false // has options that need a Task object

  // `defaults`: the terms of the pool.
  constructor (defaults = defaultTerms, filename = null, name = null) {
    this.filename = filename
    this.name = name
    this.abort = defaults.abort
    this.graceMs = defaults.graceMs
    this.interruptMs = defaults.interruptMs
    this.timeout = defaults.timeout
    this.queueTimeout = defaults.queueTimeout
  }

  // The function that the task calls. `chosen`: `{ filename, name }` of one that is not an export
  // of a task file, or undefined. `own`: those of the pool.
  setFunction (chosen, own) {
    const other = chosen === undefined ? null : this.filename ?? this.name
    if (other !== null && other !== chosen.name) {
      this.error = argumentError(
        'filename and name arguments must not be given to exec() and proxies, which choose the ' +
        'function',
        other)
    }
    this.filename = chosen?.filename ?? this.filename ?? own.filename
    this.name = chosen?.name ?? this.name ?? own.name
  }

  // Whether the order of arrival is not all that matters.
  get isRouted () { return this.priority !== 0 || this.keyHash !== kNone }

  // Of a task without a Task object: what its worker has to know beside the value.
  get flags () {
    if (isLimited(this)) return steeringOf(this)
    return this.key === undefined ? 0 : kKeyed
  }
}

// The flags of a task that is told of its abort.
function steeringOf ({ abort }) {
  return abort === 'interrupt' ? kSteered | kInterruptible : kSteered
}

const runOptionNames = [
  'transferList', 'filename', 'name', 'signal', 'priority', 'key', 'onProgress', 'abort', 'graceMs',
  'interruptMs', 'timeout', 'queueTimeout'
]

// Never throws, not even if a getter does: run() rejects then.
function normalizeRunOptions (options, { strict, defaults }) {
  const result = new RunOptions(defaults)
  try {
    result.error = readRunOptions(options, result, strict)
  } catch (error) {
    result.error = error
  }
  return result
}

// Returns the error, or null.
function readRunOptions (options, result, strict) {
  if (strict && Array.isArray(options)) return transferListError(options)
  const error = wrongOptions('options', options, strict)
  return error ?? readEachOption(options, result, strict)
}

// In one pass over the own keys, since run() is called millions of times.
function readEachOption (options, result, strict) {
  const { abort } = result
  let graceMs = null
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
      case 'priority':
        result.priority = options.priority ?? 0
        break
      case 'key':
        result.key = options.key ?? undefined
        break
      case 'onProgress':
        result.onProgress = options.onProgress ?? null
        break
      case 'graceMs':
        graceMs = options.graceMs ?? null
        break
      case 'abort':
      case 'interruptMs':
      case 'timeout':
      case 'queueTimeout':
        result[key] = options[key] ?? result[key]
        break
      default:
        if (strict) refuseUnknown({ __proto__: null, [key]: undefined }, runOptionNames, '')
    }
  }

  // A call with another strength than that of the pool has the grace of its own.
  if (graceMs !== null) result.graceMs = graceMs
  else if (result.abort !== abort) result.graceMs = defaultGrace(result.abort)
  const { transferList, filename, name, signal, priority, key, onProgress } = result
  const error = (priority === 0 ? null : checkPriority(priority, strict)) ??
    (key === undefined ? null : checkKey(key, strict))
  if (error !== null) return error
  if (key !== undefined) result.keyHash = hashOf(key)
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
  if (onProgress !== null && typeof onProgress !== 'function') {
    return argumentError('onProgress argument must be a function', onProgress, strict)
  }
  const wrong = wrongTerm(result)
  if (wrong !== null) {
    return argumentError(`${wrong} argument ${termOptions[wrong].message}`, result[wrong], strict)
  }
  result.needsTask = needsTask(result)
  return null
}

// The scheduler takes limits, or a priority and a key, but not both, without a Task object.
function needsTask (result) {
  return result.filename !== null || result.name !== null || result.signal !== null ||
    result.transferList !== undefined || result.onProgress !== null ||
    (result.isRouted && (isLimited(result) || !fitsSlot(result.key)))
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
    result.error = wrongOptions('options', options, strict)
    if (result.error !== null) return result
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

module.exports = {
  RunOptions, normalizeCloseOptions, normalizeRunOptions, runOptionNames, steeringOf
}
