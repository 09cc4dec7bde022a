'use strict'

// runAsWorker(): called by the file of createSyncFn(), which need not export its function.

const { argumentError } = require('../base/arguments')
const context = require('./context')

function runAsWorker (fn) {
  if (typeof fn !== 'function') throw argumentError('fn must be a function', fn)
  if (context.isWorkerThread) context.asWorker = fn
}

module.exports = { runAsWorker }
