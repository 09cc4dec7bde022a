'use strict'

// Atomics.wait() and its kin, on any thread: with a spin before the sleep, an
// AbortSignal, and promises that keep the process alive.

const { createError, describe } = require('../errors')
const { drop, hold } = require('./hold')
const { createAborted, readLimits } = require('./limits')
const { relax, turns } = require('./spin')
const { kSlice } = require('./attempt')

function wait (array, index, expected, options) {
  checkPlace(array, index, expected)
  const { timeout } = readLimits(number(options))
  if (Atomics.load(array, index) !== expected) return 'not-equal'
  if (timeout > 0 && spin(array, index, expected, false)) return 'ok'
  const outcome = Atomics.wait(array, index, expected, timeout)
  return outcome === 'not-equal' ? 'ok' : outcome // it changed since the first look
}

async function waitAsync (array, index, expected, options) {
  checkPlace(array, index, expected)
  const { timeout, signal } = readLimits(number(options))
  if (Atomics.load(array, index) !== expected) return 'not-equal'
  if (timeout > 0 && spin(array, index, expected, true)) return 'ok'
  hold()
  try {
    return signal === undefined ? await sleep(array, index, expected, timeout) : await sleepUntilAborted(array, index, expected, timeout, signal)
  } finally {
    drop()
  }
}

async function sleep (array, index, expected, timeout) {
  const outcome = await Atomics.waitAsync(array, index, expected, timeout).value
  return outcome === 'not-equal' ? 'ok' : outcome
}

// The platform cannot take a sleep back. So it is cut into slices, the last of
// which outlives the abort a little, and passes on a wake-up that it gets then.
function sleepUntilAborted (array, index, expected, timeout, signal) {
  return new Promise((resolve, reject) => {
    const end = performance.now() + timeout
    let isSettled = false
    const settle = (done, value) => {
      isSettled = true
      signal.removeEventListener('abort', onAbort)
      done(value)
    }
    const onAbort = () => settle(reject, createAborted(signal))
    const go = async () => {
      for (;;) {
        const left = Math.max(0, end - performance.now())
        const outcome = await Atomics.waitAsync(array, index, expected, Math.min(left, kSlice)).value
        if (isSettled) {
          if (outcome === 'ok') Atomics.notify(array, index, 1)
          return
        }
        if (outcome !== 'timed-out') return settle(resolve, 'ok')
        if (performance.now() >= end) return settle(resolve, 'timed-out')
      }
    }
    signal.addEventListener('abort', onAbort, { once: true })
    go()
  })
}

function notify (array, index, count = Infinity) {
  checkArray(array)
  checkIndex(array, index)
  if (count !== Infinity && !(Number.isInteger(count) && count >= 0)) {
    throw createError('ERR_TELAR_INVALID_ARGUMENT', `count must be an integer from 0, or Infinity; received ${describe(count)}`)
  }
  return Atomics.notify(array, index, count)
}

function spin (array, index, expected, isAsync) {
  const end = turns(isAsync)
  for (let turn = 0; turn < end; turn++) {
    relax(turn)
    if (Atomics.load(array, index) !== expected) return true
  }
  return false
}

// A bare number is a timeout, as in Atomics.wait().
function number (options) {
  return typeof options === 'number' ? { timeout: options } : options
}

function checkPlace (array, index, expected) {
  checkArray(array)
  checkIndex(array, index)
  const isFitting = array instanceof Int32Array
    ? Number.isInteger(expected) && (expected | 0) === expected
    : typeof expected === 'bigint' && BigInt.asIntN(64, expected) === expected
  if (!isFitting) {
    const wanted = array instanceof Int32Array ? 'an integer of 32 bits' : 'a bigint of 64 bits'
    throw createError('ERR_TELAR_INVALID_ARGUMENT', `expected must be ${wanted}; received ${describe(expected)}`)
  }
}

function checkArray (array) {
  if ((array instanceof Int32Array || array instanceof BigInt64Array) && array.buffer instanceof SharedArrayBuffer) return
  throw createError('ERR_TELAR_INVALID_ARGUMENT', `array must be an Int32Array or BigInt64Array over a SharedArrayBuffer; received ${describe(array)}`)
}

function checkIndex (array, index) {
  if (Number.isInteger(index) && index >= 0 && index < array.length) return
  throw createError('ERR_TELAR_INVALID_ARGUMENT', `index must be an integer from 0 to ${array.length - 1}; received ${describe(index)}`)
}

module.exports = { notify, wait, waitAsync }
