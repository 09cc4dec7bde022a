'use strict'

const { Atomics } = require('../base/globals')
const { Received, from, share } = require('../shared/registry')
const { Waiter, waitAsync, waitSync } = require('./waiter')
const { checkInteger } = require('./check')
const { createTimeout, readLimits } = require('../base/limits')
const { createCorrupt, kState, open } = require('./memory')

const kParties = 1
// The state: how many calls have arrived in this round, and the number of the round.
const kArrivedBits = 14
const kMaxParties = (1 << kArrivedBits) - 1
const arrivedOf = (state) => state & kMaxParties
const roundOf = (state) => state >>> kArrivedBits
const nextRound = (state) => (roundOf(state) + 1) << kArrivedBits

function readState (words, parties) {
  const state = Atomics.load(words, kState)
  const arrived = arrivedOf(state)
  if (arrived >= parties) throw createCorrupt('Barrier', `fewer than ${parties} waiting`, arrived)
  return state
}

class BarrierWaiter extends Waiter {
  isLast = false
  #parties
  // The round in which it has arrived; -1: it has not.
  #round = -1

  constructor (words, parties) {
    super(words)
    this.#parties = parties
    this.index = kState
  }

  // The first poll arrives.
  poll () {
    for (;;) {
      const state = readState(this.words, this.#parties)
      this.expected = state
      if (this.#round >= 0) return roundOf(state) !== this.#round
      this.isLast = arrivedOf(state) + 1 === this.#parties
      const next = this.isLast ? nextRound(state) : state + 1
      if (Atomics.compareExchange(this.words, kState, state, next) !== state) continue
      if (!this.isLast) {
        this.#round = roundOf(state)
        continue
      }
      Atomics.notify(this.words, kState)
      return true
    }
  }

  // Takes the arrival back, at most once. True: the last call has arrived in the meantime, and this
  // one was counted.
  leave () {
    const round = this.#round
    if (round < 0) return false
    for (;;) {
      const state = Atomics.load(this.words, kState)
      if (roundOf(state) !== round) return true
      if (arrivedOf(state) > 0) {
        const before = Atomics.compareExchange(this.words, kState, state, state - 1)
        if (before !== state) continue
      }
      this.#round = -1
      return false
    }
  }
}

class Barrier {
  #words
  #parties

  constructor (parties) {
    if (!(parties instanceof Received)) checkInteger(parties, 'parties', 1, kMaxParties)
    const { data, words } = open('Barrier', parties)
    if (!(parties instanceof Received)) words[kParties] = parties
    const stored = words[kParties]
    if (!(stored >= 1 && stored <= kMaxParties)) {
      throw createCorrupt('Barrier', `1 to ${kMaxParties} parties`, stored)
    }
    this.#words = words
    this.#parties = stored
    share(this, 'Barrier', data)
  }

  static from (received) { return from(Barrier, 'Barrier', received) }

  get parties () { return this.#parties }

  // How many calls wait.
  get waiting () { return arrivedOf(readState(this.#words, this.#parties)) }

  waitSync (options) {
    const limits = readLimits(options)
    const waiter = new BarrierWaiter(this.#words, this.#parties)
    if (!waitSync(waiter, limits)) throw createTimeout('Barrier.waitSync()', limits)
    return waiter.isLast
  }

  async wait (options) {
    const limits = readLimits(options)
    const waiter = new BarrierWaiter(this.#words, this.#parties)
    if (!await waitAsync(waiter, limits)) throw createTimeout('Barrier.wait()', limits)
    return waiter.isLast
  }

  // Arrives only if all others have. True: it has.
  tryWait () {
    for (;;) {
      const state = readState(this.#words, this.#parties)
      if (arrivedOf(state) + 1 !== this.#parties) return false
      if (Atomics.compareExchange(this.#words, kState, state, nextRound(state)) !== state) continue
      Atomics.notify(this.#words, kState)
      return true
    }
  }
}

module.exports = { Barrier }
