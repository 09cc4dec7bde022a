'use strict'

// createSyncFn(): a function that runs in a worker and blocks its caller, with the interface of
// synckit. Each file has a worker of its own, which the function starts and keeps.

const { Buffer, JSON, Map } = require('../base/globals')
const { createRequire, isBuiltin } = require('node:module')
const fs = require('node:fs')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { argumentError, isObject, ownOptions } = require('../base/arguments')
const { own } = require('../base/own')
const { kRunAsWorker } = require('../transport/own-functions')
const { isURL, resolveFilename } = require('./filename')
const { Pool } = require('./pool')

const kOptions = ['execArgv', 'globalShims', 'timeout', 'transferList', 'tsRunner']

const kTypeScript = { __proto__: null, '': '.ts', '.js': '.ts', '.mjs': '.mts', '.cjs': '.cts' }

// As in synckit, a file has one function, whatever options later calls have.
const functions = new Map()

function createSyncFn (workerPath, timeoutOrOptions = {}) {
  const filename = fileOf(workerPath)
  const known = functions.get(filename)
  if (known !== undefined) return known
  const { execArgv, timeout } = readOptions(timeoutOrOptions, filename)
  const pool = new Pool({ __proto__: null, filename, minThreads: 1, maxThreads: 1, execArgv })
  const method = pool.proxy()[kRunAsWorker]
  const { sync } = timeout === undefined ? method : method.with({ __proto__: null, timeout })
  functions.set(filename, sync)
  return sync
}

function fileOf (workerPath) {
  const isUrl = isURL(workerPath)
  if (!isUrl && typeof workerPath !== 'string') {
    throw argumentError('workerPath must be an absolute path or a file: URL', workerPath)
  }
  if (!isUrl && !workerPath.startsWith('file:') && !path.isAbsolute(workerPath)) {
    throw argumentError('workerPath must be absolute, as from require.resolve()', workerPath)
  }
  return orTypeScript(resolveFilename(workerPath, 'workerPath'))
}

// As in synckit, the name of a JavaScript file that does not exist, or one without its extension,
// may stand for a TypeScript file.
function orTypeScript (filename) {
  const { dir, name, ext } = path.parse(filename)
  const other = kTypeScript[ext]
  if (other === undefined || fs.existsSync(filename)) return filename
  if (ext === '' && fs.existsSync(`${filename}.js`)) return filename
  const file = path.join(dir, name + other)
  return fs.existsSync(file) ? file : filename
}

function readOptions (given, filename) {
  if (typeof given === 'number') return { execArgv: undefined, timeout: checkTimeout(given) }
  if (!isObject(given)) throw argumentError('options must be a timeout or an object', given)
  const options = ownOptions(given, kOptions, 'options.')
  if (options.transferList !== undefined && options.transferList.length !== 0) {
    throw argumentError('options.transferList has no receiver: pass move(value) as the only ' +
      'argument of a call', options.transferList)
  }
  if (options.tsRunner !== undefined && options.tsRunner !== 'node') {
    throw argumentError("options.tsRunner must be 'node': register any other in the options " +
      "execArgv, as ['--import', 'tsx']", options.tsRunner)
  }
  const shims = shimsOf(options.globalShims, filename)
  const execArgv = shims === null
    ? options.execArgv
    : [...(options.execArgv ?? []), '--import', shims]
  return { execArgv, timeout: checkTimeout(options.timeout) }
}

// It limits the time of a call once its worker has started.
function checkTimeout (timeout) {
  if (timeout === undefined || (typeof timeout === 'number' && timeout > 0)) return timeout
  throw argumentError('options.timeout must be a number of milliseconds above 0', timeout)
}

// A module that sets the globals, or null. `true` means fetch() and performance, which every
// version of Node that telar runs on has.
function shimsOf (shims, filename) {
  if (shims === undefined || typeof shims === 'boolean' || shims.length === 0) return null
  const lines = shims.map((shim, i) => lineOf(shim, `shim${i}`, filename))
    .filter((line) => line !== null)
  const code = Buffer.from(lines.join('\n')).toString('base64')
  return `data:text/javascript;base64,${code}`
}

// Null: there is no such module. As in synckit, it is left out.
function lineOf (shim, local, filename) {
  const globalName = own(shim, 'globalName')
  const named = own(shim, 'named')
  const url = urlOf(shim.moduleName, filename)
  if (url === null) return null
  const from = JSON.stringify(url)
  if (globalName === undefined) return `import ${from}`
  const names = named === null
    ? `* as ${local}`
    : named === undefined || named === '' ? local : `{ ${named} as ${local} }`
  const global = `globalThis.${globalName}`
  const operator = own(shim, 'conditional') === false ? '=' : '??='
  return `import ${names} from ${from}\n${global} ${operator} ${local}`
}

function urlOf (moduleName, filename) {
  if (isBuiltin(moduleName)) return moduleName
  try {
    return pathToFileURL(createRequire(filename).resolve(moduleName)).href
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return null
    throw error
  }
}

module.exports = { createSyncFn }
