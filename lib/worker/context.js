'use strict'

// What telar tells the file of a task about the thread it runs in. Set once by main.js, before any
// user code is loaded. The file may bring a copy of telar of its own, in a bundle for example: all
// copies in a thread use one object.

const { Object, Symbol, nodeGlobals } = require('../base/globals')
const { own } = require('../base/own')

const key = Symbol.for('telar.context')

function create () {
  const context = {
    isWorkerThread: false,
    workerData: undefined,
    // trackTasks(): the AsyncLocalStorage with the context of the task that runs. From the first
    // call on, each task runs with its context in it.
    trackTasks: undefined,
    // The function that the file of createSyncFn() has given to runAsWorker().
    asWorker: undefined
  }
  Object.defineProperty(nodeGlobals, key, { __proto__: null, value: context })
  return context
}

module.exports = own(nodeGlobals, key) ?? create()
