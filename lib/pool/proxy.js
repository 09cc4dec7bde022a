'use strict'

// pool.proxy(): an object whose methods call the exports of the task file, each with its own
// arguments (pinned-function.js).
//
// What an export returns comes as one value, and what a generator gives comes by stream().

const { Object, Proxy, Set } = require('../base/globals')
const { argumentError, ownOptions } = require('../base/arguments')
const { createError } = require('../base/errors')
const { setOwn } = require('../base/own')
const { exportCalled } = require('../transport/own-functions')
const { isURL, resolveFilename } = require('./filename')
const { CalledFunction, PinnedFunction } = require('./pinned-function')

// `calls`: see calls.js. `own`: the options of the pool.
function createProxy (calls, own, options = {}) {
  const filename = fileOf(ownOptions(options, ['filename'], '').filename, own)
  // Methods are made when they are first asked for, and are found without the Proxy afterwards: it
  // is the prototype of their object.
  const object = Object.create(new Proxy(Object.freeze(Object.create(null)), {
    __proto__: null,
    get (_, name) {
      if (!isMethod(name)) return undefined
      const method = methodOf(calls, filename, name)
      setOwn(object, name, method)
      return method
    },
    has: (_, name) => isMethod(name)
  }))
  return object
}

// `await` and promises ask any value for `then`, JSON.stringify() asks for `toJSON`, and they call
// it. That would run tasks that nobody has asked for.
const kNoMethods = new Set(['then', 'toJSON'])
const isMethod = (name) => typeof name === 'string' && !kNoMethods.has(name)

function fileOf (given, own) {
  const filename = given ?? own.filename
  if (filename === null) throw createError('ERR_TELAR_FILENAME_MISSING')
  if (given === undefined || given === null) return filename
  if (typeof given !== 'string' && !isURL(given)) {
    throw argumentError('options.filename must be a string or a URL', given)
  }
  return resolveFilename(given, 'options.filename')
}

function methodOf (calls, filename, name) {
  const called = new CalledFunction(
    new PinnedFunction(exportCalled('single', filename), name),
    new PinnedFunction(exportCalled('spread', filename), name))
  return createMethod(calls, called, undefined)
}

// A method whose tasks have these options of run(), or undefined.
function createMethod (calls, called, options) {
  const method = (...args) => called.run(calls, args, options)
  setOwn(method, 'sync', (...args) => called.runSync(calls, args, options))
  setOwn(method, 'stream', (...args) => called.stream(calls, args, options))
  setOwn(method, 'with', (options) => createMethod(calls, called, options))
  return method
}

module.exports = { createProxy }
