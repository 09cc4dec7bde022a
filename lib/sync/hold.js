'use strict'

// Keeps this thread's event loop alive while promises of it wait for another
// thread: Atomics.waitAsync() does not.

// Timers of Node count in 31 bits.
const kLongest = 2 ** 31 - 1

let count = 0
let timer = null

function hold () {
  if (count++ === 0) timer = setInterval(() => {}, kLongest)
}

function drop () {
  if (--count === 0) clearInterval(timer)
}

module.exports = { drop, hold }
