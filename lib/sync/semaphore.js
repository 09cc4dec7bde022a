'use strict'

const { Atomics, Symbol } = require('../base/globals')
const { createError } = require('../base/errors')
const { Received, from, share } = require('../shared/registry')
const { checkInteger } = require('./check')
const { FairWord, kPayload, kWaiters } = require('./fair-word')
const { createTimeout, kNone, readLimits } = require('../base/limits')
const { createCorrupt, kState, open } = require('./memory')

const kMax = 1

// The payload is the number of free permits.
class PermitWord extends FairWord {
  max

  constructor (words, max) {
    super(words, kState)
    this.max = max
  }

  take (payload) {
    if (payload > this.max) throw createCorrupt('Semaphore', `at most ${this.max} permits`, payload)
    return payload - 1
  }

  taken () {}

  isFree (payload) { return payload > 0 }
}

class Permit {
  #semaphore

  constructor (semaphore) {
    this.#semaphore = semaphore
  }

  get isHeld () { return this.#semaphore !== null }

  release () {
    if (this.#semaphore === null) throw createError('ERR_TELAR_NOT_HELD', 'permit')
    this[Symbol.dispose]()
  }

  [Symbol.dispose] () {
    const semaphore = this.#semaphore
    if (semaphore === null) return
    this.#semaphore = null
    semaphore.release()
  }
}

class Semaphore {
  #words
  #word

  constructor (permits = 1, max = kPayload) {
    if (!(permits instanceof Received)) {
      checkInteger(max, 'max', 1, kPayload)
      checkInteger(permits, 'permits', 0, max)
    }
    const { data, words } = open('Semaphore', permits)
    this.#words = words
    if (!(permits instanceof Received)) {
      words[kMax] = max
      words[kState] = permits
    }
    const stored = words[kMax]
    if (!(stored >= 1 && stored <= kPayload)) {
      throw createCorrupt('Semaphore', `a maximum from 1 to ${kPayload}`, stored)
    }
    this.#word = new PermitWord(words, stored)
    share(this, 'Semaphore', data)
  }

  static from (received) { return from(Semaphore, 'Semaphore', received) }

  // How many permits are free.
  get available () { return this.#word.payload }

  get max () { return this.#word.max }

  acquireSync (options) {
    const limits = options === undefined ? kNone : readLimits(options)
    const permit = new Permit(this)
    if (!this.#takeFast() && !this.#word.takeSync(limits, true)) {
      throw createTimeout('Semaphore.acquireSync()', limits)
    }
    return permit
  }

  async acquire (options) {
    const limits = options === undefined ? kNone : readLimits(options)
    const permit = new Permit(this)
    if (!this.#takeFast() && !await this.#word.takeAsync(limits, true)) {
      throw createTimeout('Semaphore.acquire()', limits)
    }
    return permit
  }

  tryAcquire () {
    const permit = new Permit(this)
    return this.#takeFast() || this.#word.tryTake() ? permit : null
  }

  // Adds permits. They need not have been acquired.
  release (count = 1) {
    const max = this.#word.max
    checkInteger(count, 'count', 1, max)
    if (this.#releaseFast(count)) return
    this.#word.put((payload) => {
      if (payload > max) throw createCorrupt('Semaphore', `at most ${max} permits`, payload)
      if (payload + count > max) {
        const message = `${payload} permits are free, and ${count} more would exceed the maximum ` +
          `of ${max}`
        throw createError('ERR_TELAR_OUT_OF_RANGE', message)
      }
      return payload + count
    }, count)
  }

  // These two succeed only if no waiter sleeps and the word is not reserved. Otherwise the word
  // does it.

  #takeFast () {
    const state = Atomics.load(this.#words, kState)
    return state > 0 && state <= this.#word.max && state < kWaiters &&
      Atomics.compareExchange(this.#words, kState, state, state - 1) === state
  }

  #releaseFast (count) {
    const state = Atomics.load(this.#words, kState)
    return state >= 0 && state + count <= this.#word.max && state < kWaiters &&
      Atomics.compareExchange(this.#words, kState, state, state + count) === state
  }
}

module.exports = { Permit, Semaphore }
