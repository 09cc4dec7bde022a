'use strict'

const { Atomics } = require('../base/globals')
const { Received, from, share } = require('../shared/registry')
const { Waiter, waitAsync, waitSync } = require('./waiter')
const { checkInteger } = require('./check')
const { createTimeout, readLimits } = require('../base/limits')
const { createCorrupt, kState, open } = require('./memory')

const kParties = 1
// The state: how many have arrived, and how often all have.
const kArrivedBits = 14
const kMaxParties = (1 << kArrivedBits) - 1
const arrivedOf = (state) => state & kMaxParties
const roundOf = (state) => state >>> kArrivedBits
const nextRound = (state) => (roundOf(state) + 1) << kArrivedBits

function readState (words, parties) {
  const state = Atomics.load(words, kState)
  if (arrivedOf(state) >= parties) throw createCorrupt('Barrier', `fewer than ${parties} waiting`, arrivedOf(state))
  return state
}

class BarrierWaiter extends Waiter {
  isLast = false
  #parties
  #round = -1

  constructor (words, parties) {
    super(words)
    this.#parties = parties
    this.index = kState
  }

  // Arrives at the first look.
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

  // Takes the arrival back, once: a sleep that outlives its abort may be woken for an earlier
  // round, and leaves again. True: all have arrived in the meantime, and it was counted.
  leave () {
    const round = this.#round
    if (round < 0) return false
    for (;;) {
      const state = Atomics.load(this.words, kState)
      if (roundOf(state) !== round) return true
      if (arrivedOf(state) > 0 && Atomics.compareExchange(this.words, kState, state, state - 1) !== state) continue
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
    this.#words = words
    this.#parties = words[kParties]
    if (!(this.#parties >= 1 && this.#parties <= kMaxParties)) throw createCorrupt('Barrier', 'a number of parties', this.#parties)
    share(this, 'Barrier', data)
  }

  static from (received) { return from(Barrier, 'Barrier', received) }

  get parties () { return this.#parties }

  // How many wait.
  get waiting () { return arrivedOf(readState(this.#words, this.#parties)) }

  waitSync (options) {
    const limits = readLimits(options)
    const passing = new BarrierWaiter(this.#words, this.#parties)
    if (!waitSync(passing, limits)) throw createTimeout('Barrier.waitSync()', limits)
    return passing.isLast
  }

  async wait (options) {
    const limits = readLimits(options)
    const passing = new BarrierWaiter(this.#words, this.#parties)
    if (!await waitAsync(passing, limits)) throw createTimeout('Barrier.wait()', limits)
    return passing.isLast
  }

  // Passes if all others have arrived; else it does not arrive.
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
