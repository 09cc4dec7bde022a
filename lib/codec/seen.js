'use strict'

const { Array, Map, Math, Set, Symbol } = require('../base/globals')

// The objects met so far in one value, numbered in order of encounter. A scan of a
// short array beats hashing up to about sixteen objects; most values have fewer. Beyond
// that a Set answers "is it new" with one look-up, and keeps the order; numbers are looked up
// in a Map that is made when the first object comes back.
const SCANNED = 16
// In a large value a look into the Set would take four times as long as all the rest: its table is
// in no cache. Most large values are trees, so after so many objects each further one is taken for
// new and only listed, and one question to the native library about the whole list tells afterwards
// whether that was right. If not, the value is encoded once more, with the Set to the end.
const HASHED = 1024
// How long the list is when it is first looked through, and by how much it grows from there to
// the next time: a cycle, or an object with many ways to it, must not be written without end.
const FIRST_CHECK = 8192
const CHECK_FACTOR = 16
// The list is in parts: one that grew would be copied, each time to memory that is new to the process.
const PART = 1024
// So many values with so many objects are encoded with the Set after one that needed it.
const EXACT_VALUES = 16

// Thrown where an object that was taken for new was not: the value has to be encoded again.
const REPEATED = Symbol('repeated')

// Loaded with the first large value. False, and for good, where the library cannot tell.
let hasRepeats = (...args) => {
  ({ hasRepeats } = require('../base/native'))
  return hasRepeats(...args)
}
let canList = true

class Seen {
  count = 0
  #objects = new Array(SCANNED).fill(undefined)
  #members = null
  #numbers = null
  // Those that truncate() may yet forget.
  #recent = null
  #marks = 0
  #refused = null
  // Those after the members of the Set, and how many they are.
  #list = null
  #part = null
  #listed = 0
  #checkAt = 0
  #exactLeft = 0

  // The number of an object met before, or -1 after remembering a new one.
  add (object) {
    const { count } = this
    const objects = this.#objects
    if (count >= SCANNED) return this.#list === null ? this.#addHashed(object) : this.#addListed(object)
    for (let i = 0; i < count; i++) {
      if (objects[i] === object) return i
    }
    objects[count] = object
    this.count = count + 1
    return -1
  }

  #addListed (object) {
    // An object that was in no Set has no hash, which is told without a look into the table.
    if (this.#members.has(object)) return this.#numberOf(object)
    const at = this.#listed % PART
    if (at === 0) this.#startPart()
    this.#part[at] = object
    this.count++
    if (++this.#listed === this.#checkAt) {
      this.#checkAt *= CHECK_FACTOR
      this.check()
    }
    return -1
  }

  #startPart () {
    this.#part = new Array(PART)
    this.#list[this.#listed / PART] = this.#part
  }

  // Throws REPEATED if an object that was taken for new was not. To be called when a value has
  // been written, or seems to have no end.
  check () {
    if (this.#listed === 0) return
    const answer = hasRepeats(this.#list, this.#listed, PART)
    if (answer === false) return
    canList = answer === true
    this.#exactLeft = EXACT_VALUES
    throw REPEATED
  }

  #addHashed (object) {
    if (this.#members === null) this.#members = new Set(this.#objects)
    const members = this.#members
    const { size } = members
    members.add(object)
    if (members.size === size) return this.#numberOf(object)
    if (this.#numbers !== null) this.#numbers.set(object, size)
    if (this.#recent !== null) this.#recent.push(object)
    this.count = size + 1
    if (this.count === HASHED && this.#exactLeft === 0 && canList) {
      this.#list = []
      this.#checkAt = FIRST_CHECK
    }
    return -1
  }

  #numberOf (object) {
    if (this.#numbers === null) {
      this.#numbers = new Map()
      for (const known of this.#members) this.#numbers.set(known, this.#numbers.size)
    }
    return this.#numbers.get(object)
  }

  // Before objects that truncate() may have to forget; release() afterwards. In pairs.
  mark () {
    this.#recent ??= []
    this.#marks++
    return this.count
  }

  release () {
    if (--this.#marks === 0) this.#recent = null
  }

  // Forgets the objects from `count` on, which is what mark() said: what led to them is not
  // encoded after all.
  truncate (count) {
    const hashed = this.count - this.#listed
    this.#listed = Math.max(0, Math.min(this.#listed, count - hashed))
    this.#part = this.#list?.[Math.floor(this.#listed / PART)] ?? null
    for (let left = hashed - Math.max(count, SCANNED); left > 0; left--) {
      const object = this.#recent.pop()
      this.#members.delete(object)
      this.#numbers?.delete(object)
    }
    this.#truncateScanned(count)
    this.count = count
  }

  // Remembers that something cannot be encoded: it may be met again, in each of many errors.
  refuse (value) {
    if (typeof value !== 'object' || value === null) return
    if (this.#refused === null) this.#refused = new Set()
    this.#refused.add(value)
  }

  isRefused (value) {
    return this.#refused !== null && this.#refused.has(value)
  }

  // For the next value.
  clear () {
    if (this.count > HASHED && this.#exactLeft > 0) this.#exactLeft--
    this.#list = this.#part = null
    this.#listed = 0
    this.#truncateScanned(0)
    this.count = 0
    this.#recent = null
    this.#marks = 0
    this.#refused = null
  }

  #truncateScanned (count) {
    const known = Math.min(this.count, SCANNED)
    if (count >= known) return
    for (let i = count; i < known; i++) this.#objects[i] = undefined
    this.#members = null
    this.#numbers = null
  }
}

module.exports = { REPEATED, Seen }
