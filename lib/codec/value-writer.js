'use strict'

const { Array, Object } = require('../base/globals')
const { types } = require('node:util')
const { hasHiddenState, isPlain } = require('./plain')
const tags = require('./tags')
const { Writer } = require('./writer')
const { Seen } = require('./seen')
const { ShapeTree, FIRST_ELEMENT } = require('./shape-tree')
const { keyBlockSize, writeKeyBlock } = require('./key-block')
const { keysBeyondIndices } = require('./array-keys')

const {
  UNDEFINED, NULL, FALSE, TRUE, HOLE, REF, OBJECT, ARRAY, ARRAY_PLUS, TAG_BITS, MAX_PAYLOAD
} = tags

const { isProxy } = types
const { getPrototypeOf, hasOwn, prototype: ObjectPrototype } = Object
const { isArray, prototype: ArrayPrototype } = Array

// Loaded with the first such object: most values have none, and a worker should start soon.
let writeExotic = (...args) => {
  ({ writeExotic } = require('./write-exotic'))
  return writeExotic(...args)
}

// Writes any value of the codec. `value()` says false when the platform must decide.
class ValueWriter extends Writer {
  seen = new Seen()
  #shapes = new ShapeTree()
  // Enumerable properties on Object.prototype: for-in would show them as the object's own.
  #polluted = false
  // Elements on a prototype of arrays: they would show in holes.
  #hasElementsAbove = false

  openValues (start) {
    this.open(start)
    // In case that the stack was too full to close the last time.
    this.close()
    this.#polluted = isPolluted()
    this.#hasElementsAbove = this.#polluted || ArrayPrototype.length !== 0
  }

  close () {
    this.seen.clear()
  }

  // A value, with the question whether each object in it was the one it was taken for.
  checked (value) {
    const isWritten = this.value(value)
    // What took all memory may have been an object that came again and again.
    if (isWritten || this.full) this.seen.check()
    return isWritten
  }

  // For the same value again, in the memory that it has by now.
  restart () {
    this.rewind()
    this.seen.clear()
  }

  value (value) {
    if (typeof value === 'string') return this.string(value)
    if (typeof value === 'number') return this.number(value)
    if (typeof value === 'object') return value === null ? this.word(NULL) : this.object(value)
    if (value === undefined) return this.word(UNDEFINED)
    if (value === true) return this.word(TRUE)
    if (value === false) return this.word(FALSE)
    if (typeof value === 'bigint') return this.bigint(value)
    return false
  }

  object (object) {
    // First of all: any other question to a proxy would run its traps.
    if (isProxy(object)) return false
    const prototype = getPrototypeOf(object)
    if (prototype === ObjectPrototype || prototype === null) {
      return isPlain(object, prototype) && this.#container(object, OBJECT)
    }
    if (prototype === ArrayPrototype && isArray(object)) return this.#container(object, ARRAY)
    return writeExotic(this, object, prototype)
  }

  #container (object, kind) {
    const known = this.seen.add(object)
    return known >= 0 ? this.word(known << TAG_BITS | REF) : this.contents(object, kind)
  }

  contents (object, kind) {
    if (!this.enter()) return false
    const done = kind === OBJECT ? this.properties(object) : this.#array(object)
    this.leave()
    return done
  }

  // The enumerable own properties, in for-in order, which is that of Object.keys without
  // its array.
  properties (object) {
    const write = this.#polluted ? null : this.#shapes.writerFor(object)
    return write === null ? this.#anyProperties(object) : write(this, object)
  }

  // A property of an object whose keys were known, where its writer has not written it. It is left to the platform
  // if an accessor has deleted it.
  property (object, key, value) {
    if (typeof value === 'string') return this.otherString(value)
    if (value === undefined && !hasOwn(object, key)) return false
    return this.value(value)
  }

  // A property that an accessor deletes on the way is left out, as it should.
  #anyProperties (object) {
    if (!this.reserve(3)) return false
    const head = this.pos - this.base
    this.pos += 3
    const shapes = this.#shapes
    let node = shapes.root
    // The keys by name, once they leave the shapes that are worth knowing.
    let keys = null
    let count = 0
    let isElement = false
    for (const key in object) {
      if (this.#polluted && !hasOwn(object, key)) continue
      if (count === 0) isElement = key === FIRST_ELEMENT
      if (node !== null) {
        const next = node.lastKey === key ? node.lastNode : shapes.step(node, key)
        if (next === null) {
          keys = node.keys()
          keys.push(key)
        }
        node = next
      } else {
        keys.push(key)
      }
      count++
      if (!this.value(object[key])) return false
    }
    if ((count === 0 || isElement) && hasHiddenState(object)) return false
    return this.#finishProperties(head, count, node, keys)
  }

  // The key block after the values, and the header that was left open before them.
  #finishProperties (head, count, node, keys) {
    if (count > MAX_PAYLOAD) return false
    const valuesLength = this.pos - this.base - head - 3
    const block = node === null ? null : this.#shapes.pack(node)
    let hash = 0
    if (block !== null) {
      const length = block.length
      if (!this.reserve(length)) return false
      const words = this.words
      const pos = this.pos
      for (let i = 0; i < length; i++) words[pos + i] = block[i]
      this.pos = pos + length
      hash = node.hash
    } else if (!this.#keys(keys === null ? node.keys() : keys)) {
      return false
    }
    const words = this.words
    const at = this.base + head
    words[at] = count << TAG_BITS | OBJECT
    words[at + 1] = hash
    words[at + 2] = valuesLength
    return true
  }

  #keys (keys) {
    const count = (keyBlockSize(keys) + 3) >>> 2
    if (!this.reserve(count)) return false
    const end = this.pos + count
    if (count > 0) this.words[end - 1] = 0
    writeKeyBlock(keys, this.buffer, this.pos * 4)
    this.pos = end
    return true
  }

  #array (array) {
    const length = array.length
    if (length > MAX_PAYLOAD) return false
    const extras = keysBeyondIndices(array, length)
    if (extras === null) return false
    const head = length << TAG_BITS | (extras.length === 0 ? ARRAY : ARRAY_PLUS)
    if (!this.reserve(1 + length)) return false
    this.words[this.pos++] = head
    const isCareful = this.#hasElementsAbove
    for (let i = 0; i < length; i++) {
      const element = isCareful && !hasOwn(array, i) ? undefined : array[i]
      // Asked here as well: by way of value() an array of numbers takes a third longer.
      if (typeof element === 'number') {
        if (!this.number(element)) return false
      } else if (element === undefined && !hasOwn(array, i)) {
        if (!this.word(HOLE)) return false
      } else if (!this.value(element)) {
        return false
      }
    }
    return extras.length === 0 || this.#extras(array, extras)
  }

  // As an object of its own, which takes a number at both ends.
  #extras (array, keys) {
    const object = Object.create(null)
    for (const key of keys) {
      if (hasOwn(array, key)) object[key] = array[key]
    }
    this.seen.add(object)
    return this.properties(object)
  }
}

// Asked of an empty object: for-in over the prototype itself takes microseconds.
const empty = {}

function isPolluted () {
  let polluted = false
  for (const key in empty) polluted = key !== undefined
  return polluted
}

module.exports = { ValueWriter }
