'use strict'

// The terms of a task: how long it may wait and run, and how it is aborted. They are options of
// run() and, as its defaults, of the pool.

const { Object } = require('../base/globals')

// How strong an abort of a running task is. To add one: here, and in abort.js.
//   terminate    its worker is terminated
//   cooperative  the task is told, and its worker lives on
//   interrupt    the same, and after its grace its JavaScript is stopped where it stands
const kStrengths = ['terminate', 'cooperative', 'interrupt']

// A task that is to be interrupted has no grace unless it is given one.
const defaultGrace = (strength) => strength === 'interrupt' ? 0 : Infinity

const isStrength = (value) => kStrengths.includes(value)
const isGrace = (value) => typeof value === 'number' && value >= 0
const graceMessage = 'must be a number of milliseconds from 0, or Infinity'
const isTime = (value) => typeof value === 'number' && value > 0
const timeMessage = 'must be a number of milliseconds above 0, or Infinity'

const termOptions = Object.freeze({
  __proto__: null,
  abort: {
    message: `must be one of ${kStrengths.join(', ')}`,
    isAllowed: isStrength,
    fallback: 'terminate'
  },
  graceMs: {
    message: graceMessage,
    isAllowed: isGrace,
    fallback: null // see fallbackOf()
  },
  interruptMs: { message: graceMessage, isAllowed: isGrace, fallback: 250 },
  timeout: { message: timeMessage, isAllowed: isTime, fallback: Infinity },
  queueTimeout: { message: timeMessage, isAllowed: isTime, fallback: Infinity }
})

const termNames = Object.keys(termOptions)

// The default of a term, where no other one is given.
function fallbackOf (name, { abort }) {
  return name === 'graceMs' ? defaultGrace(abort) : termOptions[name].fallback
}

// The terms of a pool without such options.
const defaultTerms = { __proto__: null, abort: undefined }
for (const name of termNames) defaultTerms[name] = fallbackOf(name, defaultTerms)

// The name of a term with a value that is not allowed, or null. Written out, since run() calls it
// millions of times.
function wrongTerm ({ abort, graceMs, interruptMs, timeout, queueTimeout }) {
  if (!isStrength(abort)) return 'abort'
  if (!isGrace(graceMs)) return 'graceMs'
  if (!isGrace(interruptMs)) return 'interruptMs'
  if (!isTime(timeout)) return 'timeout'
  return isTime(queueTimeout) ? null : 'queueTimeout'
}

// Whether the scheduler has to know limits.
const isLimited = (terms) => terms.timeout !== Infinity || terms.queueTimeout !== Infinity

// Whether the task may be aborted while it runs, and that ends its worker. `hasSignal`: it may be
// aborted at any time.
function endsWorker (terms, hasSignal) {
  return terms.abort === 'terminate' && (hasSignal || terms.timeout !== Infinity)
}

module.exports = {
  defaultGrace, defaultTerms, endsWorker, fallbackOf, isLimited, termNames, termOptions, wrongTerm
}
