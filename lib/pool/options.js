'use strict'

// Reads the options of the constructor. All of them are checked before anything else happens. For
// run() and close() see call-options.js. Only own properties count, and they are copied to objects
// without a prototype: a polluted Object.prototype sets no option.
//
// strict: for Pool. A misspelled option is an error, an option that is documented as an integer
//   must be one, and messages end with the value that was received.
// not strict: for telar/piscina. Everything that Piscina accepts is accepted, unknown options are
//   kept, and messages are exactly those of Piscina.

const { Array, Math, Number, Object, Set, process } = require('../base/globals')
const { SHARE_ENV } = require('node:worker_threads')
const { argumentError, isObject, ownOptions, refuseUnknown } = require('../base/arguments')
const { describe } = require('../base/describe')
const { createError } = require('../base/errors')
const native = require('../base/native')
const { own } = require('../base/own')
const { kMaxRegion } = require('../codec/views')
const { isURL, resolveFilename } = require('./filename')
const { finishLifeOptions, lifeOptions } = require('./life-options')
const { FixedQueue, isTaskQueue } = require('./task-queues')
const { fallbackOf, termNames, termOptions } = require('./terms')

const kMiB = 1024 * 1024
// Together with the slots at most what the codec can address.
const kSharedMemoryMax = kMaxRegion - kMiB
const kSharedMemoryMin = kMiB
const { kRegionGranule: kSharedMemoryUnit } = native.poolConstants
const k32Bit = new Set(['arm', 'ia32', 'mips', 'mipsel', 'ppc', 's390'])

// A worker that is ending keeps its entry in the scheduler's table until its thread has ended,
// while others already take over. So there may be more threads than workers that take tasks.
const kSpareWorkers = 64

// The limits of the scheduler's table and of its counters. Larger numbers are reduced to them.
const {
  kMaxConcurrency: kMaxTasksPerWorker, kMaxWorkers: kMaxTableSize
} = native.poolConstants
const kMaxThreads = (kMaxTableSize - kSpareWorkers) / 2

// Node's timers count in 31 bits; a longer delay would expire after 1 ms.
const kMaxDelayMs = 2 ** 31 - 1

const isWhole = (value, min) => Number.isInteger(value) && value >= min
const isWholeOrInfinity = (value, min) => value === Infinity || isWhole(value, min)
// NaN passes, as in Piscina.
const isNumber = (value, min) => typeof value === 'number' && !(value < min)
const isBoolean = (value) => typeof value === 'boolean'
const isStringArray = (value) => Array.isArray(value) &&
  value.every((item) => typeof item === 'string')

const kMinHeapMb = 16 // a worker takes half of that before its first task
const isMemoryLimit = (value) => isObject(value) && isWhole(own(value, 'heapMb'), kMinHeapMb) &&
  Object.keys(value).length === 1

