'use strict'

/**
 * Counts the square roots of 0 … count-1 as they come back, in any order, and checks at the end
 * whether each came exactly once. A sum alone is not enough: if one root is lost and another comes
 * twice, the difference may be below the rounding error. The square of a root, rounded, is the
 * number whose root it is.
 */
class RootTally {
  #count
  #seen
  #received = 0
  #sum = 0
  // The rounding error of the sum so far (Kahan), so that the sum does not depend on the order.
  #lost = 0

  constructor (count) {
    this.#count = count
    this.#seen = new Uint8Array(Math.ceil(count / 8))
  }

  get received () {
    return this.#received
  }

  get sum () {
    return this.#sum
  }

  add (root) {
    const from = Math.round(root * root)
    if (Math.sqrt(from) !== root || from >= this.#count) {
      const wanted = `the square root of an integer below ${this.#count}`
      throw new Error(`Expected ${wanted}, received ${root}`)
    }
    const bit = 1 << (from & 7)
    if (this.#seen[from >> 3] & bit) {
      throw new Error(`The square root of ${from} came twice`)
    }
    this.#seen[from >> 3] |= bit
    this.#received++

    const term = root - this.#lost
    const sum = this.#sum + term
    this.#lost = (sum - this.#sum) - term
    this.#sum = sum
  }

  /** Throws unless all results came, and their sum is the one that this thread computes itself. */
  verify () {
    if (this.#received !== this.#count) {
      throw new Error(`Expected ${this.#count} results, received ${this.#received}`)
    }
    const reference = new RootTally(this.#count)
    for (let i = 0; i < this.#count; i++) reference.add(Math.sqrt(i))
    if (Math.abs(this.#sum - reference.sum) > reference.sum * 1e-12) {
      throw new Error(`Expected the sum ${reference.sum}, received ${this.#sum}`)
    }
  }
}

module.exports = { RootTally }
