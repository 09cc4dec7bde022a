'use strict'

const { Atomics, Symbol } = require('../base/globals')
const native = require('../base/native')
const { createError } = require('../base/errors')
const { from, share } = require('../shared/registry')
const { createTimeout, kNone, readLimits } = require('../base/limits')
const { createCorrupt, kState, open } = require('./memory')
const { OwnedWord } = require('./owned-word')

// Not 0: an owner was ended, and nobody has said since that the data is consistent.
const kInconsistent = kState + 8

// What the guard does to its mutex.
let guardOf
let mutexOf
let unlock
let isInconsistent
let setConsistent
// For Condition, which lets a guard go and takes the lock for it again.
let releaseFor
let retakeSync
let retake

// Registered, so that Condition knows the guard of another copy of telar for what it is.
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
  // Of the task in this thread that holds it.
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
      return mutex.#word.takeAsync(kNone, mutex.#guard === null, () => { mutex.#guard = guard })
    }
  }

  constructor (received) {
    const { data, words } = open('Mutex', received)
    this.#words = words
    this.#word = new OwnedWord('Mutex', words, kState, () => Atomics.store(words, kInconsistent, 1))
    share(this, 'Mutex', data)
  }

  static from (received) { return from(Mutex, 'Mutex', received) }

  get isLocked () { return this.#word.payload !== 0 }

  lockSync (options) {
    const limits = options === undefined ? kNone : readLimits(options)
    // Before the lock, or a full stack here would leave it locked.
    const guard = new MutexGuard(this)
    if (Atomics.compareExchange(this.#words, kState, 0, this.#thread) !== 0) {
      if (this.#word.isMine) throw this.#guard === null ? this.#createLost() : createError('ERR_TELAR_DEADLOCK', 'Mutex')
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
    if (this.#guard === null && this.#word.isMine) throw this.#createLost()
    const isTaken = await this.#word.takeAsync(limits, this.#guard === null, () => { this.#guard = guard })
    if (!isTaken) throw createTimeout('Mutex.lock()', limits)
    return guard
  }

  tryLock () {
    const guard = new MutexGuard(this)
    if (Atomics.compareExchange(this.#words, kState, 0, this.#thread) !== 0 && !this.#word.tryTake()) return null
    this.#guard = guard
    return guard
  }

  // Whichever task of this thread holds it.
  unlock () {
    if (this.#guard === null) throw createError('ERR_TELAR_NOT_HELD', 'Mutex')
    this.#unlock()
  }

  #unlock () {
    this.#guard = null
    if (Atomics.compareExchange(this.#words, kState, this.#thread, 0) !== this.#thread) this.#word.release()
  }

  #createLost () {
    return createCorrupt('Mutex', 'an owner that holds it', 'this thread, which does not')
  }
}

module.exports = { Mutex, MutexGuard, kGuard, releaseFor, retake, retakeSync }
