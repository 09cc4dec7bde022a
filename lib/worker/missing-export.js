'use strict'

// In a worker: makes the error of a task whose file does not export the function that the task
// names. The exports are user code: getters and proxies may throw.

const { Object, Set } = require('../base/globals')
const { isPromise } = require('node:util/types')
const { describe } = require('../base/describe')
const { createError } = require('../base/errors')
const { nearest } = require('../base/arguments')
const { own } = require('../base/own')

const kMaxFilename = 300 // of a data: URL the beginning is enough
const kMaxNames = 20

// `origin`: the file and the name; `asker` is who named them, if that is not the task. `exported`:
// the objects whose properties are the exports. `find(name)`: the export that a task gets for that
// name.
function missingExport (origin, exported, find) {
  const { filename, name } = origin
  const asker = own(origin, 'asker') ?? 'the task'
  const { functions, values } = namesOf(exported, find)
  const names = functions.filter((other) => other !== name)
  const asked = name === 'default' ? 'a default export' : `the export ${describe(name)}`
  const found = attempt(() => find(name))
  const kind = isPromise(found) ? 'a promise of something else' : describe(found)
  const reason = found === undefined ? '' : `, which is ${kind}`
  const exports = list(names, values)
  const details = `${asker} asked for ${asked}${reason}, and ${exports}. ${advice(name, names)}`
  return createError('ERR_TELAR_NO_HANDLER', shorten(filename), details)
}

// The names of the exports that are functions, or promises, which may be promises of functions, and
// those of the others.
function namesOf (exported, find) {
  const keys = new Set(['default'])
  for (const object of exported) {
    if (typeof object === 'string') continue // its keys are indices
    for (const key of attempt(() => Object.keys(object)) ?? []) keys.add(key)
  }
  const functions = []
  const values = []
  for (const key of keys) {
    const found = attempt(() => find(key))
    if (typeof found === 'function' || isPromise(found)) functions.push(key)
    else if (key !== 'default' && key !== '__esModule') values.push(key)
  }
  return { functions, values }
}

function list (functions, values) {
  if (functions.length > 0) return `the file exports as functions: ${join(functions)}`
  const others = values.length > 0 ? `, only other values: ${join(values)}` : ''
  return `the file exports no function${others}`
}

function join (names) {
  const left = names.length - kMaxNames
  const shown = names.slice(0, kMaxNames).map(shorten).join(', ')
  return left > 0 ? `${shown} and ${left} more` : shown
}

function advice (name, names) {
  if (names.length === 0) return 'Export the function of the task from it'
  const meant = nearest(name, names)
  if (meant !== undefined) return `Did you mean ${describe(meant)}?`
  return 'Give the name of one of them as the option `name`, or export the one that was asked for'
}

function attempt (callback) {
  try {
    return callback()
  } catch {
    return undefined
  }
}

function shorten (text) {
  return text.length > kMaxFilename ? `${text.slice(0, kMaxFilename)}…` : text
}

module.exports = { missingExport }
