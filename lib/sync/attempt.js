'use strict'

// How a thread waits: it looks, spins, looks, and sleeps; on its thread
// (waitSync) or on its event loop (waitAsync). What it waits for is an attempt:
//
//   look(announce)  true: it is done. With `announce`, and false: it has told
//                   those who could wake it; words[index] is to be slept on while
//                   it holds `expected`, for `slice` milliseconds at most.
//   leave()         it waits no longer, and passes on a wake-up that was for it
//
// No sleep is longer than a slice: a thread that was woken and ended before it
// acted has taken the wake-up with it, and one that was ended cannot wake others.

const { createAborted } = require('./limits')
const { drop, hold } = require('./hold')
const { relax, turns } = require('./spin')

const kSlice = 100
// Looks in a row, of an attempt on the event loop that others keep from
// sleeping, before the loop gets its turn.
const kLooksInARow = 16

class Attempt {
  words
  index = 0
  expected = 0
  slice = kSlice
  // False where another thread cannot help: then there is no use in spinning.
  isSpinning = true

  constructor (words) {
    this.words = words
  }
}

// False: the time is over.
function waitSync (attempt, limits) {
  try {
    if (attempt.look(false)) return true
    if (limits.timeout > 0 && spin(attempt, false)) return true
    const deadline = limits.timeout === Infinity ? Infinity : performance.now() + limits.timeout
    for (;;) {
      if (attempt.look(true)) return true
      const left = deadline === Infinity ? Infinity : deadline - performance.now()
      if (left <= 0) {
        attempt.leave()
        return false
      }
      Atomics.wait(attempt.words, attempt.index, attempt.expected, Math.min(left, attempt.slice))
    }
  } catch (error) { // a corrupt word, a full stack
    attempt.leave()
    throw error
  }
}

function spin (attempt, isAsync) {
  if (!attempt.isSpinning) return false
  const end = turns(isAsync)
  for (let turn = 0; turn < end; turn++) {
    relax(turn)
    if (attempt.look(false)) return true
  }
  return false
}

// A promise of true, or of false when the time is over; rejects with an AbortError.
function waitAsync (attempt, limits) {
  return new Promise((resolve, reject) => new Waiting(attempt, limits, resolve, reject).begin())
}

class Waiting {
  #attempt
  #signal
  #timeout
  #deadline
  #resolve
  #reject
  #isSettled = false
  #onWoken = (outcome) => this.#woken(outcome)
  #onAbort = () => this.#end(() => this.#reject(createAborted(this.#signal)))

  constructor (attempt, { timeout, signal }, resolve, reject) {
    this.#attempt = attempt
    this.#signal = signal
    this.#timeout = timeout
    this.#deadline = timeout === Infinity ? Infinity : performance.now() + timeout
    this.#resolve = resolve
    this.#reject = reject
  }

  begin () {
    hold()
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true })
    this.#go(true)
  }

  #go (isFirst) {
    try {
      if (isFirst && (this.#attempt.look(false) || (this.#timeout > 0 && spin(this.#attempt, true)))) return this.#settle(true)
      for (let looks = 0; looks < kLooksInARow; looks++) {
        if (this.#attempt.look(true)) return this.#settle(true)
        const left = this.#deadline === Infinity ? Infinity : this.#deadline - performance.now()
        if (left <= 0) return this.#end(() => this.#resolve(false))
        const { words, index, expected, slice } = this.#attempt
        const { async, value } = Atomics.waitAsync(words, index, expected, Math.min(left, slice))
        if (async) return value.then(this.#onWoken)
      }
      setImmediate(this.#onWoken)
    } catch (error) { // a corrupt word, a full stack
      this.#end(() => this.#reject(error))
    }
  }

  #woken (outcome) {
    if (!this.#isSettled) this.#go(false)
    else if (outcome === 'ok') this.#attempt.leave() // the sleep outlives the abort
  }

  #settle (value) {
    this.#isSettled = true
    drop()
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#resolve(value)
  }

  #end (settle) {
    if (this.#isSettled) return
    this.#isSettled = true
    drop()
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#attempt.leave()
    settle()
  }
}

module.exports = { Attempt, kSlice, waitAsync, waitSync }
