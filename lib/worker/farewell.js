'use strict'

// In a worker that ends by itself: tells the owner its exit code, and the error if there is one.
// The owner's event loop tells it the same, and later. But runSync() blocks that.

const { process } = require('../base/globals')
const { kFarewell, sendNote } = require('../transport/note')
const { substitutes } = require('./unsendable')

// `uncaught`: `{ error }` of the last uncaught exception, or null. It ends the thread unless a
// listener has handled it.
function sayFarewell (core, port, exitCode, uncaught) {
  const isFailure = uncaught !== null && process.listenerCount('uncaughtException') === 0
  for (const error of isFailure ? substitutes(uncaught.error) : [undefined]) {
    try {
      sendNote(port, kFarewell, exitCode, { isFailure, error })
      break
    } catch {
      // The next substitute is smaller.
    }
  }
  core.notifyOwner()
}

module.exports = { sayFarewell }