// For each option: `strict` and `compat` tell whether a value (never undefined) is allowed; an
// option that Piscina does not check has no `compat`. `message` comes after `options.<name> `.
// `fallback` is the default, or a function that returns it and gets the options before this one.
const poolOptions = {
  filename: {
    message: 'must be a string, a URL or null',
    compatMessage: 'must be a string or null',
    strict: (value) => value === null || typeof value === 'string' || isURL(value),
    compat: (value) => value === null || typeof value === 'string',
    fallback: null
  },
  name: {
    message: 'must be a string or null',
    strict: (value) => value === null || typeof value === 'string',
    compat: (value) => value === null || typeof value === 'string',
    fallback: 'default'
  },
  minThreads: {
    message: 'must be a non-negative integer',
    strict: (value) => isWhole(value, 0),
    compat: (value) => isNumber(value, 0),
    fallback: () => Math.max(1, Math.floor(native.cpus() / 2))
  },
  maxThreads: {
    message: 'must be a positive integer',
    strict: (value) => isWhole(value, 1),
    compat: (value) => isNumber(value, 1),
    fallback (strict) {
      const threads = native.cpus() * 1.5
      return strict ? Math.max(1, Math.floor(threads)) : threads
    }
  },
  idleTimeout: {
    message: 'must be a non-negative integer',
    strict: (value) => isWholeOrInfinity(value, 0),
    compat: (value) => isNumber(value, 0),
    fallback: 0
  },
  maxQueue: {
    message: 'must be a non-negative integer',
    strict: (value) => value === 'auto' || isWholeOrInfinity(value, 0),
    compat: (value) => value === 'auto' || isNumber(value, 0),
    fallback: Infinity
  },
  concurrentTasksPerWorker: {
    message: 'must be a positive integer',
    strict: (value) => isWhole(value, 1),
    compat: (value) => isNumber(value, 1),
    fallback: 1
  },
  atomics: {
    message: 'should be a value of sync, async or disabled',
    compatMessage: 'should be a value of sync, sync or disabled.',
    strict: (value) => ['sync', 'async', 'disabled'].includes(value),
    compat: (value) => value === null || ['sync', 'async', 'disabled'].includes(value),
    fallback: 'sync'
  },
  resourceLimits: {
    message: 'must be an object',
    strict: isObject,
    compat: isObject
  },
  memoryLimit: {
    message: `must be an object { heapMb } with an integer of at least ${kMinHeapMb} (MiB)`,
    strict: isMemoryLimit,
    compat: isMemoryLimit
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
    fallback: 0
  },
  trackUnmanagedFds: {
    message: 'must be a boolean value',
    strict: isBoolean,
    compat: isBoolean,
    fallback: true
  },
  closeTimeout: {
    message: 'must be a non-negative integer',
    strict: (value) => isWholeOrInfinity(value, 0),
    compat: (value) => isNumber(value, 0),
    fallback: 30_000
  },
  recordTiming: {
    message: 'must be a boolean',
    strict: isBoolean,
    fallback: true
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
    fallback: false
  },
  stricterFIFO: {
    message: 'must be a boolean',
    strict: isBoolean,
    compat: isBoolean,
    fallback: false
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
  },
  ...lifeOptions
}

for (const name of termNames) {
  const { message, isAllowed } = termOptions[name]
  const fallback = (strict, terms) => fallbackOf(name, terms)
  poolOptions[name] = { message, strict: isAllowed, compat: isAllowed, fallback }
}

const poolOptionNames = Object.keys(poolOptions)

// Checks the options of a pool and adds the defaults, in a copy. Throws a TypeError or, for options
// that conflict, a RangeError.
function normalizePoolOptions (options, { strict }) {
  const given = strict
    ? ownOptions(options, poolOptionNames, 'options.')
    : Object.assign(Object.create(null), options)

  for (const name of poolOptionNames) {
    const value = given[name]
    if (value === undefined) {
      delete given[name] // `{ maxThreads: undefined }` means the default
      continue
    }
    checkOption(name, value, strict)
    if (name === 'maxThreads') checkOrder(given, strict)
  }

  const result = Object.assign(Object.create(null), given)
  for (const name of poolOptionNames) {
    // For these two options null means the default. For others it means "none".
    const isUnsetByNull = given[name] === null && (name === 'name' || name === 'atomics')
    if (given[name] === undefined || isUnsetByNull) {
      const fallback = own(poolOptions[name], 'fallback')
      result[name] = typeof fallback === 'function' ? fallback(strict, result) : fallback
    }
  }

  adjustThreads(result, given)

  // An integer even if maxThreads is not: callers compare it with queueSize.
  if (result.maxQueue === 'auto') result.maxQueue = poolLimits(result).maxThreads ** 2
  result.filename = result.filename ? resolveFilename(result.filename, 'options.filename') : null
  if (result.resourceLimits !== undefined) {
    result.resourceLimits = Object.assign(Object.create(null), result.resourceLimits)
  }
  if (result.memoryLimit !== undefined) {
    refuseInBun()
    result.memoryLimit = Object.assign(Object.create(null), result.memoryLimit)
  }
  result.sharedMemory = Math.ceil(result.sharedMemory / kSharedMemoryUnit) * kSharedMemoryUnit
  finishLifeOptions(result)
  return result
}

