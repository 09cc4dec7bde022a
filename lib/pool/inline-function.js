'use strict'

// A function that is given in place. A worker compiles its source anew, without the variables
// around it. So it must not use any; and the worker has to know where the source is written, so
// that errors point there.

const {
  Error, Function, JSON, Object, Reflect, Set, String, nodeGlobals
} = require('../base/globals')
const fs = require('node:fs')
const path = require('node:path')
const { URL, fileURLToPath } = require('node:url')
const { isProxy } = require('node:util/types')
const { argumentError } = require('../base/arguments')
const { createError } = require('../base/errors')
const { libFolder } = require('../base/own-files')
const { kFunction } = require('../transport/own-functions')
const { freeNames } = require('./free-names')

const toSource = Function.prototype.toString
const callerOf = Object.getOwnPropertyDescriptor(Function.prototype, 'caller')?.get
const kNative = /\{\s*\[native code\]\s*\}\s*$/
const kFrames = 30

// What a function of each kind becomes an expression with.
const kForms = {
  expression: { prefix: '(', suffix: '\n)' },
  method: { prefix: '({', suffix: '\n})' }
}

class InlineFunction {
  code // the source
  name
  #fn
  #given // names that are given to it
  #form
  #key = null // of a method, if it is computed: `{ ['a' + b] () {} }`
  #place = null

  // `given`: the names of imports. Throws for a function that has no source of its own.
  constructor (fn, given) {
    this.#fn = fn
    this.name = fn.name === '' ? 'anonymous' : String(fn.name)
    this.#given = new Set(given)
    this.code = isProxy(fn) ? '' : Reflect.apply(toSource, fn, [])
    if (this.code === '' || kNative.test(this.code)) {
      throw argumentError('The function must be written in JavaScript: the source of a native or ' +
        'bound function or of a proxy cannot be sent. Write a function that calls it', fn)
    }
  }

  // Throws if the function cannot run alone.
  check () {
    const node = this.#parse()
    if (node.type === 'ClassExpression' || node.generator) {
      const kind = node.generator ? 'a generator' : 'a class'
      throw argumentError(`The function must be one that returns its result, not ${kind}`, this.#fn)
    }
    const names = [...freeNames(node, this.#key).keys()].filter((name) => {
      return !this.#given.has(name) && !Object.hasOwn(nodeGlobals, name)
    })
    if (names.length > 0) throw createError('ERR_TELAR_OUTER_NAME', this.name, names.join(', '))
  }

  #parse () {
    const { parseExpressionAt } = require('../../vendor/acorn/acorn')
    const options = { ecmaVersion: 'latest', allowAwaitOutsideFunction: false }
    try {
      this.#form = kForms.expression
      return parseExpressionAt(`(${this.code}\n)`, 0, options)
    } catch (error) {
      const node = this.#parseMethod((text) => parseExpressionAt(text, 0, options))
      if (node !== null) return node
      throw argumentError(`The function cannot be parsed alone: ${error.message}`, this.#fn)
    }
  }

  #parseMethod (parse) {
    try {
      this.#form = kForms.method
      const { properties: [property] } = parse(`({${this.code}\n})`)
      if (property.kind !== 'init') return null
      if (property.computed) this.#key = property.key
      return property.value
    } catch {
      return null
    }
  }

  // The function as the `filename` of an entry of the function table. It begins with what messages
  // show of it. `way`: how it is called (worker/own-functions.js).
  toText (imports, way) {
    const { file, line, column } = (this.#place ??= this.#locate())
    const { prefix, suffix } = this.#form
    const isMethod = this.#form === kForms.method
    const details = {
      file,
      line,
      column,
      source: this.code,
      prefix,
      suffix,
      isMethod,
      isStrict: isStrict(this.#fn),
      imports,
      way
    }
    return `${kFunction}${file ?? '?'}:${line}\n${JSON.stringify(details)}`
  }

  // Where the source begins. JavaScript does not tell that of a function. But most are written in
  // the file that calls exec(), or that calls a function which does; of several places with the
  // same text, the one next to the call counts. Otherwise the place of the call is taken.
  #locate () {
    const calls = callSites()
    const searched = new Set()
    for (const call of calls) {
      if (searched.has(call.file)) continue
      searched.add(call.file)
      const place = find(this.code, call)
      if (place !== null) return place
    }
    return calls[0] ?? { file: null, line: 1, column: 1 }
  }
}

// The place of the source in the file of a call, or null.
function find (source, { file, line: from }) {
  let text
  try {
    text = fs.readFileSync(file, 'utf8')
  } catch {
    return null
  }
  const starts = lineStarts(text)
  const at = nearest(text, source, starts[from - 1] ?? 0)
  if (at < 0) return null
  let line = 1
  while (line < starts.length && starts[line] <= at) line++
  return { file, line, column: at - starts[line - 1] + 1 }
}

// V8 tells the caller of functions that are not strict: by a property of their own, or, since Node
// 26, by an accessor that throws for all others.
function isStrict (fn) {
  if (Object.hasOwn(fn, 'caller')) return false
  try {
    Reflect.apply(callerOf, fn, [])
    return false
  } catch {
    return true
  }
}

function lineStarts (text) {
  const starts = [0]
  for (let at = 0; (at = text.indexOf('\n', at) + 1) > 0;) starts.push(at)
  return starts
}

// The place of `source` in `text` that is next to `from`, or -1.
function nearest (text, source, from) {
  const after = text.indexOf(source, from)
  const before = text.lastIndexOf(source, from)
  if (after < 0 || before < 0) return after < 0 ? before : after
  return after - from <= from - before ? after : before
}

// Where the user calls telar, and where that is called from: `{ file, line, column }`.
function callSites () {
  const { prepareStackTrace, stackTraceLimit } = Error
  let sites
  try {
    Error.prepareStackTrace = (_, sites) => sites
    Error.stackTraceLimit = kFrames
    sites = new Error().stack
  } finally {
    Error.prepareStackTrace = prepareStackTrace
    Error.stackTraceLimit = stackTraceLimit
  }
  const calls = []
  for (const site of sites) {
    const file = fileOf(site.getFileName())
    if (file === null || (libFolder !== null && file.startsWith(libFolder))) continue
    calls.push({ file, line: site.getLineNumber(), column: site.getColumnNumber() })
  }
  return calls
}

function fileOf (name) {
  if (typeof name !== 'string') return null
  if (name.startsWith('file:')) return fileURLToPath(new URL(name))
  return path.isAbsolute(name) ? name : null
}

module.exports = { InlineFunction }
