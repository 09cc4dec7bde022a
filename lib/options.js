'use strict'

// What callers may pass: to the constructor, to run() and to close(). All of it
// is checked here, before anything has happened. Only own properties count, in
// objects without a prototype: a polluted Object.prototype sets no option.
//
// strict: telar's own Pool. A misspelt option is an error, a number that is
//   named an integer is one, and messages end with what came.
// not strict: telar/piscina. What Piscina takes is taken, unknown keys are
//   kept, messages are Piscina's to the letter.

const path = require('node:path')
const { fileURLToPath } = require('node:url')
const { SHARE_ENV } = require('node:worker_threads')
const { availableParallelism } = require('./cpu')
const { createError, describe } = require('./errors')
const { FixedQueue, isTaskQueue } = require('./queues')
const { refuseUnknown } = require('./unknown-options')

const kMiB = 1024 * 1024
// With the slots, no more than the codec counts in 32-bit integers.
const kSharedMemoryMax = 2 ** 30 - kMiB
const kSharedMemoryMin = kMiB
const kSharedMemoryUnit = 64 * 1024
const k32Bit = new Set(['arm', 'ia32', 'mips', 'mipsel', 'ppc', 's390'])

// What the scheduler's table and its counters hold. More is taken for as many.
const kMostThreads = 16_352
const kMostTasksPerWorker = 65_535

// Threads that are ending keep their place in the scheduler's table until they
// are gone, while others take over: room for a good number of them.
const kSparePlaces = 64

// Timers of Node count in 31 bits; a longer delay would fire after 1 ms.
const kLongestDelay = 2 ** 31 - 1

const isWhole = (value, min) => Number.isInteger(value) && value >= min
const isWholeOrInfinity = (value, min) => value === Infinity || isWhole(value, min)
const isNumber = (value, min) => typeof value === 'number' && !(value < min) // NaN passes, as in Piscina
const isBoolean = (value) => typeof value === 'boolean'
const isObject = (value) => typeof value === 'object' && value !== null
const isStringArray = (value) => Array.isArray(value) && value.every((item) => typeof item === 'string')

// `strict` and `compat` tell whether a value (never undefined) is allowed;
// an option that Piscina does not check has no `compat`. `message` follows
// `options.<name> `. `fallback` gives the default.
const poolOptions = {
  filename: {
    message: 'must be a string or null',
    strict: (value) => value === null || typeof value === 'string' || value instanceof URL,
    compat: (value) => value === null || typeof value === 'string',
    fallback: () => null
  },
  name: {
    message: 'must be a string or null',
    strict: (value) => value === null || typeof value === 'string',
    compat: (value) => value === null || typeof value === 'string',
    fallback: () => 'default'
  },
  minThreads: {
    message: 'must be a non-negative integer',
    strict: (value) => isWhole(value, 0),
    compat: (value) => isNumber(value, 0),
    fallback: () => Math.max(1, Math.floor(availableParallelism() / 2))
  },
  maxThreads: {
    message: 'must be a positive integer',
    strict: (value) => isWhole(value, 1),
    compat: (value) => isNumber(value, 1),
    fallback: (strict) => strict ? Math.max(1, Math.floor(availableParallelism() * 1.5)) : availableParallelism() * 1.5
  },
  idleTimeout: {
    message: 'must be a non-negative integer',
    strict: (value) => isWholeOrInfinity(value, 0),
    compat: (value) => isNumber(value, 0),
    fallback: () => 0
  },
  maxQueue: {
    message: 'must be a non-negative integer',
    strict: (value) => value === 'auto' || isWholeOrInfinity(value, 0),
    compat: (value) => value === 'auto' || isNumber(value, 0),
    fallback: () => Infinity
  },
  concurrentTasksPerWorker: {
    message: 'must be a positive integer',
    strict: (value) => isWhole(value, 1),
    compat: (value) => isNumber(value, 1),
    fallback: () => 1
  },
  atomics: {
    message: 'should be a value of sync, async or disabled',
    compatMessage: 'should be a value of sync, sync or disabled.',
    strict: (value) => ['sync', 'async', 'disabled'].includes(value),
    compat: (value) => value === null || ['sync', 'async', 'disabled'].includes(value),
    fallback: () => 'sync'
  },
  resourceLimits: {
    message: 'must be an object',
    strict: isObject,
    compat: isObject
  },
  argv: {
    message: 'must be an array or null',
    strict: (value) => value === null || Array.isArray(value)
  },
  execArgv: {
    message: 'must be an array of strings or null',
    strict: (value) => value === null || isStringArray(value)
  },
  env: {
    message: 'must be an object, SHARE_ENV or null',
    strict: (value) => value === SHARE_ENV || (typeof value === 'object' && !Array.isArray(value))
  },
  workerData: {},
  taskQueue: {
    message: 'must be a TaskQueue object',
    strict: isTaskQueue,
    compat: isTaskQueue,
    fallback: () => new FixedQueue()
  },
  niceIncrement: {
    message: 'must be a non-negative integer on Unix systems',
    strict: (value) => Number.isInteger(value) && (value >= 0 || process.platform === 'win32'),
    compat: (value) => isNumber(value, process.platform === 'win32' ? -Infinity : 0),
    fallback: () => 0
  },
  trackUnmanagedFds: {
    message: 'must be a boolean value',
    strict: isBoolean,
    compat: isBoolean,
    fallback: () => true
  },
  closeTimeout: {
    message: 'must be a non-negative integer',
    strict: (value) => isWholeOrInfinity(value, 0),
    compat: (value) => isNumber(value, 0),
    fallback: () => 30_000
  },
  recordTiming: {
    message: 'must be a boolean',
    strict: isBoolean,
    fallback: () => true
  },
  loadBalancer: {
    message: 'must be a function with at least two args',
    strict: (value) => typeof value === 'function' && value.length >= 1,
    compat: (value) => typeof value === 'function' && value.length >= 1
  },
  workerHistogram: {
    message: 'must be a boolean',
    strict: isBoolean,
    compat: isBoolean,
    fallback: () => false
  },
  stricterFIFO: {
    message: 'must be a boolean',
    strict: isBoolean,
    compat: isBoolean,
    fallback: () => false
  },
  asyncHooks: {
    message: 'must be a boolean',
    strict: isBoolean,
    compat: isBoolean,
    fallback: (strict) => !strict
  },
  sharedMemory: {
    message: `must be an integer between ${kSharedMemoryMin} and ${kSharedMemoryMax} (bytes)`,
    strict: (value) => isWhole(value, kSharedMemoryMin) && value <= kSharedMemoryMax,
    compat: (value) => isWhole(value, kSharedMemoryMin) && value <= kSharedMemoryMax,
    fallback: () => k32Bit.has(process.arch) ? 16 * kMiB : 256 * kMiB
  }
}

