'use strict'

const { Array, Map } = require('../base/globals')
const { packKeys, hashWords } = require('./key-block')
const { GeneratedFunctions, makeWriter, kUsesBeforeCode } = require('./object-code')

// The shapes that the encoder has met: a tree in which each path from the root is the list of keys
// of an object, in their order. The last node of a path holds the packed keys. So for an object of
// a known shape each key costs one comparison, and all keys together the copy of a few words.
//
// The tree is bounded. Objects that are used as dictionaries have new keys each time, and should
// not be slowed down by it: each new node costs a credit, each object of a known shape earns one.

const kMaxKeys = 64
const kMaxBlockWords = 256
// Limit for the memory of the tree, in bytes: some 5000 keys of usual length.
const kMaxBytes = 2 * 1024 * 1024
// About how many bytes a node takes besides its key, and a block besides its words.
const kNodeBytes = 384
const kBlockBytes = 192
const kInitialCredit = 512
const kMaxCredit = 2048

// The first key of an array-like object, and of a typed array whose prototype was replaced.
const kFirstElement = '0'

// A string, so that comparing keys is always a comparison of strings. An object that has this key
// is handled correctly, but the tree does not remember the step.
const kNoKey = '\0'

// A shape with a generated writer. Its list of keys ends with undefined, which equals no key.
class WriteShape {
  keys
  write

  constructor (keys, write) {
    this.keys = [...keys, undefined]
    this.write = write
  }
}

const kNoShape = new WriteShape([], null)

class Node {
  // The two steps that were taken last. They are compared before the Map of all steps is searched:
  // with objects inside objects, two shapes alternate at the root.
  lastKey = kNoKey
  lastNode = null
  otherKey = kNoKey
  otherNode = null
  steps = null
  parent = null
  key = undefined
  depth = 0
  // The least number of bytes that a block of the keys up to here takes.
  blockBytes = 0
  words = null
  hash = 0
  // Writes objects with these keys, once they are common.
  shape = null
  uses = 0
  // In the node of a first key: the shape that was met last of those that begin with it.
  likely = kNoShape

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
  #credit = kInitialCredit
  #writers = new GeneratedFunctions()
  // Whether any shape of the tree has a writer.
  #hasWriters = false
  // The shape that was met last.
  #last = kNoShape

  // The generated function that writes an object with the keys of this one, or null.
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

  // The same, when the object has another shape than expected.
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

  // The node after `node` for a key that is not its last one. Null: the tree does not take it.
  step (node, key) {
    if (node.otherKey === key) return node.otherNode
    let next = node.steps === null ? undefined : node.steps.get(key)
    if (next === undefined) {
      if (this.#credit === 0 || node.depth === kMaxKeys) return null
      if (node.blockBytes + key.length >= 4 * kMaxBlockWords) return null
      this.#credit--
      this.#spend(kNodeBytes + 2 * key.length)
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

  // The packed keys of the path to this node, or null when they are too long to be kept.
  pack (node) {
    if (node.words !== null) {
      this.#earn()
      this.#promote(node)
      return node.words
    }
    const words = packKeys(node.keys())
    if (words.length > kMaxBlockWords) return null
    this.#spend(kBlockBytes + 4 * words.length)
    node.hash = hashWords(words, node.depth)
    node.words = words
    return words
  }

  // Starts a new tree when the limit is reached. A path that is being walked ends in the old tree,
  // and is dropped with it.
  #spend (bytes) {
    this.#bytes += bytes
    if (this.#bytes <= kMaxBytes) return
    this.root = new Node(null, '')
    this.#last = kNoShape
    this.#bytes = bytes
    this.#hasWriters = false
  }

  #earn () {
    if (this.#credit < kMaxCredit) this.#credit++
  }

  #promote (node) {
    // No writer for objects without keys, nor for those with elements: they are checked for hidden
    // state each time (plain.js).
    if (node.depth === 0 || ++node.uses !== kUsesBeforeCode) return
    const keys = node.keys()
    if (keys[0] === kFirstElement) return
    const { words, hash } = node
    const make = () => makeWriter(keys, words, hash)
    const write = this.#writers.get(hash, words, node.depth, make)
    if (write === null) return
    node.shape = new WriteShape(keys, write)
    this.#hasWriters = true
  }
}

module.exports = { ShapeTree, kFirstElement, kMaxKeys, kMaxBlockWords }
