'use strict'

// How a call of a primitive waits: it polls, spins, polls again, and sleeps. waitSync() blocks the
// thread, waitAsync() waits on the event loop. A waiter says what the call waits for:
//
//   poll(register)  True: the wait has succeeded. If it returns false with `register` set, it has
//                   first told the threads that can end the wait that this one waits. The call may
//                   then sleep on words[index] while that is `expected`, for at most `maxSleep`
//                   milliseconds.
//   isOrdered       If this waiter has to wait on, so do all waiters behind it on the same word.
//   leave()         The call waits no longer, and passes on a wake-up that was meant for it. True:
//                   it is too late, other calls have counted on this one, so the wait has
//                   succeeded. Called at most once; never throws.
//
// ../base/slices.js limits how long a thread sleeps before it polls again. In sleepers.js are the
// sleeps of promises.

const { Promise } = require('../base/globals')
const { listen } = require('../base/abort-signal')
const { memberOf } = require('../base/own')
const { createAborted } = require('../base/limits')
const { sleepBlocked } = require('../base/slices')
const { afterTurn, now, ref, startTimer, stopTimer, unref } = require('../base/time')
const { fallAsleep } = require('./sleepers')
const { maxSpins, relax } = require('./spin')

// A waiter on the event loop may be unable to sleep, because the word changes each time. After this
// many polls in a row the event loop gets a turn.
const kPollsInARow = 16

class Waiter {
  words
  index = 0
  expected = 0
  maxSleep = Infinity
  isOrdered = true
  // False if no other thread can end the wait. Then spinning is useless.
  isSpinning = true

  constructor (words) {
    this.words = words
  }
}

// False: the timeout expired.
function waitSync (waiter, limits) {
  try {
    if (waiter.poll(false)) return true
    if (limits.timeout > 0 && spin(waiter, false)) return true
    const start = now()
    const end = start + limits.timeout
    for (;;) {
      if (waiter.poll(true)) return true
      if (now() >= end) return waiter.leave()
      const { words, index, expected, maxSleep } = waiter
      sleepBlocked(words, index, expected, { maxSleep, start, end })
    }
  } catch (error) { // a corrupt word, or a stack overflow
    waiter.leave()
    throw error
  }
}

function spin (waiter, isAsync) {
  if (!waiter.isSpinning) return false
  const spins = maxSpins(isAsync)
  for (let i = 0; i < spins; i++) {
    relax(i)
    if (waiter.poll(false)) return true
  }
  return false
}

// A promise of true, or of false if the timeout expired. Rejects with an AbortError.
function waitAsync (waiter, limits) {
  return new Promise((resolve, reject) => {
    new AsyncWait(waiter, limits, resolve, reject).begin(limits.timeout)
  })
}

class AsyncWait {
  waiter
  // These three belong to sleepers.js.
  queue = null
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
      // The signal may have fired since the call began: between two waits of waitFor(), for
      // example.
      if (memberOf(this.#signal, 'aborted')) this.#onAbort()
    } catch (error) { // thrown by the signal
      this.#giveUp(() => this.#reject(error))
    }
  }

  #pollFirst (isSpinning) {
    try {
      if (!this.waiter.poll(false) && !(isSpinning && spin(this.waiter, true))) return false
      this.#end(() => this.#resolve(true))
    } catch (error) { // a corrupt word, or a stack overflow
      this.#fail(error)
    }
    return true
  }

  // True: the promise is settled.
  poll () {
    try {
      if (this.waiter.poll(true)) this.#end(() => this.#resolve(true))
      else if (this.#isOver()) this.#giveUp(() => this.#resolve(false))
    } catch (error) {
      this.#fail(error)
    }
    return this.#isSettled
  }

  // To be called after poll() has returned false.
  sleep () {
    try {
      for (let polls = 0; polls < kPollsInARow; polls++) {
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

  // The timer may be a little early.
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

  // Once: the function that waitFor() calls may abort its own call while it is polled.
  #end (settle) {
    if (this.#isSettled) return
    this.#isSettled = true
    unref()
    stopTimer(this.#timer)
    this.#abortListeners?.remove(this.#onAbort)
    settle()
    this.queue?.remove(this)
  }
}

module.exports = { Waiter, waitAsync, waitSync }
