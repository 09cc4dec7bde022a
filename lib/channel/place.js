'use strict'

// What the threads that use a channel know each other by: a place in the table of its ends may
// go from one thread to the next, and a thread may have two, with two copies of telar.

// Instead of the place of one that has left the table.
const kLeft = -1

function placeOf (endpoint, thread) {
  return `${endpoint}:${thread}`
}

module.exports = { kLeft, placeOf }
