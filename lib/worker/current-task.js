'use strict'

// currentTask(): the context of the task that the caller belongs to, across awaits too. It costs an
// AsyncLocalStorage for each task of a worker, so it begins when the program takes currentTask()
// out of the exports of telar.

const context = require('./context')

let storage = null

function currentTask () {
  return storage?.getStore()
}

function getCurrentTask () {
  if (storage === null && context.isWorkerThread) {
    storage = context.trackTasks()
  }
  return currentTask
}

module.exports = { getCurrentTask }
