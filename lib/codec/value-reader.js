'use strict'

const { Array, Math, Object, Symbol } = require('../base/globals')
const tags = require('./tags')
const { setOwn } = require('../base/own')
const { Reader } = require('./reader')
const { ShapeCache } = require('./shape-cache')
const { readKeyBlock } = require('./key-block')
const { readRun } = require('./text-run')

const {
  kTagBits, kTagMask, kMaxDepth, kUndefined, kNull, kFalse, kTrue, kHole, kSmallInt, kInt32,
  kDouble, kBigInt64, kBigIntHex, kLatin1, kUtf16, kRef, kObject, kArray, kArrayPlus,
  kEscape, kKindMask
} = tags
const { kTextRun } = tags.kinds

const { keys: keysOf } = Object

// The first objects of a value are kept, since a later part of the value may refer to them. The
// objects after those are kept only once a value has referred to one. Most large values do not, and
// keeping all their objects takes as much time as making them: each time that the list grows, it
// moves to memory that is new to the process.
const kKeptObjects = 1024
// After a value that had to keep all its objects, this many values with more than kKeptObjects
// objects keep all of theirs.
const kKeepingValues = 16

// Thrown at a reference to an object that was not kept: the value has to be decoded again.
const kNotKept = Symbol('not kept')

// Loaded with the first object that needs it, like its counterpart in the encoder.
let readExotic = (...args) => {
  ({ readExotic } = require('./read-exotic'))
  return readExotic(...args)
}

// Reads any value of the codec.
class ValueReader extends Reader {
  #shapes = new ShapeCache()
  // The objects of this value, numbered as the encoder numbered them.
  #objects = new Array(kKeptObjects).fill(undefined)
  #count = 0
  // Of the object that was begun last.
  #number = 0
  // How many objects are kept at most.
  #maxKept = kKeptObjects
  #keepingLeft = 0
  #depth = 0

  close () {
    if (this.#count > kKeptObjects && this.#maxKept > kKeptObjects) {
      this.#objects = new Array(kKeptObjects).fill(undefined)
      if (--this.#keepingLeft === 0) this.#maxKept = kKeptObjects
    } else {
      const kept = Math.min(this.#count, kKeptObjects)
      for (let i = 0; i < kept; i++) this.#objects[i] = undefined
    }
    this.#count = 0
    this.#depth = 0
  }

  // After kNotKept.
  keepAll () {
    this.close()
    this.#maxKept = Infinity
    this.#keepingLeft = kKeepingValues
  }

  // Gives an object its number. To be called before its parts are read, since they may refer to it.
  remember (object) {
    if (this.#count < this.#maxKept) this.#objects[this.#count] = object
    this.#count++
  }

  // To be called by the function that reads an object whose parts may refer to it: after the object
  // was made, before its parts are read.
  begin (object) {
    this.#keep(this.#number, object)
  }

  value () {
    const { pos } = this
    if (pos >= this.end) this.fail('a value', 'the end')
    const word = this.words[pos]
    this.pos = pos + 1
    switch (word & kTagMask) {
      case kUndefined: return undefined
      case kNull: return null
      case kFalse: return false
      case kTrue: return true
      case kSmallInt: return word >> kTagBits
      case kInt32: return this.word()
      case kDouble: return this.double()
      case kLatin1: return this.latin1(word >>> kTagBits)
      case kUtf16: return this.utf16(word >>> kTagBits)
      case kBigInt64: return this.bigint64()
      case kBigIntHex: return this.bigintHex(word >>> (kTagBits + 1), (word >>> kTagBits & 1) === 1)
      case kRef: return this.#reference(word >>> kTagBits)
      default: return this.#nested(word)
    }
  }

  string (expected) {
    const string = this.value()
    if (typeof string !== 'string') this.fail(expected, `a value of type ${typeof string}`)
    return string
  }

  #reference (number) {
    if (number >= this.#maxKept && number < this.#count) throw kNotKept
    const object = number < this.#count ? this.#objects[number] : undefined
    if (object === undefined) {
      this.fail('a reference to an earlier object', `number ${number} of ${this.#count}`)
    }
    return object
  }

  #nested (word) {
    // Two more than the encoder, which does not count a view and its buffer.
    if (++this.#depth > kMaxDepth + 2) this.fail(`at most ${kMaxDepth} levels`, 'more')
    const payload = word >>> kTagBits
    let value
    switch (word & kTagMask) {
      case kObject: value = this.#object(payload); break
      case kArray: value = this.#array(payload); break
      case kArrayPlus: value = this.#arrayPlus(payload); break
      default: value = this.#exotic(word & kTagMask, payload)
    }
    this.#depth--
    return value
  }

  // Numbers the object before its parts are read, as the encoder does, whatever its kind.
  #exotic (tag, payload) {
    const number = this.#number = this.#count
    this.remember(undefined)
    const object = readExotic(this, tag, payload)
    this.#keep(number, object)
    return object
  }

  #keep (number, object) {
    if (number < this.#maxKept) this.#objects[number] = object
  }

  #object (count) {
    const hash = this.word()
    const length = this.word()
    const { end } = this
    if (length < count || length > end - this.pos) {
      this.fail('the length of the values', `${length}`)
    }
    const block = this.pos + length
    let shape = null
    let keys = null
    let next
    if (hash !== 0 && (shape = this.#shapes.find(hash, count, this.words, block, end)) !== null) {
      next = block + shape.words.length
      keys = shape.keys
    } else {
      const list = readKeyBlock(count, this.buffer, block * 4, end * 4)
      if (list === null) this.fail(`a block of ${count} keys`, 'one that runs past the end')
      keys = list.keys
      next = (list.offset + 3) >>> 2
      if (hash !== 0) this.#shapes.add(hash, keys, list.offset - block * 4)
    }
    // The values must not reach into the key block, which has been read already: no word of the
    // payload is read as two things.
    this.end = block
    const object = shape !== null && shape.build !== null ? shape.build(this) : this.#byKey(keys)
    if (this.pos !== block) this.fail('the keys of an object', 'more values')
    this.end = end
    this.pos = next
    return object
  }

  #byKey (keys) {
    const object = {}
    this.remember(object)
    for (let i = 0; i < keys.length; i++) setProperty(object, keys[i], this.value())
    return object
  }

  #array (length) {
    // An element takes a word at least.
    const left = this.end - this.pos
    if (length > left) this.fail(`${length} elements`, `${left} words`)
    const array = new Array(length)
    this.remember(array)
    for (let i = 0; i < length; i++) {
      const word = this.pos < this.end ? this.words[this.pos] : 0
      if (word === kHole) this.pos++
      else if ((word & kTagMask) === kEscape) i += this.#run(array, i, length - i) - 1
      else array[i] = this.value()
    }
    return array
  }

  #run (array, index, most) {
    const payload = this.word() >>> kTagBits
    if ((payload & kKindMask) !== kTextRun) {
      this.fail('elements of an array', `kind ${payload & kKindMask}`)
    }
    return readRun(this, payload, array, index, most)
  }

  #arrayPlus (length) {
    const array = this.#array(length)
    const extras = this.value()
    if (typeof extras !== 'object' || extras === null) {
      this.fail('the properties of an array', `a value of type ${typeof extras}`)
    }
    for (const key of keysOf(extras)) setProperty(array, key, extras[key])
    return array
  }
}

// An assignment is faster, but only safe where no prototype has the key: that may be a setter.
function setProperty (object, key, value) {
  if (key in object) setOwn(object, key, value)
  else object[key] = value
}

module.exports = { kNotKept, ValueReader }
