'use strict'

// The worker's side of those rivals whose worker file has to register its functions itself.
// Which rival it is comes in workerData, so that all of them load the same file.

const { parentPort, workerData } = require('node:worker_threads')

const hosts = {
  workerpool () {
    require('workerpool').worker(require('./worker'))
  },

  poolifier () {
    const { ThreadWorker } = require('poolifier')
    return new ThreadWorker(require('./worker'))
  },

  // What one writes by hand: a number to tell the answers apart, and the value.
  handwritten () {
    const run = require('./worker')[workerData.name]
    parentPort.on('message', async ({ id, value }) => {
      try {
        parentPort.postMessage({ id, value: await run(value) })
      } catch (error) {
        parentPort.postMessage({ id, error })
      }
    })
  },

  // Less cannot be done with a worker: no pool, one message there, one back.
  bare () {
    parentPort.on('message', (value) => parentPort.postMessage(value))
  }
}

module.exports = hosts[workerData.host]()
