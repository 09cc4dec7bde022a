'use strict'

// Reads the options of map() and its relatives: those of their own, and those of run() that make
// sense for each of many tasks. What is wrong is thrown, since these calls return no promise.

const { Number, Object, Symbol } = require('../../base/globals')
const { argumentError, ownOptions } = require('../../base/arguments')
const { createError } = require('../../base/errors')
const { RunOptions, runOptionNames } = require('../call-options')

// The values of a map are moved by move(), and its tasks wait because it hands them over early.
const notOfMany = ['transferList', 'queueTimeout']
const callNames = runOptionNames.filter((name) => !notOfMany.includes(name))

const kMaxBatch = 65536

const isCount = (value, least) => Number.isSafeInteger(value) && value >= least

const checks = {
  __proto__: null,
  concurrency: {
    message: 'must be an integer from 1, or Infinity',
    isAllowed: (value) => value === Infinity || isCount(value, 1)
  },
  ordered: { message: 'must be a boolean', isAllowed: (value) => typeof value === 'boolean' },
  batch: {
    message: `must be 'auto' or an integer from 1 to ${kMaxBatch}`,
    isAllowed: (value) => value === 'auto' || (isCount(value, 1) && value <= kMaxBatch)
  },
  settle: { message: 'must be a boolean', isAllowed: (value) => typeof value === 'boolean' },
  capacity: {
    message: 'must be an integer from 4096 to 1073741824',
    isAllowed: (value) => isCount(value, 4096) && value <= 2 ** 30
  },
  highWaterMark: {
    message: 'must be an integer from 0', isAllowed: (value) => isCount(value, 0)
  },
  input: {
    message: 'must be an iterable or an async iterable',
    isAllowed: (value) => isIterable(value)
  }
}

function isIterable (value) {
  if (typeof value === 'string') return true
  return ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    (typeof value[Symbol.asyncIterator] === 'function' ||
      typeof value[Symbol.iterator] === 'function')
}

// Returns `{ own, given }`: the options of the call's own, `ownNames`, without a prototype, and
// those of run(), as RunOptions. `more`: those of run() that are allowed here, too. `pinned`: the
// function, if the caller has chosen it.
function readOptions (engine, options, ownNames, more = [], pinned = null) {
  const copy = ownOptions(options, [...ownNames, ...callNames, ...more], '')
  const result = Object.create(null)
  const call = Object.create(null)
  for (const name of Object.keys(copy)) {
    if (!ownNames.includes(name)) {
      call[name] = copy[name]
    } else if (copy[name] !== undefined && copy[name] !== null) {
      const { message, isAllowed } = checks[name]
      if (!isAllowed(copy[name])) throw argumentError(`${name} argument ${message}`, copy[name])
      result[name] = copy[name]
    }
  }
  const given = engine.readOptions(call, pinned)
  if (given.error !== null) throw given.error
  if (more.length === 0) given.queueTimeout = Infinity
  return { own: result, given }
}

// What the options of a map say of its batches. A limit of time, and a worker of its own, are for
// one item.
function readBatch (engine, { batch = 'auto' }, given) {
  const isSingle = given.timeout !== Infinity || engine.options.isolate
  if (isSingle && batch !== 'auto' && batch > 1) {
    const other = engine.options.isolate ? 'isolate' : 'timeout'
    throw createError('ERR_TELAR_OPTION_CONFLICT', `batch above 1 and ${other} must not be used ` +
      'together: the items of a batch are one task. Leave out batch, and each item is a task')
  }
  return isSingle ? 1 : batch
}

// The options of a task of this kind.
function ofKind (given, kind, transferList) {
  const copy = Object.assign(new RunOptions(), given)
  copy.kind = kind
  copy.transferList = transferList?.length > 0 ? transferList : undefined
  return copy
}

module.exports = { isIterable, ofKind, readBatch, readOptions }
