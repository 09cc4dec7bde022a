'use strict'

// What a caller's hook throws (a listener, a signal, a queue) while we have others to
// serve is an uncaught exception: later, so that the others are served all the same.

const { nextTick } = require('./globals')

function throwLater (error) {
  nextTick(() => { throw error })
}

module.exports = { throwLater }
