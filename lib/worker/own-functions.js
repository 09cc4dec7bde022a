'use strict'

// In a worker: loads the functions that telar makes itself. They are not the export of a file as it
// is: functions given in place (pool/inline-function.js), and exports that are called with several
// arguments (pool/proxy.js). This file is loaded with the first of them.

const { JSON, Object, Promise, Reflect, process } = require('../base/globals')
const { createRequire, isBuiltin } = require('node:module')
const path = require('node:path')
const vm = require('node:vm')
const { createError } = require('../base/errors')
const { own } = require('../base/own')
const { kExport, kFunction, kRunAsWorker } = require('../transport/own-functions')
const { loadFile } = require('./task-file')

const kPackage = /^(?![./])/

// Lets the function import modules from its file. Node 20.12 and newer.
const importModuleDynamically = own(
  own(vm, 'constants') ?? Object.create(null), 'USE_MAIN_CONTEXT_DEFAULT_LOADER')

// The function, or a promise of it. find(loaded, origin): the export with the name of the origin.
function loadOwn (origin, find) {
  const { filename, name } = origin
  if (filename.startsWith(kFunction)) {
    return compile(JSON.parse(filename.slice(filename.indexOf('\n') + 1)))
  }
  const [prefix, way] = kExport.exec(filename)
  const file = filename.slice(prefix.length)
  const found = name === kRunAsWorker
    ? findAsWorker(loadFile(file), file)
    : find(loadFile(file), { __proto__: null, ...origin, filename: file })
  return typeof found === 'function' ? ways[way](found) : found.then(ways[way])
}

// The function that the file has given to runAsWorker().
async function findAsWorker (loaded, file) {
  await loaded
  const { asWorker } = require('./context')
  if (asWorker !== undefined) return asWorker
  throw createError('ERR_TELAR_NO_HANDLER', file, 'a file for createSyncFn() must call ' +
    'runAsWorker(fn) while it is loaded')
}

// How a function is called with the value of its task.
const ways = {
  __proto__: null,
  plain: (fn) => fn, // as an export of a task file is
  single: (fn) => (value) => fn(value), // never with the task, whatever its parameters are
  spread: (fn) => (args) => fn(...args)
}

// ---- functions given in place ----

function compile (details) {
  const { file, imports } = details
  const names = Object.keys(imports)
  const modules = names.map((name) => load(file, imports[name]))
  const make = (modules) => {
    const made = evaluate(details, names)(...modules)
    const fn = details.isMethod ? made[Reflect.ownKeys(made)[0]] : made // its name may be a symbol
    return ways[details.way](fn)
  }
  return modules.some((module) => module instanceof Promise)
    ? Promise.all(modules).then(make)
    : make(modules)
}

// Compiled so that positions in errors are those in the file of the function.
function evaluate ({ file, line, column, prefix, source, suffix, isStrict }, names) {
  const before = `${isStrict ? "'use strict';" : ''}return ${prefix}`
  return vm.compileFunction(before + source + suffix, names, {
    __proto__: null,
    filename: file ?? 'telar:function',
    lineOffset: line - 1,
    columnOffset: column - 1 - before.length,
    importModuleDynamically
  })
}

// A module, as the file of the function would get it: what require() returns for CommonJS, else the
// namespace.
function load (file, specifier) {
  if (isBuiltin(specifier)) return requireFrom(file)(specifier)
  let found
  try {
    found = requireFrom(file).resolve(specifier)
  } catch (error) { // a package that hides its ES modules from require()
    if (importModuleDynamically === undefined || !kPackage.test(specifier)) throw error
    return importFrom(file, specifier)
  }
  return loadFile(found)
}

const requireFrom = (file) => createRequire(file ?? path.join(process.cwd(), 'noop.js'))

function importFrom (file, specifier) {
  return vm.compileFunction('return import(specifier)', ['specifier'], {
    __proto__: null, filename: file ?? undefined, importModuleDynamically
  })(specifier)
}

module.exports = { loadOwn }
