'use strict'

const { ArrayTaskQueue } = require('./array_queue')
const { FixedQueue } = require('./fixed_queue')

// What the pool calls; unshift() is optional.
function isTaskQueue (value) {
  return typeof value === 'object' && value !== null && 'size' in value &&
    typeof value.push === 'function' && typeof value.shift === 'function' && typeof value.remove === 'function'
}

module.exports = { ArrayTaskQueue, FixedQueue, isTaskQueue }
