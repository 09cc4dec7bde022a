'use strict'

// In a worker: loads the file of a task.
//
// A CommonJS file is required, which gives it at once. An ES module is imported, also where
// Node could require it: only import() knows top-level await, and the loaders that the user
// has registered. So does a file whose kind only such a loader can know. Where one of the two
// fails before anything of the file has run, the other is tried.

const { JSON, Object, Set, String } = require('../base/globals')
const fs = require('node:fs')
const path = require('node:path')

// What require() knows, and what was added to it: there is no other list of them.
const { extensions } = require // eslint-disable-line n/no-deprecated-api

const kModule = new Set(['.mjs', '.mts'])
const kCommonJS = new Set(['', '.cjs', '.cts', '.json', '.node'])
const kAlwaysKnown = new Set(['.cjs', '.mjs'])

// How require() says that import() has to load the file.
const kNeedsImport = new Set([
  'ERR_REQUIRE_ESM', 'ERR_REQUIRE_ASYNC_MODULE', 'ERR_REQUIRE_CYCLE_MODULE'
])

// How import() says that it cannot make a module of a file. Nothing has run then.
const kNoModule = new Set([
  'ERR_INVALID_TYPESCRIPT_SYNTAX', 'ERR_UNKNOWN_FILE_EXTENSION', 'ERR_UNKNOWN_MODULE_FORMAT',
  'ERR_UNSUPPORTED_DIR_IMPORT', 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING',
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'
])

// What it exports, or a promise of that.
function loadFile (filename) {
  if (isUrl(filename)) return import(filename)
  let file
  try {
    file = require.resolve(filename)
  } catch (error) { // a loader may know of a file that is not there
    return importAfter({ error, hasBegun: false }, filename)
  }
  if (needsImport(file)) return importFirst(file)
  const attempt = requireFile(file)
  if (attempt.isLoaded) return attempt.exports
  if (attempt.hasBegun) throw attempt.error
  return importAfter(attempt, file)
}

// Of what the pool takes for a filename, all but paths.
function isUrl (filename) {
  return filename.startsWith('data:') || filename.startsWith('file:')
}

function importFile (file) {
  return import(require('node:url').pathToFileURL(file).href)
}

async function importAfter (required, file) {
  try {
    return await importFile(file)
  } catch (error) {
    throw chooseError(required, error, file)
  }
}

async function importFirst (file) {
  let refusal
  try {
    return await importFile(file)
  } catch (error) {
    if (!kNoModule.has(error?.code)) throw error
    refusal = error
  }
  const required = requireFile(file)
  if (required.isLoaded) return required.exports
  throw chooseError(required, refusal, file)
}

// Both ways failed: the error that says what to do.
function chooseError ({ error, hasBegun }, importError, file) {
  if (hasBegun || isMissing(importError, file)) return error
  // What require() says of a file whose kind it does not know is about JavaScript.
  if (kNeedsImport.has(error?.code) || !isKnown(file)) return importError
  const isSyntax = error?.name === 'SyntaxError' && importError?.name === 'SyntaxError'
  return isSyntax || kNoModule.has(importError?.code) ? error : importError
}

function isMissing (error, file) {
  return error?.code === 'ERR_MODULE_NOT_FOUND' && String(error.message).includes(`'${file}'`)
}

// ---- what kind of file it is ----

function needsImport (file) {
  const extension = path.extname(file)
  if (kModule.has(extension)) return true
  if (kCommonJS.has(extension)) return false
  return !isKnown(file) || isInModulePackage(file)
}

// Others require() takes for JavaScript.
function isKnown (file) {
  const extension = path.extname(file)
  return extension === '' || kAlwaysKnown.has(extension) || extensions[extension] !== undefined
}

// Whether the nearest package.json makes `file` an ES module, by the rules of Node.
function isInModulePackage (file) {
  let folder = path.dirname(file)
  while (path.basename(folder) !== 'node_modules') {
    const type = packageType(path.join(folder, 'package.json'))
    if (type !== undefined) return type === 'module'
    const parent = path.dirname(folder)
    if (parent === folder) return false
    folder = parent
  }
  return false
}

// Undefined: there is no such file. One that is broken, or may not be read, is left to Node.
function packageType (file) {
  try {
    return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')).type ?? null : undefined
  } catch {
    return null
  }
}

// ---- CommonJS ----

// `{ isLoaded, exports, error, hasBegun }`. hasBegun: code of the file has run, so another
// attempt would run it a second time.
function requireFile (file) {
  const attempt = { isLoaded: false, exports: undefined, error: undefined, hasBegun: false }
  const stop = watchStart(file, () => { attempt.hasBegun = true })
  try {
    attempt.exports = require(file)
    attempt.isLoaded = true
  } catch (error) {
    attempt.error = error
  }
  stop()
  return attempt
}

// Calls back when the code of a file begins to run. Node puts the module into require.cache,
// compiles the code, reads module.exports to hand it over, and calls the code. The error
// does not say how far that came: any value can be thrown, by any dependency too.
function watchStart (file, onStart) {
  const { cache } = require
  if (cache[file] !== undefined) return () => {}
  let isWatching = true
  define(cache, file, {
    get: () => undefined,
    set (module) {
      isWatching = false
      assign(cache, file, module)
      watchExports(module, onStart)
    }
  })
  return () => { if (isWatching) delete cache[file] }
}

function watchExports (module, onStart) {
  const { exports } = module
  define(module, 'exports', {
    get () {
      assign(module, 'exports', exports)
      onStart()
      return exports
    },
    set: (value) => assign(module, 'exports', value)
  })
}

function define (object, name, descriptor) {
  Object.defineProperty(object, name, {
    __proto__: null,
    configurable: true,
    enumerable: true,
    ...descriptor
  })
}

function assign (object, name, value) {
  define(object, name, { value, writable: true })
}

module.exports = { loadFile }
