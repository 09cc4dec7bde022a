'use strict'

// The objects met so far in one value, numbered in order of encounter. A scan of a
// short array beats hashing up to about sixteen objects; most values have fewer. Beyond
// that a Set answers "is it new" with one look-up, and numbers are looked up in a Map
// that is made when the first object comes back.
const SCANNED = 16

class Seen {
  count = 0
  #objects = new Array(SCANNED).fill(undefined)
  #members = null
  #numbers = null

  // The number of an object met before, or -1 after remembering a new one.
  add (object) {
    const { count } = this
    const objects = this.#objects
    if (count >= SCANNED) return this.#addHashed(object)
    for (let i = 0; i < count; i++) {
      if (objects[i] === object) return i
    }
    objects[count] = object
    this.count = count + 1
    return -1
  }

  #addHashed (object) {
    const objects = this.#objects
    if (this.#members === null) this.#members = new Set(objects)
    const members = this.#members
    const { size } = members
    members.add(object)
    if (members.size === size) return this.#numberOf(object)
    if (this.#numbers !== null) this.#numbers.set(object, this.count)
    objects.push(object)
    this.count++
    return -1
  }

  #numberOf (object) {
    if (this.#numbers === null) this.#numbers = new Map(this.#objects.map((known, number) => [known, number]))
    return this.#numbers.get(object)
  }

  // Forgets the objects from `count` on: what led to them is not encoded after all.
  truncate (count) {
    const objects = this.#objects
    for (let i = count; i < this.count; i++) {
      if (i < SCANNED) objects[i] = undefined
      else if (count > SCANNED) this.#members.delete(objects[i])
    }
    if (this.count > SCANNED) objects.length = Math.max(count, SCANNED)
    this.count = count
    if (count <= SCANNED) this.#members = null
    this.#numbers = null
  }
}

module.exports = { Seen }