const poolOptionNames = Object.keys(poolOptions)

// Checks and completes the options of a pool; the caller's object stays as it is.
// Throws a TypeError or, for options that conflict, a RangeError.
function normalizePoolOptions (options, { strict }) {
  if (strict && options !== undefined && (!isObject(options) || Array.isArray(options))) {
    throw createError('ERR_TELAR_INVALID_ARGUMENT', `options must be an object; received ${describe(options)}`)
  }
  const given = Object.assign(Object.create(null), options)
  if (strict) refuseUnknown(given, poolOptionNames, 'options.')

  for (const name of poolOptionNames) {
    const value = given[name]
    if (value === undefined) {
      delete given[name] // `{ maxThreads: undefined }` means the default
      continue
    }
    const option = poolOptions[name]
    const isAllowed = strict ? option.strict : option.compat
    if (isAllowed !== undefined && !isAllowed(value)) {
      const message = strict
        ? `options.${name} ${option.message}; received ${describe(value)}`
        : `options.${name} ${option.compatMessage ?? option.message}`
      throw createError('ERR_TELAR_INVALID_ARGUMENT', message)
    }
    if (name === 'maxThreads' && given.minThreads > value) {
      const received = strict ? `; received minThreads ${given.minThreads} and maxThreads ${value}` : ''
      throw createError('ERR_TELAR_OPTION_CONFLICT', `options.minThreads and options.maxThreads must not conflict${received}`)
    }
  }

  const result = Object.assign(Object.create(null), given)
  for (const name of poolOptionNames) {
    // null is allowed where it means "none"; for these two that is the default
    const isUnset = given[name] === undefined || (given[name] === null && (name === 'name' || name === 'atomics'))
    if (isUnset) result[name] = poolOptions[name].fallback?.(strict)
  }

  // One of the two alone pulls the other's default along.
  if (given.maxThreads !== undefined && result.minThreads > given.maxThreads) result.minThreads = given.maxThreads
  if (given.minThreads !== undefined && result.maxThreads < given.minThreads) result.maxThreads = given.minThreads

  // Whole even for a fractional maxThreads: callers compare it with queueSize.
  if (result.maxQueue === 'auto') result.maxQueue = poolLimits(result).maxThreads ** 2
  result.filename = result.filename ? resolveFilename(result.filename, 'options.filename') : null
  if (result.resourceLimits !== undefined) {
    result.resourceLimits = Object.assign(Object.create(null), result.resourceLimits)
  }
  result.sharedMemory = Math.ceil(result.sharedMemory / kSharedMemoryUnit) * kSharedMemoryUnit
  return result
}

