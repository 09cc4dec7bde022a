'use strict'

// exec() and define(): functions that are given in place, and not exported by a task file. Their
// source is sent to the workers, once to each, as an entry of the function table.

const { JSON, Map, Object, Promise, RegExp, WeakMap } = require('../base/globals')
const { argumentError, isObject, ownOptions } = require('../base/arguments')
const { InlineFunction } = require('./inline-function')
const { CalledFunction, PinnedFunction } = require('./pinned-function')

const kDefineOptions = ['imports']
const kName = new RegExp('^[\\p{ID_Start}$_][\\p{ID_Continue}$\\u200c\\u200d]*$', 'u')

// So many functions are kept in the function table. A program that makes ever new ones, by
// generating code, gets entries for the others that last as long as their tasks.
const kMaxPinned = 1000

class InlineCalls {
  // The functions of define(), by name.
  defined = new Map()
  #calls
  // Functions that were given to exec() without imports.
  #bare = new WeakMap()
  // The others, by the text of their imports and their source. So functions with the same source
  // are the same: a handler makes a new one for each call.
  #bySource = new Map()

  // Used of `calls`: run().
  constructor (calls) {
    this.#calls = calls
  }

  // `given`: the function, or an object with it and the options.
  exec (given, args) {
    let called
    let options
    try {
      if (typeof given === 'function') {
        called = this.#bare.get(given) ?? this.#findBare(given)
      } else {
        const { fn, imports, ...others } = read(given)
        called = imports === undefined ? this.#findBare(fn) : this.#find(fn, imports)
        options = others
      }
    } catch (error) {
      return Promise.reject(error)
    }
    return called.run(this.#calls, args, options)
  }

  #findBare (fn) {
    const found = this.#find(fn, undefined)
    this.#bare.set(fn, found)
    return found
  }

  // Throws, since it returns no promise.
  define (name, fn, options) {
    if (typeof name !== 'string' || name === '') {
      throw argumentError('name argument of define() must be a string that is not empty', name)
    }
    const imports = readImports(options)
    const inline = openFunction(fn, imports)
    inline.check()
    this.defined.set(name, new PinnedFunction(inline.toText({ ...imports }, 'plain'), name))
  }

  #find (fn, imports) {
    const inline = openFunction(fn, imports)
    const modules = imports === undefined ? '' : JSON.stringify(imports)
    const key = modules + inline.code
    const known = this.#bySource.get(key)
    if (known !== undefined) return known
    inline.check()
    const isKept = this.#bySource.size < kMaxPinned
    const Class = isKept ? PinnedFunction : UnpinnedFunction
    const made = (way) => new Class(inline.toText({ ...imports }, way), inline.name)
    const found = new CalledFunction(made('single'), made('spread'))
    if (isKept) this.#bySource.set(key, found)
    return found
  }
}

function openFunction (fn, imports) {
  if (typeof fn !== 'function') {
    throw argumentError('fn must be a function, as in exec({ fn, signal }, 1, 2)', fn)
  }
  return new InlineFunction(fn, imports === undefined ? [] : Object.keys(checkImports(imports)))
}

class UnpinnedFunction {
  filename
  name

  constructor (filename, name) {
    this.filename = filename
    this.name = name
  }

  entryIn () { return -1 }
}

function read (given) {
  if (!isObject(given) || !Object.hasOwn(given, 'fn')) {
    throw argumentError('The first argument of exec() must be a function or an object with the ' +
      'property fn, as in exec({ fn, signal }, 1, 2)', given)
  }
  return { __proto__: null, imports: undefined, ...given }
}

const readImports = (options) => ownOptions(options, kDefineOptions, '').imports

function checkImports (imports) {
  const message = "imports must be an object such as { fs: 'node:fs' }, which gives the function " +
    'modules by names'
  if (!isObject(imports)) throw argumentError(message, imports)
  for (const name of Object.keys(imports)) {
    if (!kName.test(name)) throw argumentError(message, name)
    if (typeof imports[name] !== 'string') throw argumentError(message, imports[name])
  }
  return imports
}

module.exports = { InlineCalls }
