'use strict'

// User code that telar calls (a listener, a signal, a queue) may throw in the middle of telar's
// work. The error becomes an uncaught exception in a later tick, so that the work is finished
// first.

const { nextTick } = require('./globals')

function throwLater (error) {
  nextTick(() => { throw error })
}

module.exports = { throwLater }
