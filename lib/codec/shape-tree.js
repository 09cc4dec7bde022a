'use strict'

const { Array, Map } = require('../base/globals')
const { packKeys, hashWords } = require('./key-block')
const { MadeFunctions, makeWriter, USES_BEFORE_CODE } = require('./object-code')

// What the encoder knows about key lists it has met: a tree whose path from the root
// spells the keys of an object in order. Its end holds the packed keys, so the
// keys of a repeated shape cost one comparison each and one copy of a few words.
//
// The tree is bounded, and objects used as dictionaries (new keys each time) must not
// pay for it: each new node costs a credit, each object of a known shape earns one back.

const MAX_KEYS = 64
const MAX_BLOCK_WORDS = 256
// What the tree takes, in bytes: some 5000 keys of usual length.
const MAX_BYTES = 2 * 1024 * 1024
// What a node takes besides its key, and a block besides its words, about.
const NODE_BYTES = 384
const BLOCK_BYTES = 192
const INITIAL_CREDIT = 512
const MAX_CREDIT = 2048

// The first key of an array-like object, and of a typed array whose prototype was replaced.
const FIRST_ELEMENT = '0'

// A string too, so that comparing keys stays a comparison of strings. Met as a key, it is
// only not remembered.
const NO_KEY = '\0'

// With the keys of a shape, and what is not a key behind them.
class Shape {
  keys
  write

  constructor (keys, write) {
    this.keys = [...keys, undefined]
    this.write = write
  }
}

const NO_SHAPE = new Shape([], null)

class Node {
  // Two of the steps taken last, before the Map of all steps is asked: objects within
  // objects take turns at the root.
  lastKey = NO_KEY
  lastNode = null
  otherKey = NO_KEY
  otherNode = null
  steps = null
  parent = null
  key = undefined
  depth = 0
  // Bytes of the block of the keys so far, at least.
  blockBytes = 0
  words = null
  hash = 0
  // How to write an object with these keys, once they have shown to be common.
  shape = null
  uses = 0
  // Of a first key: the shape that was met last of those that begin with it.
  likely = NO_SHAPE

  constructor (parent, key) {
    if (parent === null) return
    this.parent = parent
    this.key = key
    this.depth = parent.depth + 1
    this.blockBytes = parent.blockBytes + 1 + key.length
  }

  keys () {
    const keys = new Array(this.depth)
    for (let node = this; node.parent !== null; node = node.parent) keys[node.depth - 1] = node.key
    return keys
  }
}

class ShapeTree {
  root = new Node(null, '')
  #bytes = 0
  #credit = INITIAL_CREDIT
  #writers = new MadeFunctions()
  // One of its shapes has a writer.
  #hasWriters = false
  // The shape that was met last.
  #last = NO_SHAPE

  // The function that writes an object with the keys of this one, or null.
  writerFor (object) {
    if (!this.#hasWriters) return null
    let shape = this.#last
    let { keys } = shape
    let count = 0
    for (const key in object) {
      if (keys[count] !== key) {
        if (count !== 0) return this.#findWriter(object)
        shape = this.#first(key).likely
        keys = shape.keys
        if (keys[0] !== key) return this.#findWriter(object)
      }
      count++
    }
    if (keys[count] !== undefined) return this.#findWriter(object)
    this.#last = shape
    this.#earn()
    return shape.write
  }

  #first (key) {
    const { root } = this
    return root.lastKey === key ? root.lastNode : this.step(root, key) ?? root
  }

  // The same, where what was likely is not so.
  #findWriter (object) {
    let node = this.root
    let first = null
    for (const key in object) {
      node = node.lastKey === key ? node.lastNode : this.step(node, key)
      if (node === null) return null
      first ??= node
    }
    if (node.shape === null) return null
    this.#last = first.likely = node.shape
    this.#earn()
    return node.shape.write
  }

  // The node after `node` for a key that is not its last one; null: not worth knowing.
  step (node, key) {
    if (node.otherKey === key) return node.otherNode
    let next = node.steps === null ? undefined : node.steps.get(key)
    if (next === undefined) {
      if (this.#credit === 0 || node.depth === MAX_KEYS) return null
      if (node.blockBytes + key.length >= 4 * MAX_BLOCK_WORDS) return null
      this.#credit--
      this.#spend(NODE_BYTES + 2 * key.length)
      next = new Node(node, key)
      if (node.steps === null) node.steps = new Map()
      node.steps.set(key, next)
    }
    node.otherKey = node.lastKey
    node.otherNode = node.lastNode
    node.lastKey = key
    node.lastNode = next
    return next
  }

  // The packed keys that end at this node, or null when too long to be kept.
  pack (node) {
    if (node.words !== null) {
      this.#earn()
      this.#promote(node)
      return node.words
    }
    const words = packKeys(node.keys())
    if (words.length > MAX_BLOCK_WORDS) return null
    this.#spend(BLOCK_BYTES + 4 * words.length)
    node.hash = hashWords(words, node.depth)
    node.words = words
    return words
  }

  // Starts anew when all is spent; a path under way ends in the old tree and is dropped with it.
  #spend (bytes) {
    this.#bytes += bytes
    if (this.#bytes <= MAX_BYTES) return
    this.root = new Node(null, '')
    this.#last = NO_SHAPE
    this.#bytes = bytes
    this.#hasWriters = false
  }

  #earn () {
    if (this.#credit < MAX_CREDIT) this.#credit++
  }

  #promote (node) {
    // An object without keys is looked at more closely, and so is one with elements.
    if (node.depth === 0 || ++node.uses !== USES_BEFORE_CODE) return
    const keys = node.keys()
    if (keys[0] === FIRST_ELEMENT) return
    const write = this.#writers.get(node.hash, node.words, node.depth, () => makeWriter(keys, node.words, node.hash))
    if (write === null) return
    node.shape = new Shape(keys, write)
    this.#hasWriters = true
  }
}

module.exports = { ShapeTree, FIRST_ELEMENT, MAX_KEYS, MAX_BLOCK_WORDS }
