'use strict'

// In a worker: finds the function that a task names, and keeps it.

const { isModuleNamespaceObject, isPromise } = require('node:util/types')

const kCacheSize = 1000
const cache = new Map()

// What require() says of a file that only import() can load.
const kNeedsImport = new Set(['ERR_REQUIRE_ESM', 'ERR_REQUIRE_ASYNC_MODULE', 'ERR_REQUIRE_CYCLE_MODULE'])

// The function itself where it can be had at once, else a promise of it.
function loadHandler (filename, name) {
  const key = `${name}\0${filename}`
  const known = cache.get(key)
  if (known !== undefined) return known
  const handler = resolveExport(loadModule(filename), filename, name)
  if (typeof handler === 'function') return keep(key, handler)
  return handler.then((handler) => keep(key, handler))
}

function keep (key, handler) {
  if (cache.size >= kCacheSize) cache.delete(cache.keys().next().value)
  cache.set(key, handler)
  return handler
}

function loadModule (filename) {
  if (filename.startsWith('data:')) return import(filename)
  try {
    return require(filename)
  } catch (error) {
    // Any other failure is the file's own: loading it a second time would run
    // it a second time.
    if (kNeedsImport.has(error?.code)) return importFile(filename)
    throw error
  }
}

function importFile (filename) {
  const { pathToFileURL } = require('node:url')
  return import(pathToFileURL(filename).href)
}

// What `name` stands for in a module: its export of that name; 'default' is
// what CommonJS assigned to module.exports.
function pick (loaded, name) {
  if (name !== 'default') return loaded?.[name]
  if (loaded?.__esModule || isModuleNamespaceObject(loaded)) return loaded.default
  return typeof loaded === 'function' || isPromise(loaded) ? loaded : loaded?.default
}

function resolveExport (loaded, filename, name) {
  const found = pick(loaded, name)
  return typeof found === 'function' ? found : findExport(loaded, filename, name)
}

// The module, the export, or what it exports may be a promise.
async function findExport (loaded, filename, name) {
  let handler = await pick(await loaded, name)
  // An ES module's view of transpiled CommonJS has the exports one level down.
  if (typeof handler === 'object' && handler !== null) handler = await pick(handler, name)
  if (typeof handler === 'function') return handler
  throw require('./errors').createError('ERR_TELAR_NO_HANDLER', filename)
}

module.exports = { loadHandler }
