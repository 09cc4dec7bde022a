'use strict'

const { createError, describe } = require('../errors')
const { from, share } = require('../shared')
const { waitAsync, waitSync } = require('./attempt')
const { Change } = require('./change')
const { checkFunction } = require('./check')
const { readLimits } = require('./limits')
const { kState, open } = require('./memory')
const { MutexGuard, releaseFor, retake, retakeSync } = require('./mutex')

// A word that counts notifications: whoever read it before the last one is notified.
class Condition {
  #words

  constructor (received) {
    const { data, words } = open('Condition', received)
    this.#words = words
    share(this, 'Condition', data)
  }

  static from (received) { return from(Condition, 'Condition', received) }

  notifyOne () { this.#notify(1) }

  notifyAll () { this.#notify(Infinity) }

  #notify (count) {
    Atomics.add(this.#words, kState, 1)
    Atomics.notify(this.#words, kState, count)
  }

  waitSync (guard, options) {
    return this.#waitSync(guard, readLimits(options))
  }

  async wait (guard, options) {
    return this.#wait(guard, readLimits(options))
  }

  waitForSync (guard, test, options) {
    checkFunction(test, 'test')
    const limits = readLimits(options)
    const left = countdown(limits)
    checkGuard(guard)
    while (!test()) {
      if (!this.#waitSync(guard, left())) return Boolean(test())
    }
    return true
  }

  async waitFor (guard, test, options) {
    checkFunction(test, 'test')
    const limits = readLimits(options)
    const left = countdown(limits)
    checkGuard(guard)
    while (!test()) {
      if (!await this.#wait(guard, left())) return Boolean(test())
    }
    return true
  }

  #waitSync (guard, limits) {
    checkGuard(guard)
    const change = this.#change()
    releaseFor(guard)
    try {
      return waitSync(change, limits)
    } finally {
      retakeSync(guard)
    }
  }

  async #wait (guard, limits) {
    checkGuard(guard)
    const change = this.#change()
    releaseFor(guard)
    try {
      return await waitAsync(change, limits)
    } finally {
      await retake(guard)
    }
  }

  // Read under the lock: no notification that follows a change of the data is missed.
  #change () {
    return new Change(this.#words, kState, Atomics.load(this.#words, kState))
  }
}

function checkGuard (guard) {
  if (!(guard instanceof MutexGuard)) {
    throw createError('ERR_TELAR_INVALID_ARGUMENT', `guard must be what Mutex.lock() gave; received ${describe(guard)}`)
  }
  if (!guard.isHeld) throw createError('ERR_TELAR_NOT_HELD', 'Mutex')
}

// The limits of each of several waits that share one timeout.
function countdown ({ timeout, signal }) {
  if (timeout === Infinity) return () => ({ timeout, signal })
  const end = performance.now() + timeout
  return () => ({ timeout: Math.max(0, end - performance.now()), signal })
}

module.exports = { Condition }
