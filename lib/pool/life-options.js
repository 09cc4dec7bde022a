'use strict'

// The options of the constructor that concern the life of workers: what runs at its start and at
// its end, and when it ends. options.js reads them with the others.

const { Array, Number, Object } = require('../base/globals')
const { argumentError, isObject, refuseUnknown } = require('../base/arguments')
const { createError } = require('../base/errors')

const recycleNames = ['tasks', 'heapMb', 'ageMs']

const isExportName = (value) => value === null || (typeof value === 'string' && value !== '')
const isBoolean = (value) => typeof value === 'boolean'
const isTimeout = (value) => value === Infinity || (Number.isInteger(value) && value >= 0)
const isRecord = (value) => isObject(value) && !Array.isArray(value)
const isCount = (value) => Number.isInteger(value) && value >= 0

// The same for Pool and for telar/piscina: Piscina has none of them.
const rule = (message, isAllowed, fallback) => ({
  __proto__: null, message, strict: isAllowed, compat: isAllowed, fallback: () => fallback
})

const lifeOptions = {
  __proto__: null,
  setup: rule('must be the name of an export or null', isExportName, null),
  teardown: rule('must be the name of an export or null', isExportName, null),
  teardownTimeout: rule('must be a non-negative integer or Infinity', isTimeout, 5000),
  recycle: rule('must be an object with tasks, heapMb or ageMs', isRecord, undefined),
  isolate: rule('must be a boolean', isBoolean, false),
  spareThreads: rule('must be a non-negative integer', isCount, undefined)
}

// Reads what is inside `recycle`, checks which options exclude each other, and adds the default of
// spareThreads. `result`: all options, with the defaults of the others.
function finishLifeOptions (result) {
  if (result.recycle !== undefined) result.recycle = readRecycle(result.recycle)
  for (const name of ['setup', 'teardown']) {
    if (result[name] !== null && result.filename === null) {
      throw conflict(`options.${name} names an export of options.filename, which is missing`)
    }
  }
  if (!result.isolate) {
    if (result.spareThreads === undefined) return
    throw conflict('options.spareThreads needs options.isolate')
  }
  result.spareThreads ??= result.minThreads
  if (result.loadBalancer !== undefined) refuseWithIsolate('loadBalancer')
  if (result.recycle !== undefined) refuseWithIsolate('recycle')
  if (result.concurrentTasksPerWorker > 1) refuseWithIsolate('concurrentTasksPerWorker above 1')
}

// A copy with all three limits; Infinity stands for one that is not given.
function readRecycle (recycle) {
  const given = Object.assign(Object.create(null), recycle)
  refuseUnknown(given, recycleNames, 'options.recycle.')
  const result = { __proto__: null, tasks: Infinity, heapMb: Infinity, ageMs: Infinity }
  for (const name of recycleNames) {
    const value = given[name]
    if (value === undefined) continue
    if (!Number.isInteger(value) || value < 1) {
      throw argumentError(`options.recycle.${name} must be a positive integer`, value)
    }
    result[name] = value
  }
  return result
}

function refuseWithIsolate (what) {
  throw conflict(`options.isolate gives each task a worker of its own, so ${what} has no use`)
}

function conflict (message) {
  return createError('ERR_TELAR_OPTION_CONFLICT', message)
}

module.exports = { finishLifeOptions, lifeOptions }