// The numbers the pool works with, whatever it was given: whole, ordered, never
// NaN. A pool of 1.5 threads would start a second worker to reach its minimum,
// and stop it again because it is one too many, without end.
function poolLimits (options) {
  const maxThreads = Math.min(whole(options.maxThreads, 1, Math.max(1, whole(options.minThreads, 0, 0))), kMostThreads)
  return {
    minThreads: Math.min(whole(options.minThreads, 0, 0), maxThreads),
    maxThreads,
    places: 2 * maxThreads + kSparePlaces,
    maxQueue: whole(options.maxQueue, 0, Infinity),
    concurrentTasksPerWorker: Math.min(whole(options.concurrentTasksPerWorker, 1, 1), kMostTasksPerWorker)
  }
}

function whole (value, min, otherwise) {
  return Number.isNaN(value) ? otherwise : Math.max(min, Math.floor(value))
}

// A delay for setTimeout(), or null for "never".
function timerDelay (milliseconds) {
  if (milliseconds > kLongestDelay) return milliseconds === Infinity ? null : kLongestDelay
  return Number.isNaN(milliseconds) ? 0 : milliseconds
}

// An absolute path: a relative one starts from the working directory, as for
// `new Worker`. The text of a `data:` URL stays a URL, since only import() reads it.
function resolveFilename (filename, what) {
  const text = typeof filename === 'string' ? filename : filename.href
  if (text.startsWith('file:')) {
    try {
      return fileURLToPath(text)
    } catch (cause) {
      throw createError('ERR_TELAR_INVALID_ARGUMENT', `${what} must be a path or a valid file: URL; received ${describe(text)}: ${cause.message}`)
    }
  }
  if (text.startsWith('data:')) return text
  if (typeof filename === 'string') return path.resolve(text)
  throw createError('ERR_TELAR_INVALID_ARGUMENT', `${what} must be a path, a file: URL or a data: URL; received ${describe(text)}`)
}

// One shape for all calls of run(): `error` is null, or what to reject with.
class RunOptions {
  error = null
  transferList = undefined
  filename = null
  name = null
  signal = null
}

const runOptionNames = Object.keys(new RunOptions()).filter((name) => name !== 'error')

// Never throws, not even for a getter that does: run() rejects.
function normalizeRunOptions (options, { strict }) {
  const result = new RunOptions()
  try {
    result.error = readRunOptions(options, result, strict)
  } catch (error) {
    result.error = error
  }
  return result
}

// The error, or null. In one pass over the own keys: run() is called millions of times.
function readRunOptions (options, result, strict) {
  if (!isObject(options)) return argumentError('options must be an object', options, strict)
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
        if (strict) refuseUnknown({ [key]: undefined }, runOptionNames, '')
    }
  }

  const { transferList, filename, name, signal } = result
  if (transferList !== undefined && !Array.isArray(transferList)) {
    return argumentError('transferList argument must be an Array', transferList, strict)
  }
  if (filename !== null) {
    if (typeof filename !== 'string' && !(strict && filename instanceof URL)) {
      return argumentError('filename argument must be a string', filename, strict)
    }
    result.filename = resolveFilename(filename, 'filename argument')
  }
  if (name !== null && typeof name !== 'string') {
    return argumentError('name argument must be a string', name, strict)
  }
  if (signal !== null) {
    if (typeof signal !== 'object') return argumentError('signal argument must be an object', signal, strict)
    if (typeof signal.addEventListener !== 'function' && typeof signal.once !== 'function') {
      return argumentError('signal argument must be an object with addEventListener() or once()', signal, strict)
    }
  }
  return null
}

// { error, force }
function normalizeCloseOptions (options, { strict }) {
  const result = { error: null, force: false }
  try {
    if (!isObject(options)) {
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

function argumentError (message, value, strict) {
  return createError('ERR_TELAR_INVALID_ARGUMENT', strict ? `${message}; received ${describe(value)}` : message)
}

module.exports = {
  normalizeCloseOptions,
  normalizePoolOptions,
  normalizeRunOptions,
  poolLimits,
  poolOptionNames,
  resolveFilename,
  runOptionNames,
  timerDelay
}
