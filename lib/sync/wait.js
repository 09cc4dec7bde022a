'use strict'

// Atomics.wait() and its kin, on any thread: with a spin before the sleep, an
// AbortSignal, and promises that keep the process alive.

const { Atomics, BigInt, Math, Number, Promise } = require('../base/globals')
const { types } = require('node:util')
const { listen } = require('../base/abort-signal')
const { createError, describe } = require('../base/errors')
const { now, ref, unref } = require('../base/time')
const { createAborted, readLimits } = require('../base/limits')
const { relax, turns } = require('./spin')

const kFirstSlice = 100 // ms

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
  ref()
  try {
    return signal === undefined ? await sleep(array, index, expected, timeout) : await sleepUntilAborted(array, index, expected, timeout, signal)
  } finally {
    unref()
  }
}

async function sleep (array, index, expected, timeout) {
  const outcome = await Atomics.waitAsync(array, index, expected, timeout).value
  return outcome === 'not-equal' ? 'ok' : outcome
}

// The platform cannot take a sleep back. So the last one outlives the abort, and passes on
// a wake-up that it gets then. It is cut into slices, each as long as the wait has lasted
// already: what is left behind goes away in time, and a long wait costs next to nothing.
function sleepUntilAborted (array, index, expected, timeout, signal) {
  return new Promise((resolve, reject) => {
    const start = now()
    const end = start + timeout
    let isSettled = false
    let listeners = null
    const settle = (done, value) => {
      isSettled = true
      listeners?.remove(onAbort)
      done(value)
    }
    const onAbort = () => {
      // It came first, and the wake-up may be on its way here.
      if (Atomics.load(array, index) !== expected) settle(resolve, 'ok')
      else settle(reject, createAborted(signal))
    }
    const go = async () => {
      for (;;) {
        const time = now()
        const slice = Math.max(kFirstSlice, time - start)
        const outcome = await Atomics.waitAsync(array, index, expected, Math.max(0, Math.min(end - time, slice))).value
        if (isSettled) {
          if (outcome === 'ok') Atomics.notify(array, index, 1)
          return
        }
        if (outcome !== 'timed-out') return settle(resolve, 'ok')
        if (now() >= end) return settle(resolve, 'timed-out')
      }
    }
    listeners = listen(signal, onAbort)
    if (!isSettled) go()
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
  return typeof options === 'number' ? { __proto__: null, timeout: options } : options
}

function checkPlace (array, index, expected) {
  checkArray(array)
  checkIndex(array, index)
  const isFitting = types.isInt32Array(array)
    ? Number.isInteger(expected) && (expected | 0) === expected
    : typeof expected === 'bigint' && BigInt.asIntN(64, expected) === expected
  if (!isFitting) {
    const wanted = types.isInt32Array(array) ? 'an integer of 32 bits' : 'a bigint of 64 bits'
    throw createError('ERR_TELAR_INVALID_ARGUMENT', `expected must be ${wanted}; received ${describe(expected)}`)
  }
}

function checkArray (array) {
  const isWords = types.isInt32Array(array) || types.isBigInt64Array(array)
  if (isWords && types.isSharedArrayBuffer(array.buffer)) return
  throw createError('ERR_TELAR_INVALID_ARGUMENT', `array must be an Int32Array or BigInt64Array over a SharedArrayBuffer; received ${describe(array)}`)
}

function checkIndex (array, index) {
  if (Number.isInteger(index) && index >= 0 && index < array.length) return
  throw createError('ERR_TELAR_INVALID_ARGUMENT', `index must be an integer from 0 to ${array.length - 1}; received ${describe(index)}`)
}

module.exports = { notify, wait, waitAsync }
