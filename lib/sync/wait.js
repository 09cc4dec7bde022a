'use strict'

// wait(), waitAsync() and notify(): Atomics.wait() and its relatives, on any thread. They spin
// before they sleep, take an AbortSignal, and their promises keep the process alive.

const { Atomics, BigInt, Math, Number, Promise } = require('../base/globals')
const { types } = require('node:util')
const { listen } = require('../base/abort-signal')
const { argumentError } = require('../base/arguments')
const { now, ref, unref } = require('../base/time')
const { createAborted, readLimits } = require('../base/limits')
const { maxSpins, relax } = require('./spin')

const kFirstSleepMs = 100

function wait (array, index, expected, options) {
  checkTarget(array, index, expected)
  const { timeout } = readLimits(toOptions(options))
  if (Atomics.load(array, index) !== expected) return 'not-equal'
  if (timeout > 0 && spin(array, index, expected, false)) return 'ok'
  const outcome = Atomics.wait(array, index, expected, timeout)
  return outcome === 'not-equal' ? 'ok' : outcome // it has changed since the check above
}

async function waitAsync (array, index, expected, options) {
  checkTarget(array, index, expected)
  const { timeout, signal } = readLimits(toOptions(options))
  if (Atomics.load(array, index) !== expected) return 'not-equal'
  if (timeout > 0 && spin(array, index, expected, true)) return 'ok'
  ref()
  try {
    if (signal === undefined) return await sleep(array, index, expected, timeout)
    return await sleepUntilAborted(array, index, expected, timeout, signal)
  } finally {
    unref()
  }
}

async function sleep (array, index, expected, timeout) {
  const outcome = await Atomics.waitAsync(array, index, expected, timeout).value
  return outcome === 'not-equal' ? 'ok' : outcome
}

// A call of Atomics.waitAsync() cannot be canceled. So the last one outlives an abort, and if it is
// woken then, it passes the wake-up on. The wait is a series of such sleeps, each as long as the
// wait has lasted so far. So the one that an abort leaves behind ends before long, and a long wait
// costs next to nothing.
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
      // The change came before the abort, and its wake-up may be on the way.
      if (Atomics.load(array, index) !== expected) settle(resolve, 'ok')
      else settle(reject, createAborted(signal))
    }
    const run = async () => {
      for (;;) {
        const time = now()
        const longest = Math.max(kFirstSleepMs, time - start)
        const milliseconds = Math.max(0, Math.min(end - time, longest))
        const outcome = await Atomics.waitAsync(array, index, expected, milliseconds).value
        if (isSettled) {
          if (outcome === 'ok') Atomics.notify(array, index, 1)
          return
        }
        if (outcome !== 'timed-out') return settle(resolve, 'ok')
        if (now() >= end) return settle(resolve, 'timed-out')
      }
    }
    listeners = listen(signal, onAbort)
    if (!isSettled) run()
  })
}

function notify (array, index, count = Infinity) {
  checkArray(array)
  checkIndex(array, index)
  if (count !== Infinity && !(Number.isInteger(count) && count >= 0)) {
    throw argumentError('count must be an integer from 0, or Infinity', count)
  }
  return Atomics.notify(array, index, count)
}

function spin (array, index, expected, isAsync) {
  const spins = maxSpins(isAsync)
  for (let i = 0; i < spins; i++) {
    relax(i)
    if (Atomics.load(array, index) !== expected) return true
  }
  return false
}

// A number in place of options is the timeout, as in Atomics.wait().
function toOptions (options) {
  return typeof options === 'number' ? { __proto__: null, timeout: options } : options
}

function checkTarget (array, index, expected) {
  checkArray(array)
  checkIndex(array, index)
  if (types.isInt32Array(array)) {
    if (Number.isInteger(expected) && (expected | 0) === expected) return
    throw argumentError('expected must be an integer of 32 bits', expected)
  }
  if (typeof expected === 'bigint' && BigInt.asIntN(64, expected) === expected) return
  throw argumentError('expected must be a bigint of 64 bits', expected)
}

function checkArray (array) {
  const isSupported = types.isInt32Array(array) || types.isBigInt64Array(array)
  if (isSupported && types.isSharedArrayBuffer(array.buffer)) return
  const message = 'array must be an Int32Array or BigInt64Array over a SharedArrayBuffer'
  throw argumentError(message, array)
}

function checkIndex (array, index) {
  if (Number.isInteger(index) && index >= 0 && index < array.length) return
  throw argumentError(`index must be an integer from 0 to ${array.length - 1}`, index)
}

module.exports = { notify, wait, waitAsync }
