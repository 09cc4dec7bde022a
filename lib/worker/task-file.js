'use strict'

// In a worker: loads the file of a task.
//
// A CommonJS file is loaded by require(), which returns at once. An ES module is loaded by
// import(), even if Node could require it: only import() supports top-level await and the loaders
// that the user has registered. A file of an unknown kind is imported too, since such a loader may
// know it. If one of the two fails before any code of the file has run, the other one is tried.

const { JSON, Object, Set, String, nodeRequire } = require('../base/globals')
const fs = require('node:fs')
const path = require('node:path')

// The extensions that require() knows, with those that users have added. There is no other list.
const { cache, extensions } = nodeRequire

const kModule = new Set(['.mjs', '.mts'])
const kCommonJS = new Set(['', '.cjs', '.cts', '.json', '.node'])
const kAlwaysKnown = new Set(['.cjs', '.mjs'])

// The errors by which require() says that import() has to load the file.
const kNeedsImport = new Set([
  'ERR_REQUIRE_ESM', 'ERR_REQUIRE_ASYNC_MODULE', 'ERR_REQUIRE_CYCLE_MODULE'
])

// The errors by which import() says that it cannot make a module of the file. No code of it has
// run.
const kNoModule = new Set([
  'ERR_INVALID_TYPESCRIPT_SYNTAX', 'ERR_UNKNOWN_FILE_EXTENSION', 'ERR_UNKNOWN_MODULE_FORMAT',
  'ERR_UNSUPPORTED_DIR_IMPORT', 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING',
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'
])

// The exports of the file, or a promise of them.
function loadFile (filename) {
  if (isUrl(filename)) return importUrl(filename)
  let file
  try {
    file = nodeRequire.resolve(filename)
  } catch (error) { // a loader may know a file that does not exist
    return importAfter({ error, hasBegun: false }, filename)
  }
  if (needsImport(file)) return importFirst(file)
  const attempt = requireFile(file)
  if (attempt.isLoaded) return attempt.exports
  if (attempt.hasBegun) throw attempt.error
  return importAfter(attempt, file)
}

// A filename of the pool is a path or one of these.
function isUrl (filename) {
  return filename.startsWith('data:') || filename.startsWith('file:')
}

// The comments tell bundlers that the file is not one of theirs.
function importUrl (url) {
  return import(/* webpackIgnore: true */ /* @vite-ignore */ url)
}

function importFile (file) {
  return importUrl(require('node:url').pathToFileURL(file).href)
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

// require() and import() both failed: returns the error that helps the user.
function chooseError ({ error, hasBegun }, importError, file) {
  if (hasBegun || isMissing(importError, file)) return error
  // require() treats a file of an unknown kind as JavaScript, so its error is misleading.
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

// Whether require() knows the kind of the file. It treats all others as JavaScript.
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

// The field "type", or null. Undefined: there is no such file. For a file that is broken or cannot
// be read the result is null, so that Node reports it.
function packageType (file) {
  try {
    return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')).type ?? null : undefined
  } catch {
    return null
  }
}

// ---- CommonJS ----

// Returns `{ isLoaded, exports, error, hasBegun }`. hasBegun: code of the file has run, so import()
// would run it a second time.
function requireFile (file) {
  const attempt = { isLoaded: false, exports: undefined, error: undefined, hasBegun: false }
  const stop = watchStart(file, () => { attempt.hasBegun = true })
  try {
    attempt.exports = nodeRequire(file)
    attempt.isLoaded = true
  } catch (error) {
    attempt.error = error
  }
  stop()
  return attempt
}

// Calls back when the code of a file begins to run. Node puts the module into require.cache,
// compiles the code, reads module.exports to pass it to the code, and calls the code. So reading
// module.exports is the sign. The error does not show whether the code had begun: the code and its
// dependencies can throw anything.
function watchStart (file, onStart) {
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
