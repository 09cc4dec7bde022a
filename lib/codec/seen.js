'use strict'

const { Array, Map, Math, Set, Symbol } = require('../base/globals')

// The objects met so far in one value, numbered in order of encounter. Up to about sixteen objects,
// scanning a short array is faster than hashing; most values have fewer. Beyond that a Set tells
// with one lookup whether an object is new, and keeps the order. The numbers are in a Map, which is
// made when the first object is met again.
const kScanned = 16
// In a large value the lookups in the Set would take four times as long as all the rest, because
// its table fits in no cache. Most large values are trees. So after this many objects each further
// object is assumed to be new and only put on a list. Afterwards one call of the native library
// checks whether the list holds an object twice. If it does, the value is encoded once more, with
// the Set for all its objects.
const kHashed = 1024
// The length of the list at the first check, and the factor by which it grows until each further
// check. Without these checks a cycle would be written forever, and an object that is reached on
// many paths would be written for each of them.
const kFirstCheck = 8192
const kCheckFactor = 16
// The list consists of parts. A single array would be copied each time it grows, to memory that is
// new to the process.
const kPartLength = 1024
// After a large value that needed the Set, this many large values are encoded with it.
const kExactValues = 16

// Thrown when an object that was assumed to be new turns out to be a repeated one: the value has to
// be encoded again.
const kRepeated = Symbol('repeated')

// Loaded with the first large value.
let hasRepeats = (...args) => {
  ({ hasRepeats } = require('../base/native'))
  return hasRepeats(...args)
}
// False once the native library could not tell: then values are encoded with the Set only.
let canList = true

class Seen {
  count = 0
  #objects = new Array(kScanned).fill(undefined)
  #members = null
  #numbers = null
  // Objects that truncate() may still have to forget.
  #recent = null
  #marks = 0
  #refused = null
  // The objects after those in the Set, and their number.
  #list = null
  #part = null
  #listed = 0
  #checkAt = 0
  #exactLeft = 0

  // The number of an object that was met before, or -1 for a new one, which is remembered.
  add (object) {
    const { count } = this
    const objects = this.#objects
    if (count >= kScanned) {
      return this.#list === null ? this.#addHashed(object) : this.#addListed(object)
    }
    for (let i = 0; i < count; i++) {
      if (objects[i] === object) return i
    }
    objects[count] = object
    this.count = count + 1
    return -1
  }

  #addListed (object) {
    // Cheap for most objects: one that was never in a Set has no hash, so V8 does not search the
    // table.
    if (this.#members.has(object)) return this.#numberOf(object)
    const at = this.#listed % kPartLength
    if (at === 0) this.#startPart()
    this.#part[at] = object
    this.count++
    if (++this.#listed === this.#checkAt) {
      this.#checkAt *= kCheckFactor
      this.check()
    }
    return -1
  }

  #startPart () {
    this.#part = new Array(kPartLength)
    this.#list[this.#listed / kPartLength] = this.#part
  }

  // Throws kRepeated if the list holds an object twice. To be called when a value has been written,
  // or when its size suggests a cycle.
  check () {
    if (this.#listed === 0) return
    const answer = hasRepeats(this.#list, this.#listed, kPartLength)
    if (answer === false) return
    canList = answer === true
    this.#exactLeft = kExactValues
    throw kRepeated
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
    if (this.count === kHashed && this.#exactLeft === 0 && canList) {
      this.#list = []
      this.#checkAt = kFirstCheck
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

  // To be called before objects that truncate() may have to forget, and release() after them. In
  // pairs.
  mark () {
    this.#recent ??= []
    this.#marks++
    return this.count
  }

  release () {
    if (--this.#marks === 0) this.#recent = null
  }

  // Forgets the objects from `count` on, a number that mark() returned: the property that led to
  // them is not encoded after all.
  truncate (count) {
    const hashed = this.count - this.#listed
    this.#listed = Math.max(0, Math.min(this.#listed, count - hashed))
    this.#part = this.#list?.[Math.floor(this.#listed / kPartLength)] ?? null
    for (let left = hashed - Math.max(count, kScanned); left > 0; left--) {
      const object = this.#recent.pop()
      this.#members.delete(object)
      this.#numbers?.delete(object)
    }
    this.#truncateScanned(count)
    this.count = count
  }

  // Remembers that an object cannot be encoded: many errors of one value may have it as a property.
  refuse (value) {
    if (typeof value !== 'object' || value === null) return
    if (this.#refused === null) this.#refused = new Set()
    this.#refused.add(value)
  }

  isRefused (value) {
    return this.#refused !== null && this.#refused.has(value)
  }

  // Prepares for the next value.
  clear () {
    if (this.count > kHashed && this.#exactLeft > 0) this.#exactLeft--
    this.#list = this.#part = null
    this.#listed = 0
    this.#truncateScanned(0)
    this.count = 0
    this.#recent = null
    this.#marks = 0
    this.#refused = null
  }

  #truncateScanned (count) {
    const known = Math.min(this.count, kScanned)
    if (count >= known) return
    for (let i = count; i < known; i++) this.#objects[i] = undefined
    this.#members = null
    this.#numbers = null
  }
}

module.exports = { kRepeated, Seen }
