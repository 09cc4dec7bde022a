'use strict'

// In a worker: loads the function that a task names, and keeps it.

const { Map } = require('../base/globals')
const { isModuleNamespaceObject, isPromise } = require('node:util/types')
const { loadFile } = require('./task-file')
const { memberOf } = require('../base/own')

const kNoEntry = -1
// Not from transport/own-functions.js, which few workers need.
const kOwnKinds = 'telar:'

class TaskFunction {
  loaded // the function, once it is loaded
  run // the same, if it is called with the value and nothing else
  name
  serial // see function-table.js
  #entry
  #origin // `{ filename, name, kind, asker? }`; dropped once it is loaded, since they may be long

  // `entry`: its index in the function table; kNoEntry: it is not kept by that.
  constructor (origin, entry = kNoEntry, serial = 0) {
    this.#origin = origin
    this.name = origin.name
    this.#entry = entry
    this.serial = serial
  }

  // Whether the function has a second parameter, for the context of the task. Decided once: a
  // function whose `length` is below 2 (with a rest parameter, a default value, `arguments`) gets
  // the value alone.
  get takesTask () { return this.loaded.length > 1 }

  // The function itself if it can be loaded at once, else a promise of it. If that fails, the next
  // task loads the function again.
  load () {
    if (this.loaded !== undefined) return this.loaded
    const { filename } = this.#origin
    const loaded = filename.startsWith(kOwnKinds)
      ? require('./own-functions').loadOwn(this.#origin, resolveExport)
      : resolveExport(loadFile(filename), this.#origin)
    return typeof loaded === 'function' ? this.#keep(loaded) : loaded.then((run) => this.#keep(run))
  }

  #keep (exported) {
    const { kind } = this.#origin
    const run = kind === '' ? exported : ofKind(kind, exported)
    this.#origin = null
    this.loaded = run
    if (!isTracking && run.length < 2) this.run = run
    if (this.#entry !== kNoEntry) known.set(this.#entry, this)
    return run
  }
}

// Each task runs with its context from now on, whatever its function.
let isTracking = false
function track (poolFunction) {
  isTracking = true
  if (poolFunction !== null) poolFunction.run = undefined
  for (const found of known.values()) found.run = undefined
}

let openTable
let batchHooks
let table = null
// The functions that are loaded, by entry: at most as many as the table has entries.
const known = new Map()

// Sets the function table. It is opened when first needed: most workers run only the function of
// the pool. `hooks`: what main.js does for the items of a batch.
function useTable ({ functions, slots }, hooks) {
  batchHooks = hooks
  openTable = () => new (require('../transport/function-table').FunctionTable)(functions, slots)
}

// The function of an entry. The owner changes an entry only when no task refers to it, so what it
// holds now is right for the task that was claimed. A function that the owner has dropped is
// dropped here when another one with that entry is loaded.
function functionAt (entry) {
  table ??= openTable()
  const serial = table.serial(entry)
  const found = known.get(entry)
  if (found !== undefined && found.serial === serial) return found
  return new TaskFunction(table.read(entry), entry, serial)
}

// The function that runs the tasks of a kind with what a file exports.
function ofKind (kind, exported) {
  const { kBatch } = require('../transport/function-table')
  return kind === kBatch
    ? require('./batch').batchOf(exported, batchHooks)
    : require('./stream').streamOf(exported)
}

// The export of a module with that name. 'default' also means the module.exports of CommonJS.
function pick (loaded, name) {
  if (loaded === undefined || loaded === null) return undefined
  if (name !== 'default') return memberOf(loaded, name)
  const isModule = memberOf(loaded, '__esModule') || isModuleNamespaceObject(loaded)
  const isExport = !isModule && (typeof loaded === 'function' || isPromise(loaded))
  return isExport ? loaded : memberOf(loaded, 'default')
}

function resolveExport (loaded, origin) {
  const found = pick(loaded, origin.name)
  return typeof found === 'function' ? found : findExport(loaded, origin)
}

// The module may be a promise, and so may the export.
async function findExport (loaded, origin) {
  const { name } = origin
  const module = await loaded
  let found = await pick(module, name)
  // For CommonJS that was imported, the default export is module.exports. Node finds only some of
  // its names, and the 'default' of a transpiler is a property of it.
  if (typeof found !== 'function') {
    found = await pick(isModuleNamespaceObject(module) ? await module.default : found, name)
  }
  if (typeof found === 'function') return found
  throw missing(module, origin)
}

function missing (module, origin) {
  const { missingExport } = require('./missing-export')
  const exported = isModuleNamespaceObject(module) ? [module, module.default] : [module]
  const find = (name) => {
    for (const object of exported) {
      const found = pick(object, name)
      if (found !== undefined) return found
    }
  }
  return missingExport(origin, exported, find)
}

module.exports = { TaskFunction, functionAt, track, useTable }
