'use strict'

// The rivals of bench/sync.js: what is locked, and how, under one face: { lock(), unlock() }.

const { Mutex } = require('..')

/** The mutex of Drepper's "Futexes are tricky": 0 free, 1 locked, 2 locked and one may wait. */
class FutexMutex {
  constructor (memory) {
    this.words = new Int32Array(memory)
  }

  lock () {
    const { words } = this
    let state = Atomics.compareExchange(words, 0, 0, 1)
    if (state === 0) return
    if (state !== 2) state = Atomics.exchange(words, 0, 2)
    while (state !== 0) {
      Atomics.wait(words, 0, 2)
      state = Atomics.exchange(words, 0, 2)
    }
  }

  unlock () {
    const { words } = this
    if (Atomics.sub(words, 0, 1) === 1) return
    Atomics.store(words, 0, 0)
    Atomics.notify(words, 0, 1)
  }
}

/** As most tutorials have it: two states, and a notification at each unlock. */
class TutorialMutex {
  constructor (memory) {
    this.words = new Int32Array(memory)
  }

  lock () {
    while (Atomics.compareExchange(this.words, 0, 0, 1) !== 0) Atomics.wait(this.words, 0, 1)
  }

  unlock () {
    Atomics.store(this.words, 0, 0)
    Atomics.notify(this.words, 0, 1)
  }
}

class TelarMutex {
  #mutex
  #guard

  constructor (received) {
    this.#mutex = Mutex.from(received)
  }

  lock () {
    this.#guard = this.#mutex.lockSync()
  }

  unlock () {
    this.#guard.unlock()
  }
}

const kBytes = 192 // as much as telar takes, so that nothing else lies on the cache line

/** `make()` gives what is sent to the threads; `open(made)` the lock in each of them. */
const locks = {
  telar: { make: () => new Mutex(), open: (made) => new TelarMutex(made) },
  futex: { make: () => new SharedArrayBuffer(kBytes), open: (made) => new FutexMutex(made) },
  tutorial: { make: () => new SharedArrayBuffer(kBytes), open: (made) => new TutorialMutex(made) }
}

module.exports = { locks }
