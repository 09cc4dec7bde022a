'use strict'

// The task functions. All drivers run the same ones.

/** Does no work, so that the time of the round trip is measured. */
function echo (value) {
  return value
}

/** The simplest asynchronous task: it takes one turn of the worker's event loop. */
async function turn (value) {
  await new Promise((resolve) => setImmediate(resolve))
  return value
}

/**
 * Keeps the processor busy for a given time. The loop reads the clock, and does not run a fixed
 * number of steps, so that a task takes the same time on a slow or shared processor.
 */
function spin (milliseconds) {
  // Read only once: globalThis.performance is a getter, and takes longer than reading the clock.
  const clock = performance
  const until = clock.now() + milliseconds
  while (clock.now() < until);
}

/** Each library marks in its own way what a task moves. */
function moveByTelar (value) {
  return require('..').move(value)
}

function moveByPiscina (value) {
  return require('piscina').move(value)
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

module.exports = { echo, moveByHand: echo, moveByPiscina, moveByTelar, turn, work10, work100, root }
