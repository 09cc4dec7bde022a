'use strict'

// In a worker: calls the functions that the options `setup` and `teardown` name.

const { flushOutput } = require('./output')
const { TaskFunction } = require('./task-functions')

async function setUp ({ poolFunction, setup }) {
  await call(poolFunction.filename, setup, 'setup')
}

// Resolves when its output has arrived.
async function tearDown ({ poolFunction, teardown }) {
  await call(poolFunction.filename, teardown, 'teardown')
  await flushOutput()
}

async function call (filename, name, option) {
  const origin = { filename, name, kind: '', asker: `the option ${option}` }
  const run = await new TaskFunction(origin).load()
  await run()
}

module.exports = { setUp, tearDown }
