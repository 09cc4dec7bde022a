'use strict'

const { Atomics, Math } = require('../base/globals')
const { Received, from, share } = require('../shared/registry')
const { Waiter, waitAsync, waitSync } = require('./waiter')
const { checkInteger } = require('./check')
const { createTimeout, readLimits } = require('../base/limits')
const { createCorrupt, kState, open } = require('./memory')

const kMaxCount = 2 ** 31 - 1

class LatchWaiter extends Waiter {
  #latch

  constructor (words, latch) {
    super(words)
    this.#latch = latch
    this.index = kState
  }

  poll () {
    this.expected = this.#latch.count
    return this.expected === 0
  }

  leave () { return Atomics.load(this.words, kState) === 0 }
}

class Latch {
  #words

  constructor (count) {
    if (!(count instanceof Received)) checkInteger(count, 'count', 0, kMaxCount)
    const { data, words } = open('Latch', count)
    if (!(count instanceof Received)) words[kState] = count
    this.#words = words
    share(this, 'Latch', data)
  }

  static from (received) { return from(Latch, 'Latch', received) }

  get count () {
    const count = Atomics.load(this.#words, kState)
    if (count < 0) throw createCorrupt('Latch', 'a count of 0 or more', count)
    return count
  }

  countDown (by = 1) {
    checkInteger(by, 'by', 1, kMaxCount)
    for (;;) {
      const count = this.count
      if (count === 0) return
      const next = Math.max(0, count - by)
      if (Atomics.compareExchange(this.#words, kState, count, next) !== count) continue
      if (next === 0) Atomics.notify(this.#words, kState)
      return
    }
  }

  waitSync (options) {
    const limits = readLimits(options)
    const waiter = new LatchWaiter(this.#words, this)
    if (!waitSync(waiter, limits)) throw createTimeout('Latch.waitSync()', limits)
  }

  async wait (options) {
    const limits = readLimits(options)
    const waiter = new LatchWaiter(this.#words, this)
    if (!await waitAsync(waiter, limits)) throw createTimeout('Latch.wait()', limits)
  }

  tryWait () { return this.count === 0 }
}

module.exports = { Latch }
