'use strict'

// Implements broadcast(): settles the tasks of all workers together.

const { Promise } = require('../base/globals')
const { argumentError } = require('../base/arguments')
const { createError } = require('../base/errors')
const { withoutFrames } = require('./caller-frames')
const { kNone } = require('./route')

// The error, or null. What is transferred arrives only once, and a key chooses a worker.
function checkBroadcast ({ keyHash, transferList }, { isolate }, strict) {
  if (isolate) {
    return createError('ERR_TELAR_OPTION_CONFLICT', 'broadcast() and the option isolate must not ' +
      'be used together: no worker runs a second task')
  }
  if (transferList !== undefined) {
    return argumentError('transferList argument must not be given to broadcast(), whose value is ' +
      'copied to each worker', transferList, strict)
  }
  if (keyHash !== kNone) {
    return createError('ERR_TELAR_INVALID_ARGUMENT', 'key argument must not be given to ' +
      'broadcast(), which runs on every worker')
  }
  return null
}

// Resolves with the results in the order of the promises. Waits for all of them, also if one fails.
async function settleAll (promises) {
  const settled = await Promise.allSettled(promises)
  const errors = []
  const results = settled.map(({ status, reason, value }) => {
    if (status === 'rejected') errors.push(reason)
    return value
  })
  if (errors.length === 0) return results
  const error = createError('ERR_TELAR_BROADCAST', errors.length, settled.length)
  error.errors = errors
  error.results = results
  throw withoutFrames(error)
}

module.exports = { checkBroadcast, settleAll }
