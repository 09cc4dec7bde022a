'use strict'

// In a worker: loads the function that a task names, and keeps it.

const { Map } = require('../base/globals')
const { isModuleNamespaceObject, isPromise } = require('node:util/types')
const { loadFile } = require('./task-file')
const { memberOf } = require('../base/own')

const kNoEntry = -1

class TaskFunction {
  run // once it is loaded
  serial // see function-table.js
  #entry
  #origin // `{ filename, name }`; dropped once it is loaded, since they may be long

  // `entry`: its index in the function table; kNoEntry: it is not kept by that.
  constructor (origin, entry = kNoEntry, serial = 0) {
    this.#origin = origin
    this.#entry = entry
    this.serial = serial
  }

  // The function itself if it can be loaded at once, else a promise of it. If that fails, the next
  // task loads the function again.
  load () {
    if (this.run !== undefined) return this.run
    const { filename, name } = this.#origin
    const loaded = resolveExport(loadFile(filename), filename, name)
    return typeof loaded === 'function' ? this.#keep(loaded) : loaded.then((run) => this.#keep(run))
  }

  #keep (run) {
    this.#origin = null
    this.run = run
    if (this.#entry !== kNoEntry) known.set(this.#entry, this)
    return run
  }
}

let openTable
let table = null
// The functions that are loaded, by entry: at most as many as the table has entries.
const known = new Map()

// Sets the function table. It is opened when first needed: most workers run only the function of
// the pool.
function useTable ({ functions, slots }) {
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

// The export of a module with that name. 'default' also means the module.exports of CommonJS.
function pick (loaded, name) {
  if (loaded === undefined || loaded === null) return undefined
  if (name !== 'default') return memberOf(loaded, name)
  const isModule = memberOf(loaded, '__esModule') || isModuleNamespaceObject(loaded)
  const isExport = !isModule && (typeof loaded === 'function' || isPromise(loaded))
  return isExport ? loaded : memberOf(loaded, 'default')
}

function resolveExport (loaded, filename, name) {
  const found = pick(loaded, name)
  return typeof found === 'function' ? found : findExport(loaded, filename, name)
}

// The module may be a promise, and so may the export.
async function findExport (loaded, filename, name) {
  const module = await loaded
  let found = await pick(module, name)
  // For CommonJS that was imported, the default export is module.exports. Node finds only some of
  // its names, and the 'default' of a transpiler is a property of it.
  if (typeof found !== 'function') {
    found = await pick(isModuleNamespaceObject(module) ? await module.default : found, name)
  }
  if (typeof found === 'function') return found
  throw missing(module, filename, name)
}

function missing (module, filename, name) {
  const { missingExport } = require('./missing-export')
  const exported = isModuleNamespaceObject(module) ? [module, module.default] : [module]
  const find = (name) => {
    for (const object of exported) {
      const found = pick(object, name)
      if (found !== undefined) return found
    }
  }
  return missingExport(filename, name, exported, find)
}

module.exports = { TaskFunction, functionAt, useTable }
