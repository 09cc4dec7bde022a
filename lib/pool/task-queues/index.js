'use strict'

const { ArrayTaskQueue } = require('./array-queue')
const { FixedQueue } = require('./fixed-queue')

// Whether an object has what the pool uses of a task queue. unshift() is optional.
function isTaskQueue (value) {
  return typeof value === 'object' && value !== null && 'size' in value &&
    ['push', 'shift', 'remove'].every((name) => typeof value[name] === 'function')
}

module.exports = { ArrayTaskQueue, FixedQueue, isTaskQueue }
