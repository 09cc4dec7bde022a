'use strict'

const { Atomics } = require('../base/globals')
const { createError } = require('../base/errors')
const { from, share } = require('../shared/registry')
const { checkFunction } = require('./check')
const { createTimeout, readLimits } = require('../base/limits')
const { createCorrupt, kState, open } = require('./memory')
const { OwnedWord } = require('./owned-word')

const kDone = kState + 8
const kInterrupted = kState + 9

// A lock, and a word that says whether the function has run.
class Once {
  #words
  #word
  #isRunning = false // in this thread

  constructor (received) {
    const { data, words } = open('Once', received)
    const onOwnerEnded = () => Atomics.store(words, kInterrupted, 1)
    this.#words = words
    this.#word = new OwnedWord('Once', words, kState, onOwnerEnded)
    share(this, 'Once', data)
  }

  static from (received) { return from(Once, 'Once', received) }

  get isDone () {
    const done = Atomics.load(this.#words, kDone)
    if (done !== 0 && done !== 1) throw createCorrupt('Once', '0 or 1', done)
    return done === 1
  }

  runSync (run, options) {
    checkFunction(run, 'run')
    const limits = readLimits(options)
    if (this.isDone) return false
    if (this.#word.isOwn) throw createError('ERR_TELAR_DEADLOCK', 'Once')
    if (!this.#word.takeSync(limits, true)) throw createTimeout('Once.runSync()', limits)
    return this.#runHeld(run)
  }

  async run (run, options) {
    checkFunction(run, 'run')
    const limits = readLimits(options)
    if (this.isDone) return false
    const onTaken = () => { this.#isRunning = true }
    const isTaken = await this.#word.takeAsync(limits, !this.#isRunning, onTaken)
    if (!isTaken) throw createTimeout('Once.run()', limits)
    try {
      if (this.isDone) return false
      await run(this.#isInterrupted)
      this.#finish()
      return true
    } finally {
      this.#release()
    }
  }

  tryRun (run) {
    checkFunction(run, 'run')
    if (this.isDone || !this.#word.tryTake()) return false
    return this.#runHeld(run)
  }

  #runHeld (run) {
    this.#isRunning = true
    try {
      if (this.isDone) return false
      run(this.#isInterrupted)
      this.#finish()
      return true
    } finally {
      this.#release()
    }
  }

  // Whether a thread was ended in the middle of an earlier run.
  get #isInterrupted () { return Atomics.load(this.#words, kInterrupted) !== 0 }

  #finish () {
    Atomics.store(this.#words, kDone, 1)
  }

  #release () {
    this.#isRunning = false
    this.#word.release()
  }
}

module.exports = { Once }
