'use strict'

// How the threads that use a channel tell its ends apart. A position in the table of ends is not
// enough, since it is used again when a thread has left. Nor is the number of a thread, since a
// thread with two copies of telar has two ends.

// Stands for the position of an end that is not in the table.
const kNotInTable = -1

function endIdOf (endpoint, thread) {
  return `${endpoint}:${thread}`
}

module.exports = { endIdOf, kNotInTable }
