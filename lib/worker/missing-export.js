'use strict'

// In a worker: makes the error of a task whose file does not export the function that the task
// names. The exports are user code: getters and proxies may throw.

const { Object, Set } = require('../base/globals')
const { isPromise } = require('node:util/types')
const { createError, describe } = require('../base/errors')
const { nearest } = require('../base/arguments')

const kMaxFilename = 300 // of a data: URL the beginning is enough
const kMaxNames = 20

// `exported`: the objects whose properties are the exports. `find(name)`: the export that a task
// gets for that name.
function missingExport (filename, name, exported, find) {
  const names = functionNames(exported, find).filter((other) => other !== name)
  const asked = name === 'default' ? 'a default export' : `the export ${describe(name)}`
  const found = attempt(() => find(name))
  const kind = isPromise(found) ? 'a promise of something else' : describe(found)
  const reason = found === undefined ? '' : `, which is ${kind}`
  const details = `the task asked for ${asked}${reason}, and ${list(names)}. ${advice(name, names)}`
  return createError('ERR_TELAR_NO_HANDLER', shorten(filename), details)
}

// The names of the exports that are functions, or promises, which may be promises of functions.
function functionNames (exported, find) {
  const keys = new Set(['default'])
  for (const object of exported) {
    for (const key of attempt(() => Object.keys(object)) ?? []) keys.add(key)
  }
  return [...keys].filter((key) => {
    const found = attempt(() => find(key))
    return typeof found === 'function' || isPromise(found)
  })
}

function list (names) {
  if (names.length === 0) return 'the file exports no function'
  const left = names.length - kMaxNames
  const shown = names.slice(0, kMaxNames).map(shorten).join(', ')
  return `the file exports as functions: ${shown}${left > 0 ? ` and ${left} more` : ''}`
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
