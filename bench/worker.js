'use strict'

// The task functions. Every driver runs these same ones.

/** No work at all: what is measured is the way there and back. */
function echo (value) {
  return value
}

/** The least that makes a task asynchronous: one turn of the worker's event loop. */
async function turn (value) {
  await new Promise((resolve) => setImmediate(resolve))
  return value
}

/**
 * Keeps the core busy for a given time. The clock is read in the loop instead of counting
 * a fixed number of steps, so that a slow or shared core does not change what a task is worth.
 */
function spin (milliseconds) {
  // Once: globalThis.performance is a getter that takes longer than the clock.
  const clock = performance
  const until = clock.now() + milliseconds
  while (clock.now() < until);
}

function work10 (value) {
  spin(0.010)
  return value
}

function work100 (value) {
  spin(0.100)
  return value
}

function root (value) {
  return Math.sqrt(value)
}

module.exports = { echo, turn, work10, work100, root }
