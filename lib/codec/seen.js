'use strict'

// The objects met so far in one value, numbered in order of encounter. A scan of a
// short array beats a Map up to about sixteen objects; most values have fewer.
const SCANNED = 16

class Seen {
  #objects = new Array(SCANNED).fill(undefined)
  #count = 0
  #index = new Map()

  // The number of an object met before, or -1 after remembering a new one.
  add (object) {
    const count = this.#count
    const objects = this.#objects
    if (count <= SCANNED) {
      for (let i = 0; i < count; i++) {
        if (objects[i] === object) return i
      }
      if (count === SCANNED) this.#spill()
    } else {
      const known = this.#index.get(object)
      if (known !== undefined) return known
    }
    if (count >= SCANNED) this.#index.set(object, count)
    objects[count] = object
    this.#count = count + 1
    return -1
  }

  get count () {
    return this.#count
  }

  // Forgets the objects from `count` on: what led to them is not encoded after all.
  truncate (count) {
    for (let i = count; i < this.#count; i++) {
      if (this.#count > SCANNED) this.#index.delete(this.#objects[i])
      this.#objects[i] = undefined
    }
    this.#count = count
    // Below the threshold the scan answers, and a later spill starts from nothing.
    if (count <= SCANNED && this.#index.size !== 0) this.#index.clear()
    if (this.#objects.length > SCANNED) this.#objects.length = Math.max(count, SCANNED)
  }

  clear () {
    if (this.#count !== 0) this.truncate(0)
  }

  #spill () {
    for (let i = 0; i < SCANNED; i++) this.#index.set(this.#objects[i], i)
  }
}

module.exports = { Seen }
