'use strict'

// The worker file of the drivers whose workers have to register their functions themselves. All of
// these drivers load this file, and workerData says which one it is.

const { parentPort, workerData } = require('node:worker_threads')

const hosts = {
  workerpool () {
    require('workerpool').worker(require('./worker'))
  },

  poolifier () {
    const { ThreadWorker } = require('poolifier')
    return new ThreadWorker(require('./worker'))
  },

  // A message is the value and a number. The number says which task an answer belongs to.
  handwritten () {
    const run = require('./worker')[workerData.name]
    const isMoved = workerData.name === 'moveByHand'
    parentPort.on('message', async ({ id, value }) => {
      try {
        const result = await run(value)
        parentPort.postMessage({ id, value: result }, isMoved ? [result.buffer] : [])
      } catch (error) {
        parentPort.postMessage({ id, error })
      }
    })
  },

  // The least that can be done with a worker: no pool, only one message in each direction.
  bare () {
    parentPort.on('message', (value) => parentPort.postMessage(value))
  }
}

module.exports = hosts[workerData.host]()
