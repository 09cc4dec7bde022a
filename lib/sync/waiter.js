'use strict'

// How a thread waits: it looks, spins, looks, and sleeps; on its thread
// (waitSync) or on its event loop (waitAsync). What it waits for is a waiter:
//
//   poll(register)  true: it is done. With `register`, and false: it has told
//                   those who could wake it; words[index] is to be slept on while
//                   it holds `expected`, for `slice` milliseconds at most.
//   isOrdered       where it has to wait, those behind it on the same word have to as well
//   leave()         it waits no longer, and passes on a wake-up that was for it; true:
//                   too late, others count on it, so it is done. Once, and never throws
//
// How long a thread sleeps before it looks again: ../base/slices.js. Promises: sleepers.js.

const { Promise } = require('../base/globals')
const native = require('../base/native')
const { listen } = require('../base/abort-signal')
const { memberOf } = require('../base/own')
const { createAborted } = require('../base/limits')
const { sleepBlocked } = require('../base/slices')
const { afterTurn, now, ref, startTimer, stopTimer, unref } = require('../base/time')
const { fallAsleep } = require('./sleepers')
const { relax, turns } = require('./spin')

// Looks in a row, of a waiter on the event loop that others keep from
// sleeping, before the loop gets its turn.
const kPollsInARow = 16

class Waiter {
  words
  index = 0
  expected = 0
  slice = Infinity
  isOrdered = true
  // False where another thread cannot help: then there is no use in spinning.
  isSpinning = true

  constructor (words) {
    this.words = words
  }
}

// False: the time is over.
function waitSync (waiter, limits) {
  try {
    if (waiter.poll(false)) return true
    if (limits.timeout > 0 && spin(waiter, false)) return true
    const start = now()
    const end = start + limits.timeout
    for (;;) {
      const ended = native.endedThreads()
      if (waiter.poll(true)) return true
      if (now() >= end) return waiter.leave()
      const { words, index, expected, slice } = waiter
      sleepBlocked(words, index, expected, { slice, start, end, ended })
    }
  } catch (error) { // a corrupt word, a full stack
    waiter.leave()
    throw error
  }
}

function spin (waiter, isAsync) {
  if (!waiter.isSpinning) return false
  const end = turns(isAsync)
  for (let turn = 0; turn < end; turn++) {
    relax(turn)
    if (waiter.poll(false)) return true
  }
  return false
}

// A promise of true, or of false when the time is over; rejects with an AbortError.
function waitAsync (waiter, limits) {
  return new Promise((resolve, reject) => {
    new AsyncWait(waiter, limits, resolve, reject).begin(limits.timeout)
  })
}

class AsyncWait {
  waiter
  // For sleepers.js.
  line = null
  previous = null
  next = null
  #signal
  #abortListeners = null
  #deadline
  #timer = null
  #resolve
  #reject
  #isSettled = false
  #onAbort = () => this.#giveUp(() => this.#reject(createAborted(this.#signal)))

  constructor (waiter, { timeout, signal }, resolve, reject) {
    this.waiter = waiter
    this.#signal = signal
    this.#deadline = timeout === Infinity ? Infinity : now() + timeout
    this.#resolve = resolve
    this.#reject = reject
  }

  begin (timeout) {
    ref()
    if (this.#signal !== undefined) this.#listen()
    if (this.#isSettled || this.#pollFirst(timeout > 0) || this.poll()) return
    if (timeout !== Infinity) this.#startTimer(timeout)
    this.sleep()
  }

  #listen () {
    try {
      this.#abortListeners = listen(this.#signal, this.#onAbort)
      // It may have fired since the call was made, between two waits of the call for example.
      if (memberOf(this.#signal, 'aborted')) this.#onAbort()
    } catch (error) { // thrown by the signal
      this.#giveUp(() => this.#reject(error))
    }
  }

  #pollFirst (isSpinning) {
    try {
      if (!this.waiter.poll(false) && !(isSpinning && spin(this.waiter, true))) return false
      this.#end(() => this.#resolve(true))
    } catch (error) { // a corrupt word, a full stack
      this.#fail(error)
    }
    return true
  }

  // True: it is settled, one way or another.
  poll () {
    try {
      if (this.waiter.poll(true)) this.#end(() => this.#resolve(true))
      else if (this.#isOver()) this.#giveUp(() => this.#resolve(false))
    } catch (error) {
      this.#fail(error)
    }
    return this.#isSettled
  }

  // After a look.
  sleep () {
    try {
      for (let tries = 0; tries < kPollsInARow; tries++) {
        if (fallAsleep(this) || this.poll()) return
      }
      afterTurn(() => this.#pollAgain())
    } catch (error) {
      this.#fail(error)
    }
  }

  #pollAgain () {
    if (!this.#isSettled && !this.poll()) this.sleep()
  }

  #isOver () {
    return this.#deadline !== Infinity && now() >= this.#deadline
  }

  // The alarm may come a little early.
  #onDeadline () {
    if (!this.#isSettled && !this.poll()) this.#startTimer(this.#deadline - now())
  }

  #startTimer (milliseconds) {
    this.#timer = startTimer(() => this.#onDeadline(), milliseconds)
  }

  #fail (error) {
    if (this.#isSettled) throw error
    this.waiter.leave()
    this.#end(() => this.#reject(error))
  }

  #giveUp (settle) {
    if (this.#isSettled) return
    this.#end(this.waiter.leave() ? () => this.#resolve(true) : settle)
  }

  #end (settle) {
    this.#isSettled = true
    unref()
    stopTimer(this.#timer)
    this.#abortListeners?.remove(this.#onAbort)
    settle()
    this.line?.remove(this)
  }
}

module.exports = { Waiter, waitAsync, waitSync }
