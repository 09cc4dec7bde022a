'use strict'

// How a thread waits: it looks, spins, looks, and sleeps; on its thread
// (waitSync) or on its event loop (waitAsync). What it waits for is an attempt:
//
//   look(announce)  true: it is done. With `announce`, and false: it has told
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
const { createAborted } = require('./limits')
const { sleepBlocked } = require('../base/slices')
const { afterTurn, drop, hold, now, startTimer, stopTimer } = require('../base/time')
const { fallAsleep } = require('./sleepers')
const { relax, turns } = require('./spin')

// Looks in a row, of an attempt on the event loop that others keep from
// sleeping, before the loop gets its turn.
const kLooksInARow = 16

class Attempt {
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
function waitSync (attempt, limits) {
  try {
    if (attempt.look(false)) return true
    if (limits.timeout > 0 && spin(attempt, false)) return true
    const start = now()
    const end = start + limits.timeout
    for (;;) {
      const ended = native.endedThreads()
      if (attempt.look(true)) return true
      if (now() >= end) return attempt.leave()
      const { words, index, expected, slice } = attempt
      sleepBlocked(words, index, expected, { slice, start, end, ended })
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
  return new Promise((resolve, reject) => {
    new Waiting(attempt, limits, resolve, reject).begin(limits.timeout)
  })
}

class Waiting {
  attempt
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

  constructor (attempt, { timeout, signal }, resolve, reject) {
    this.attempt = attempt
    this.#signal = signal
    this.#deadline = timeout === Infinity ? Infinity : now() + timeout
    this.#resolve = resolve
    this.#reject = reject
  }

  begin (timeout) {
    hold()
    if (this.#signal !== undefined) this.#listen()
    if (this.#isSettled || this.#lookFirst(timeout > 0) || this.look()) return
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

  #lookFirst (isSpinning) {
    try {
      if (!this.attempt.look(false) && !(isSpinning && spin(this.attempt, true))) return false
      this.#end(() => this.#resolve(true))
    } catch (error) { // a corrupt word, a full stack
      this.#fail(error)
    }
    return true
  }

  // True: it is settled, one way or another.
  look () {
    try {
      if (this.attempt.look(true)) this.#end(() => this.#resolve(true))
      else if (this.#isOver()) this.#giveUp(() => this.#resolve(false))
    } catch (error) {
      this.#fail(error)
    }
    return this.#isSettled
  }

  // After a look.
  sleep () {
    try {
      for (let tries = 0; tries < kLooksInARow; tries++) {
        if (fallAsleep(this) || this.look()) return
      }
      afterTurn(() => this.#lookAgain())
    } catch (error) {
      this.#fail(error)
    }
  }

  #lookAgain () {
    if (!this.#isSettled && !this.look()) this.sleep()
  }

  #isOver () {
    return this.#deadline !== Infinity && now() >= this.#deadline
  }

  // The alarm may come a little early.
  #onDeadline () {
    if (!this.#isSettled && !this.look()) this.#startTimer(this.#deadline - now())
  }

  #startTimer (milliseconds) {
    this.#timer = startTimer(() => this.#onDeadline(), milliseconds)
  }

  #fail (error) {
    if (this.#isSettled) throw error
    this.attempt.leave()
    this.#end(() => this.#reject(error))
  }

  #giveUp (settle) {
    if (this.#isSettled) return
    this.#end(this.attempt.leave() ? () => this.#resolve(true) : settle)
  }

  #end (settle) {
    this.#isSettled = true
    drop()
    stopTimer(this.#timer)
    this.#abortListeners?.remove(this.#onAbort)
    settle()
    this.line?.remove(this)
  }
}

module.exports = { Attempt, waitAsync, waitSync }
