'use strict'

const { Array, Object } = require('../base/globals')
const { types } = require('node:util')
const { hasHiddenState, isPlain } = require('./plain')
const tags = require('./tags')
const { Writer } = require('./writer')
const { Seen } = require('./seen')
const { ShapeTree, kFirstElement } = require('./shape-tree')
const { keyBlockSize, writeKeyBlock } = require('./key-block')
const { keysBeyondIndices } = require('./array-keys')
const { TextRun } = require('./text-run')

const {
  kUndefined, kNull, kFalse, kTrue, kHole, kRef, kObject, kArray, kArrayPlus, kTagBits, kMaxPayload
} = tags

const { isProxy } = types
const { getPrototypeOf, hasOwn, prototype: ObjectPrototype } = Object
const { isArray, prototype: ArrayPrototype } = Array

// Loaded with the first object that needs it: most values have none, and a worker should start
// quickly.
let writeExotic = (...args) => {
  ({ writeExotic } = require('./write-exotic'))
  return writeExotic(...args)
}

// Writes any value of the codec. The methods that write a value or a part of one return false when
// the value has to be left to the platform.
class ValueWriter extends Writer {
  seen = new Seen()
  #shapes = new ShapeTree()
  #run = new TextRun()
  // Object.prototype has enumerable properties: for-in lists them for every object.
  #isPolluted = false
  // A prototype of arrays has elements: they appear in the holes of arrays.
  #hasElementsAbove = false

  openValues (start) {
    this.open(start)
    this.#run.open()
    // Again, in case the stack overflowed before close() ran the last time.
    this.close()
    this.#isPolluted = isPolluted()
    this.#hasElementsAbove = this.#isPolluted || ArrayPrototype.length !== 0
  }

  close () {
    this.seen.clear()
  }

  // Writes a whole value. Throws kRepeated if an object was assumed to be new and was not.
  checked (value) {
    const isWritten = this.value(value)
    // If memory ran out, a repeated object that was written again and again may be the cause.
    if (isWritten || this.full) this.seen.check()
    return isWritten
  }

  // Prepares to write the same value again, in the memory that it has by now.
  restart () {
    this.rewind()
    this.seen.clear()
  }

  value (value) {
    if (typeof value === 'string') return this.string(value)
    if (typeof value === 'number') return this.number(value)
    if (typeof value === 'object') return value === null ? this.word(kNull) : this.object(value)
    if (value === undefined) return this.word(kUndefined)
    if (value === true) return this.word(kTrue)
    if (value === false) return this.word(kFalse)
    if (typeof value === 'bigint') return this.bigint(value)
    return false
  }

  object (object) {
    // Checked first: any other operation on a proxy would run its traps.
    if (isProxy(object)) return false
    const prototype = getPrototypeOf(object)
    if (prototype === ObjectPrototype || prototype === null) {
      return isPlain(object, prototype) && this.#container(object, kObject)
    }
    if (prototype === ArrayPrototype && isArray(object)) return this.#container(object, kArray)
    return writeExotic(this, object, prototype)
  }

  #container (object, kind) {
    const known = this.seen.add(object)
    return known >= 0 ? this.word(known << kTagBits | kRef) : this.contents(object, kind)
  }

  contents (object, kind) {
    if (!this.enter()) return false
    const done = kind === kObject ? this.properties(object) : this.#array(object)
    this.leave()
    return done
  }

  // Writes the enumerable own properties. They are listed by for-in, which has the same order as
  // Object.keys() and makes no array.
  properties (object) {
    const write = this.#isPolluted ? null : this.#shapes.writerFor(object)
    return write === null ? this.#anyProperties(object) : write(this, object)
  }

  // Called by a generated writer (object-code.js) for a property that it has not written itself. If
  // an accessor has deleted the property, the value is left to the platform.
  property (object, key, value) {
    if (typeof value === 'string') return this.otherString(value)
    if (value === undefined && !hasOwn(object, key)) return false
    return this.value(value)
  }

  // Writes the properties of an object of any shape. A property that an accessor deletes meanwhile
  // is left out, as structured clone does.
  #anyProperties (object) {
    if (!this.reserve(3)) return false
    const head = this.pos - this.base
    this.pos += 3
    const shapes = this.#shapes
    let node = shapes.root
    // The keys, once the shape tree does not take them.
    let keys = null
    let count = 0
    let isElement = false
    for (const key in object) {
      if (this.#isPolluted && !hasOwn(object, key)) continue
      if (count === 0) isElement = key === kFirstElement
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

  // Writes the key block after the values, then the header before them, for which room was left.
  #finishProperties (head, count, node, keys) {
    if (count > kMaxPayload) return false
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
    words[at] = count << kTagBits | kObject
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
    if (length > kMaxPayload) return false
    const extras = keysBeyondIndices(array, length)
    if (extras === null) return false
    const head = length << kTagBits | (extras.length === 0 ? kArray : kArrayPlus)
    if (!this.reserve(1 + length)) return false
    this.words[this.pos++] = head
    for (let i = 0; i < length; i++) {
      const element = this.#element(array, i)
      // Numbers and strings are handled here too: through value(), an array of numbers takes a
      // third longer.
      if (typeof element === 'number') {
        if (!this.number(element)) return false
      } else if (typeof element === 'string') {
        if (!this.#run.mayBegin(this, element, length - i)) {
          if (!this.string(element)) return false
        } else if ((i = this.#texts(array, i, length, element)) < 0) {
          return false
        }
      } else if (!this.#other(array, i, element)) {
        return false
      }
    }
    return extras.length === 0 || this.#extras(array, extras)
  }

  #element (array, index) {
    return this.#hasElementsAbove && !hasOwn(array, index) ? undefined : array[index]
  }

  #other (array, index, element) {
    if (element === undefined && !hasOwn(array, index)) return this.word(kHole)
    return this.value(element)
  }

  // Writes the strings from array[index] on, as many as a run takes, and the element that ends
  // them, since an accessor may have given it. Returns the index of the last one, or -1 if the
  // value has to be left to the platform.
  #texts (array, index, length, text) {
    const run = this.#run
    let element = text
    run.begin(text, length - index)
    do {
      run.add(element)
      if (++index === length || run.isFull) return run.write(this) ? index - 1 : -1
      element = this.#element(array, index)
    } while (typeof element === 'string')
    return run.write(this) && this.#other(array, index, element) ? index : -1
  }

  // Writes the named properties of an array as an object of its own, which both sides number.
  #extras (array, keys) {
    const object = Object.create(null)
    for (const key of keys) {
      if (hasOwn(array, key)) object[key] = array[key]
    }
    this.seen.add(object)
    return this.properties(object)
  }
}

// Whether Object.prototype has enumerable properties. Tested with an empty object: for-in over the
// prototype itself takes microseconds.
const empty = {}

function isPolluted () {
  let polluted = false
  for (const key in empty) polluted = key !== undefined
  return polluted
}

module.exports = { ValueWriter }
