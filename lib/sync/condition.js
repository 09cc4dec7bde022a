'use strict'

const { Boolean, Math } = require('../base/globals')
const { argumentError } = require('../base/arguments')
const { createError } = require('../base/errors')
const { from, share } = require('../shared/registry')
const { now } = require('../base/time')
const { waitAsync, waitSync } = require('./waiter')
const { checkFunction } = require('./check')
const { readLimits } = require('../base/limits')
const { open } = require('./memory')
const { MutexGuard, kGuard, releaseFor, retake, retakeSync } = require('./mutex')
const { Notifications, NotificationWaiter } = require('./notifications')

class Condition {
  #notifications

  constructor (received) {
    const { data, words } = open('Condition', received)
    this.#notifications = new Notifications(words)
    share(this, 'Condition', data)
  }

  static from (received) { return from(Condition, 'Condition', received) }

  notifyOne () { this.#notifications.notifyOne() }

  notifyAll () { this.#notifications.notifyAll() }

  waitSync (guard, options) {
    return this.#waitSync(guard, readLimits(options))
  }

  async wait (guard, options) {
    return this.#wait(guard, readLimits(options))
  }

  waitForSync (guard, test, options) {
    checkFunction(test, 'test')
    const limits = readLimits(options)
    const remaining = countdown(limits)
    checkGuard(guard)
    while (!test()) {
      if (!this.#waitSync(guard, remaining())) return Boolean(test())
    }
    return true
  }

  async waitFor (guard, test, options) {
    checkFunction(test, 'test')
    const limits = readLimits(options)
    const remaining = countdown(limits)
    checkGuard(guard)
    while (!test()) {
      if (!await this.#wait(guard, remaining())) return Boolean(test())
    }
    return true
  }

  // Waiters are created while the mutex is held. So they miss no notification that follows a change
  // of the data.

  #waitSync (guard, limits) {
    checkGuard(guard)
    const waiter = new NotificationWaiter(this.#notifications)
    releaseFor(guard)
    try {
      return waitSync(waiter, limits)
    } finally {
      retakeSync(guard)
    }
  }

  async #wait (guard, limits) {
    checkGuard(guard)
    const waiter = this.#notifications.begin()
    releaseFor(guard)
    try {
      return await waitAsync(waiter, limits)
    } finally {
      this.#notifications.end()
      await retake(guard)
    }
  }
}

function checkGuard (guard) {
  if (!(guard instanceof MutexGuard)) {
    if (guard?.[kGuard] === true) {
      const reason = 'only the copy that locked a mutex can unlock it'
      throw createError('ERR_TELAR_OTHER_COPY', 'guard', reason)
    }
    throw argumentError('guard must be what Mutex.lock() returned', guard)
  }
  if (!guard.isHeld) throw createError('ERR_TELAR_NOT_HELD', 'Mutex')
}

// Returns a function that returns the limits of the next one of several waits, which share one
// timeout.
function countdown ({ timeout, signal }) {
  if (timeout === Infinity) return () => ({ timeout, signal })
  const end = now() + timeout
  return () => ({ timeout: Math.max(0, end - now()), signal })
}

module.exports = { Condition }
