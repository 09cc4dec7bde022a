'use strict'

// In a worker: finds the function that a task names, and keeps it.

const { Map } = require('../base/globals')
const { isModuleNamespaceObject, isPromise } = require('node:util/types')
const { loadFile } = require('./task-file')
const { memberOf } = require('../base/own')

const kNowhere = -1

class TaskFunction {
  run // once it is loaded
  serial // see function-table.js
  #place
  #origin // `{ filename, name }`, until it is loaded: they may be long

  // `place`: where the owner has it; kNowhere for one that is not to be found by that.
  constructor (origin, place = kNowhere, serial = 0) {
    this.#origin = origin
    this.#place = place
    this.serial = serial
  }

  // The function itself where it can be had at once, else a promise of it. One that fails is
  // loaded again for the next task.
  load () {
    if (this.run !== undefined) return this.run
    const { filename, name } = this.#origin
    const loaded = resolveExport(loadFile(filename), filename, name)
    return typeof loaded === 'function' ? this.#keep(loaded) : loaded.then((run) => this.#keep(run))
  }

  #keep (run) {
    this.#origin = null
    this.run = run
    if (this.#place !== kNowhere) known.set(this.#place, this)
    return run
  }
}

let openTable
let table = null
// Those that are loaded, by place: at most as many as the owner has places.
const known = new Map()

// Where the texts of functions are. Most workers run the pool's own alone, and do without.
function useTable ({ functions, slots }) {
  openTable = () => new (require('../transport/function-table').FunctionTable)(functions, slots)
}

// The owner changes a place only when no task names it, so what it says now is about the task
// that has been claimed. A function that the owner has forgotten is forgotten here when
// another one of that place is loaded.
function functionAt (place) {
  table ??= openTable()
  const serial = table.serial(place)
  const found = known.get(place)
  if (found !== undefined && found.serial === serial) return found
  return new TaskFunction(table.read(place), place, serial)
}

// What `name` stands for in a module: its export of that name; 'default' is
// what CommonJS assigned to module.exports.
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

// The module, the export, or what it exports may be a promise.
async function findExport (loaded, filename, name) {
  const module = await loaded
  let found = await pick(module, name)
  // CommonJS that was imported is the default export. Node sees only some of its names, and
  // what a transpiler calls 'default' lies below it.
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
