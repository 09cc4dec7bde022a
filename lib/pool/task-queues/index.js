'use strict'

const { ArrayTaskQueue } = require('./array-queue')
const { FixedQueue } = require('./fixed-queue')

// What the pool calls; unshift() is optional.
function isTaskQueue (value) {
  return typeof value === 'object' && value !== null && 'size' in value &&
    ['push', 'shift', 'remove'].every((name) => typeof value[name] === 'function')
}

module.exports = { ArrayTaskQueue, FixedQueue, isTaskQueue }
