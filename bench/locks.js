'use strict'

// The mutexes that bench/sync.js compares, all with the same interface: { lock(), unlock() }.

const { Mutex } = require('..')

/** The mutex of Drepper's "Futexes are tricky". 0: free; 1: locked; 2: locked, may have waiters. */
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

/** The mutex that most tutorials show: two states, and a notification at each unlock. */
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

const kBytes = 192 // as much as telar uses, so that nothing else is on the same cache line

/** `make()` returns what is sent to the threads. `open(made)` returns the lock in a thread. */
const locks = {
  telar: { make: () => new Mutex(), open: (made) => new TelarMutex(made) },
  futex: { make: () => new SharedArrayBuffer(kBytes), open: (made) => new FutexMutex(made) },
  tutorial: { make: () => new SharedArrayBuffer(kBytes), open: (made) => new TutorialMutex(made) }
}

module.exports = { locks }
