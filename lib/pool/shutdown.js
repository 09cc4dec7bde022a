'use strict'

// Implements close(), which waits until every task is settled, and destroy(), which does not. After
// either of them the pool can be used again.

const { Promise } = require('../base/globals')
const { AbortError, createError, createTerminated } = require('../base/errors')
const { startTimer, stopTimer } = require('../base/time')
const { normalizeCloseOptions } = require('./call-options')
const { timerDelay } = require('./options')

const resolved = Promise.resolve()

class Shutdown {
  #closed = null // the promise of close(), while the pool closes
  #destroyed = null // the promise of destroy(), while the pool is being destroyed
  #whenQuiet = []
  #options
  #strict
  #state
  #workers
  #recovery
  #readiness
  #onGone
  #onTimeout
  #onClosed

  // onGone(): all workers are gone. onTimeout(error): may throw, which rejects close().
  constructor (
    { options, strict, state, workers, recovery, readiness, onGone, onTimeout, onClosed }
  ) {
    this.#options = options
    this.#strict = strict
    this.#state = state
    this.#workers = workers
    this.#recovery = recovery
    this.#readiness = readiness
    this.#onGone = onGone
    this.#onTimeout = onTimeout
    this.#onClosed = onClosed
  }

  destroy () {
    if (this.#destroyed === null) {
      let done
      // Set first: #tearDown() calls user code, which may call this.
      this.#destroyed = new Promise((resolve) => { done = resolve })
      done(this.#tearDown())
    }
    return this.#destroyed
  }

  async #tearDown () {
    this.#state.setDestroying(true)
    this.#recovery.rejectAll(createTerminated)
    this.#readiness.fail(createTerminated())
    await this.#workers.destroyAll()
    this.#onGone()
    this.#recovery.reset()
    this.#destroyed = null
    this.#state.setDestroying(false)
    this.checkQuiet()
  }

  async close (options) {
    const { error, force } = normalizeCloseOptions(options, { strict: this.#strict })
    if (error !== null) throw error
    this.#state.setClosing(true)
    if (force) this.#recovery.rejectExcess(() => new AbortError('pool is closed'))
    this.#closed ??= this.#end()
    return this.#closed
  }

  async #end () {
    const isQuiet = await this.#quiet(timerDelay(this.#options.closeTimeout))
    try {
      if (!isQuiet) this.#onTimeout(createError('ERR_TELAR_CLOSE_TIMEOUT'))
    } finally {
      await this.#workers.leaveAll(isQuiet)
      await this.destroy()
      this.#closed = null
      this.#state.setClosing(false)
      this.#onClosed()
    }
  }

  // Resolves with true when every task is settled, or with false after the timeout.
  #quiet (timeout) {
    return new Promise((resolve) => {
      const timer = timeout === null ? null : startTimer(() => resolve(false), timeout)
      this.#whenQuiet.push(() => {
        stopTimer(timer)
        resolve(true)
      })
      this.checkQuiet()
    })
  }

  // To be called when tasks are settled. Checks in a microtask: user code may have been called
  // while a task is being handed over, and that task is counted only afterwards.
  checkQuiet () {
    if (this.#whenQuiet.length === 0) return
    resolved.then(() => {
      if (this.#state.demand > 0) return
      for (const resolve of this.#whenQuiet.splice(0)) resolve()
    })
  }
}

module.exports = { Shutdown }
