'use strict'

// Reads the options `priority` and `key` of run(), which say when and where a task runs. The
// scheduler (src/core/sched.h) keeps the order.

const { Float64Array, Int32Array, Math, Number } = require('../base/globals')
const { argumentError } = require('../base/arguments')
const { createError } = require('../base/errors')
const native = require('../base/native')

const { kNone, kPriorityMax, kPriorityMin } = native.poolConstants

// A key of the scheduler is a hash of 31 bits, so that it is a small integer and never kNone. The
// seed differs from process to process: nobody can choose many keys that have the same worker.
const kSeed = Math.floor(Math.random() * 2 ** 32) | 0
const kStringPrime = 0x01000193 // of FNV-1a

const double = new Float64Array(1)
const halves = new Int32Array(double.buffer)

// Returns the error, or null.
function checkPriority (priority, strict) {
  if (Number.isInteger(priority) && priority >= kPriorityMin && priority <= kPriorityMax) {
    return null
  }
  const expected = `an integer from ${kPriorityMin} to ${kPriorityMax}`
  return argumentError(`priority argument must be ${expected}`, priority, strict)
}

function checkKey (key, strict) {
  if (typeof key === 'string' || (typeof key === 'number' && !Number.isNaN(key))) return null
  return argumentError('key argument must be a string or a number, not NaN', key, strict)
}

// For a pool with the option `isolate`. Returns the error, or null.
function checkIsolated ({ keyHash }) {
  if (keyHash === kNone) return null
  return createError('ERR_TELAR_OPTION_CONFLICT', 'the options key and isolate must not be used ' +
    'together: no worker runs a second task')
}

function hashOf (key) {
  return typeof key === 'string' ? hashString(key) : hashNumber(key)
}

function hashString (text) {
  let hash = kSeed
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), kStringPrime)
  }
  return mix(hash)
}

// Not the string of the number: 1 and '1' are different keys.
function hashNumber (number) {
  double[0] = number + 0 // -0 is 0
  return mix(Math.imul(halves[0] ^ kSeed, kStringPrime) ^ halves[1])
}

// The finalizer of MurmurHash3: each bit of the result depends on each bit of the hash.
function mix (hash) {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 1
}

module.exports = { checkIsolated, checkKey, checkPriority, hashOf, kNone }
