'use strict'

const tags = require('./tags')
const { Reader } = require('./reader')
const { ShapeCache } = require('./shape-cache')
const { readKeyBlock } = require('./key-block')

const {
  TAG_BITS, TAG_MASK, MAX_DEPTH, UNDEFINED, NULL, FALSE, TRUE, HOLE, SMALL_INT, INT32, DOUBLE, BIGINT64, BIGINT_HEX,
  LATIN1, UTF16, REF, OBJECT, ARRAY, ARRAY_PLUS
} = tags

const { defineProperty, keys: keysOf } = Object

// A few references are kept in place from one value to the next; more are let go.
const KEPT = 64

// Loaded with the first object that needs it, as at the encoder's end.
let readExotic = (...args) => {
  ({ readExotic } = require('./read-exotic'))
  return readExotic(...args)
}

// Reads any value of the codec.
class ValueReader extends Reader {
  #shapes = new ShapeCache()
  // The objects of this value, numbered as the encoder numbered them.
  #objects = new Array(KEPT).fill(undefined)
  #count = 0
  #depth = 0

  close () {
    if (this.#count > KEPT) this.#objects = new Array(KEPT).fill(undefined)
    else for (let i = 0; i < this.#count; i++) this.#objects[i] = undefined
    this.#count = 0
    this.#depth = 0
  }

  // Gives an object its number: before its parts are read, since they may refer to it.
  remember (object) {
    this.#objects[this.#count++] = object
  }

  // Takes the number of an object that can be made only after a part of it.
  reserveNumber () {
    this.remember(undefined)
    return this.#count - 1
  }

  fulfil (number, object) {
    this.#objects[number] = object
  }

  value () {
    const { pos } = this
    if (pos >= this.end) this.fail('a value', 'the end')
    const word = this.words[pos]
    this.pos = pos + 1
    switch (word & TAG_MASK) {
      case UNDEFINED: return undefined
      case NULL: return null
      case FALSE: return false
      case TRUE: return true
      case SMALL_INT: return word >> TAG_BITS
      case INT32: return this.word()
      case DOUBLE: return this.double()
      case LATIN1: return this.latin1(word >>> TAG_BITS)
      case UTF16: return this.utf16(word >>> TAG_BITS)
      case BIGINT64: return this.bigint64()
      case BIGINT_HEX: return this.bigintHex(word >>> (TAG_BITS + 1), (word >>> TAG_BITS & 1) === 1)
      case REF: return this.#reference(word >>> TAG_BITS)
      default: return this.#nested(word)
    }
  }

  string (expected) {
    const string = this.value()
    if (typeof string !== 'string') this.fail(expected, `a value of type ${typeof string}`)
    return string
  }

  #reference (number) {
    const object = number < this.#count ? this.#objects[number] : undefined
    if (object === undefined) this.fail('a reference to an earlier object', `number ${number} of ${this.#count}`)
    return object
  }

  #nested (word) {
    // Two more: the encoder does not count a view and its buffer.
    if (++this.#depth > MAX_DEPTH + 2) this.fail(`at most ${MAX_DEPTH} levels`, 'more')
    const payload = word >>> TAG_BITS
    let value
    switch (word & TAG_MASK) {
      case OBJECT: value = this.#object(payload); break
      case ARRAY: value = this.#array(payload); break
      case ARRAY_PLUS: value = this.#arrayPlus(payload); break
      default: value = readExotic(this, word & TAG_MASK, payload)
    }
    this.#depth--
    return value
  }

  #object (count) {
    const hash = this.word()
    const length = this.word()
    const { end } = this
    if (length < count || length > end - this.pos) this.fail('the length of the values', `${length}`)
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
      if (hash !== 0) this.#shapes.add(hash, keys)
    }
    // The values must not reach into the key block: what is read once stays read once.
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
    for (let i = 0; i < keys.length; i++) setOwn(object, keys[i], this.value())
    return object
  }

  #array (length) {
    // An element takes a word at least.
    if (length > this.end - this.pos) this.fail(`${length} elements`, `${this.end - this.pos} words`)
    const array = new Array(length)
    this.remember(array)
    for (let i = 0; i < length; i++) {
      if (this.pos < this.end && this.words[this.pos] === HOLE) this.pos++
      else array[i] = this.value()
    }
    return array
  }

  #arrayPlus (length) {
    const array = this.#array(length)
    const extras = this.value()
    if (typeof extras !== 'object' || extras === null) this.fail('the properties of an array', `a value of type ${typeof extras}`)
    for (const key of keysOf(extras)) setOwn(array, key, extras[key])
    return array
  }
}

// As structured clone creates it: an own property, whatever the prototype says of the key.
function setOwn (object, key, value) {
  if (key in object) defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  else object[key] = value
}

module.exports = { ValueReader }
