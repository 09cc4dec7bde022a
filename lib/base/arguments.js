'use strict'

// Reads the options that callers pass. Only own properties count: a polluted Object.prototype sets
// no option. A misspelled option is an error that says which one was probably meant.

const { Array, Math, Object } = require('./globals')
const { isAbortSignal } = require('./abort-signal')
const { describe } = require('./describe')
const { createError } = require('./errors')

const isObject = (value) => typeof value === 'object' && value !== null

// `isShown`: whether the message ends with the value.
function argumentError (message, value, isShown = true) {
  const text = isShown ? `${message}; received ${describe(value)}` : message
  return createError('ERR_TELAR_INVALID_ARGUMENT', text)
}

// The message puts `prefix` in front of each name.
function refuseUnknown (given, known, prefix) {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue
    const hint = nearest(name, known)
    const meant = hint === undefined ? undefined : prefix + hint
    throw createError('ERR_TELAR_UNKNOWN_OPTION', prefix + name, meant)
  }
}

// What is wrong with what a caller passed as options, as an error, or null. telar/piscina is not
// `strict`.
function wrongOptions (what, value, strict = true) {
  if (!isObject(value) || (strict && Array.isArray(value))) {
    return argumentError(`${what} must be an object`, value, strict)
  }
  if (!strict || !isBareInstance(value)) return null
  const hint = isAbortSignal(value) ? ', such as { signal }' : ''
  return argumentError(`${what} must be an object with properties of its own${hint}`, value)
}

// An instance of a class without properties of its own, such as an AbortSignal, would be taken for
// no options at all.
function isBareInstance (value) {
  const prototype = Object.getPrototypeOf(value)
  // That of a plain object, also of another realm, has no prototype itself. Most options are such
  // objects, so their keys are not listed here.
  return prototype !== null && Object.getPrototypeOf(prototype) !== null &&
    Object.keys(value).length === 0
}

// A copy of the options, without a prototype.
function ownOptions (given, known, prefix) {
  const what = prefix === '' ? 'options' : prefix.slice(0, -1)
  const error = given === undefined ? null : wrongOptions(what, given)
  if (error !== null) throw error
  const copy = Object.assign(Object.create(null), given)
  refuseUnknown(copy, known, prefix)
  return copy
}

// The known name that was probably meant: it differs in capitals only, or in at most a third of
// the letters.
function nearest (name, known) {
  let best
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

// The Levenshtein distance, except that two swapped letters count as one mistake.
function editDistance (a, b) {
  let previous = []
  let current = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      next[j] = Math.min(current[j] + 1, next[j - 1] + 1, current[j - 1] + (isSame ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        next[j] = Math.min(next[j], previous[j - 2] + 1)
      }
    }
    previous = current
    current = next
  }
  return current[b.length]
}

module.exports = { argumentError, isObject, nearest, ownOptions, refuseUnknown, wrongOptions }
