'use strict'

const { Atomics, Symbol } = require('../base/globals')
const native = require('../base/native')
const { createError } = require('../base/errors')
const { from, share } = require('../shared/registry')
const { createTimeout, kNone, readLimits } = require('../base/limits')
const { createCorrupt, kState, open } = require('./memory')
const { OwnedWord } = require('./owned-word')

// Not 0: the thread of an owner was ended, and markConsistent() has not been called since.
const kInconsistent = kState + 8

// How a guard reads and changes its mutex.
let guardOf
let mutexOf
let unlock
let isInconsistent
let setConsistent
// For Condition, which unlocks the mutex of a guard and locks it again for the same guard.
let releaseFor
let retakeSync
let retake

// A registered symbol, so that Condition recognizes the guards of another copy of telar.
const kGuard = Symbol.for('telar.guard')

class MutexGuard {
  #mutex

  static {
    mutexOf = (guard) => guard.#mutex
  }

  constructor (mutex) {
    this.#mutex = mutex
  }

  get [kGuard] () { return true }

  get isHeld () { return guardOf(this.#mutex) === this }

  get isInconsistent () { return isInconsistent(this.#mutex) }

  markConsistent () {
    if (!this.isHeld) throw createError('ERR_TELAR_NOT_HELD', 'Mutex')
    setConsistent(this.#mutex)
  }

  unlock () {
    if (guardOf(this.#mutex) !== this) throw createError('ERR_TELAR_NOT_HELD', 'Mutex')
    unlock(this.#mutex)
  }

  [Symbol.dispose] () {
    if (guardOf(this.#mutex) === this) unlock(this.#mutex)
  }
}

class Mutex {
  #words
  #word
  // The guard of the call in this thread that holds the mutex.
  #guard = null
  #thread = native.threadNumber

  static {
    guardOf = (mutex) => mutex.#guard
    unlock = (mutex) => mutex.#unlock()
    isInconsistent = (mutex) => Atomics.load(mutex.#words, kInconsistent) !== 0
    setConsistent = (mutex) => Atomics.store(mutex.#words, kInconsistent, 0)
    releaseFor = (guard) => mutexOf(guard).#unlock()
    retakeSync = (guard) => {
      const mutex = mutexOf(guard)
      mutex.#word.takeSync(kNone, true)
      mutex.#guard = guard
    }
    retake = (guard) => {
      const mutex = mutexOf(guard)
      const isSpinning = mutex.#guard === null
      return mutex.#word.takeAsync(kNone, isSpinning, () => { mutex.#guard = guard })
    }
  }

  constructor (received) {
    const { data, words } = open('Mutex', received)
    const onOwnerEnded = () => Atomics.store(words, kInconsistent, 1)
    this.#words = words
    this.#word = new OwnedWord('Mutex', words, kState, onOwnerEnded)
    share(this, 'Mutex', data)
  }

  static from (received) { return from(Mutex, 'Mutex', received) }

  get isLocked () { return this.#word.payload !== 0 }

  lockSync (options) {
    const limits = options === undefined ? kNone : readLimits(options)
    // Created before the mutex is locked: if the stack overflows here, the mutex is not left
    // locked.
    const guard = new MutexGuard(this)
    if (Atomics.compareExchange(this.#words, kState, 0, this.#thread) !== 0) {
      if (this.#word.isOwn) throw this.#createOwnError()
      if (!this.#word.takeSync(limits, true)) throw createTimeout('Mutex.lockSync()', limits)
    }
    this.#guard = guard
    return guard
  }

  async lock (options) {
    const limits = options === undefined ? kNone : readLimits(options)
    const guard = new MutexGuard(this)
    if (Atomics.compareExchange(this.#words, kState, 0, this.#thread) === 0) {
      this.#guard = guard
      return guard
    }
    const isSpinning = this.#guard === null
    if (isSpinning && this.#word.isOwn) throw this.#createOwnError()
    const onTaken = () => { this.#guard = guard }
    const isTaken = await this.#word.takeAsync(limits, isSpinning, onTaken)
    if (!isTaken) throw createTimeout('Mutex.lock()', limits)
    return guard
  }

  tryLock () {
    const guard = new MutexGuard(this)
    const before = Atomics.compareExchange(this.#words, kState, 0, this.#thread)
    if (before !== 0 && !this.#word.tryTake()) return null
    this.#guard = guard
    return guard
  }

  // Unlocks without the guard, whichever call of this thread has that.
  unlock () {
    if (this.#guard === null) throw createError('ERR_TELAR_NOT_HELD', 'Mutex')
    this.#unlock()
  }

  #unlock () {
    this.#guard = null
    const before = Atomics.compareExchange(this.#words, kState, this.#thread, 0)
    if (before !== this.#thread) this.#word.release()
  }

  // The error when the memory says that this thread holds the mutex.
  #createOwnError () {
    if (this.#guard !== null) return createError('ERR_TELAR_DEADLOCK', 'Mutex')
    return createCorrupt('Mutex', 'another owner', 'this thread, which does not hold it')
  }
}

module.exports = { Mutex, MutexGuard, kGuard, releaseFor, retake, retakeSync }