// Bun does not tell the heap of a thread whose JavaScript is running, and has no limit like V8's.
function refuseInBun () {
  const version = own(process.versions, 'bun')
  if (version === undefined) return
  throw createError('ERR_TELAR_UNSUPPORTED_RUNTIME', 'options.memoryLimit does not work in Bun ' +
    `(this is ${version}), where the heap of a running thread cannot be read`)
}

// Throws if that value is not allowed. It is not undefined.
function checkOption (name, value, strict) {
  const option = poolOptions[name]
  const isAllowed = own(option, strict ? 'strict' : 'compat')
  if (isAllowed === undefined || isAllowed(value)) return
  const message = strict
    ? `options.${name} ${option.message}; received ${describe(value)}`
    : `options.${name} ${own(option, 'compatMessage') ?? option.message}`
  throw createError('ERR_TELAR_INVALID_ARGUMENT', message)
}

function checkOrder ({ minThreads, maxThreads }, strict) {
  if (!(minThreads > maxThreads)) return
  const message = 'options.minThreads and options.maxThreads must not conflict'
  const received = `; received minThreads ${minThreads} and maxThreads ${maxThreads}`
  throw createError('ERR_TELAR_OPTION_CONFLICT', strict ? message + received : message)
}

// If only one of the two is given, the other is adjusted to it.
function adjustThreads (result, given) {
  if (given.maxThreads !== undefined && result.minThreads > given.maxThreads) {
    result.minThreads = given.maxThreads
  }
  if (given.minThreads !== undefined && result.maxThreads < given.minThreads) {
    result.maxThreads = given.minThreads
  }
}

// The options of resize(). Returns { minThreads, maxThreads }, of which those that are not given
// come from `options`, the options of the pool.
function normalizeSize (size, options, { strict }) {
  if (!isObject(size) || Array.isArray(size)) {
    throw argumentError('options must be an object with minThreads and maxThreads', size, strict)
  }
  const given = Object.assign(Object.create(null), size)
  if (strict) refuseUnknown(given, ['minThreads', 'maxThreads'], 'options.')
  const { minThreads, maxThreads } = options
  const result = { __proto__: null, minThreads, maxThreads }
  for (const name of ['minThreads', 'maxThreads']) {
    if (given[name] === undefined) continue
    checkOption(name, given[name], strict)
    result[name] = given[name]
  }
  checkOrder(given, strict)
  adjustThreads(result, given)
  return result
}

// The numbers that the pool works with. Whatever the options are, these are integers (or Infinity),
// and the minimum is not above the maximum. A pool of 1.5 threads would start a second worker to
// reach its minimum, and end it because it is one too many, again and again.
function poolLimits (options) {
  const minThreads = toInteger(options.minThreads, 0, 0)
  const threads = toInteger(options.maxThreads, 1, Math.max(1, minThreads))
  const maxThreads = Math.min(threads, kMaxThreads)
  const tasksPerWorker = toInteger(options.concurrentTasksPerWorker, 1, 1)
  // Workers that are kept ready in addition to those that run tasks, which are all that there are.
  const spareThreads = options.isolate ? Math.min(options.spareThreads, kMaxThreads) : 0
  return {
    minThreads: options.isolate ? spareThreads : Math.min(minThreads, maxThreads),
    maxThreads,
    spareThreads,
    maxLiving: Math.min(2 * (maxThreads + spareThreads) + kSpareWorkers, kMaxTableSize),
    maxQueue: toInteger(options.maxQueue, 0, Infinity),
    concurrentTasksPerWorker: Math.min(tasksPerWorker, kMaxTasksPerWorker)
  }
}

function toInteger (value, min, fallback) {
  return Number.isNaN(value) ? fallback : Math.max(min, Math.floor(value))
}

// A delay for a timer, or null for "never".
function timerDelay (milliseconds) {
  if (milliseconds > kMaxDelayMs) return milliseconds === Infinity ? null : kMaxDelayMs
  return Number.isNaN(milliseconds) ? 0 : milliseconds
}

module.exports = {
  normalizePoolOptions, normalizeSize, poolLimits, poolOptionNames, timerDelay
}
