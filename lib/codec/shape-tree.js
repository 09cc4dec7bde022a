'use strict'

const { packKeys, hashWords } = require('./key-block')
const { makeWriter, USES_BEFORE_CODE, MAX_FUNCTIONS } = require('./object-code')

// What the encoder knows about key lists it has met: a tree whose path from the root
// spells the keys of an object in order. Its end holds the packed keys, so the
// keys of a repeated shape cost one comparison each and one copy of a few words.
//
// The tree is bounded, and objects used as dictionaries (new keys each time) must not
// pay for it: each new node costs a credit, each object of a known shape earns one back.

const MAX_KEYS = 64
const MAX_NODES = 4096
const INITIAL_CREDIT = 512
const MAX_CREDIT = 2048
const MAX_BLOCK_WORDS = 256

// A string too, so that comparing keys stays a comparison of strings. Met as a key, it is
// only not remembered.
const NO_KEY = '\0'

// With the keys of a shape, and what is not a key behind them.
class Shape {
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
  }

  keys () {
    const keys = new Array(this.depth)
    for (let node = this; node.parent !== null; node = node.parent) keys[node.depth - 1] = node.key
    return keys
  }
}

class ShapeTree {
  root = new Node(null, '')
  #nodes = 0
  #credit = INITIAL_CREDIT
  #writers = 0
  // The shape that was met last.
  #last = NO_SHAPE

  // The function that writes an object with the keys of this one, or null.
  writerFor (object) {
    if (this.#writers === 0) return null
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
      this.#credit--
      if (++this.#nodes > MAX_NODES) {
        // Starts anew; the path under way ends in the old tree and is dropped with it.
        this.root = new Node(null, '')
        this.#nodes = 0
      }
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
    node.hash = hashWords(words, node.depth)
    node.words = words
    return words
  }

  #earn () {
    if (this.#credit < MAX_CREDIT) this.#credit++
  }

  #promote (node) {
    // An object without keys is looked at more closely.
    if (node.depth === 0 || ++node.uses !== USES_BEFORE_CODE || this.#writers === MAX_FUNCTIONS) return
    const keys = node.keys()
    const write = makeWriter(keys, node.words, node.hash)
    if (write === null) return
    node.shape = new Shape(keys, write)
    this.#writers++
  }
}

module.exports = { ShapeTree, MAX_KEYS, MAX_BLOCK_WORDS }
