'use strict'

const { Array } = require('../base/globals')
const { packKeys } = require('./key-block')
const { GeneratedFunctions, makeBuilder, kUsesBeforeCode } = require('./object-code')
const { kMaxKeys, kMaxBlockWords } = require('./shape-tree')

const kEntries = 512

class ReadShape {
  keys
  count
  words
  // The generated function that reads one object of this shape, once the shape is common.
  build = null
  uses = 0

  constructor (keys) {
    this.keys = keys
    this.count = keys.length
    this.words = packKeys(keys)
  }
}

// The shapes that the decoder has met: their keys, by key block. The hash in the payload only
// selects the entry; then the words of the block are compared. The words of an entry are packed
// from its keys again, not copied from shared memory, which may have changed meanwhile.
class ShapeCache {
  #shapes = new Array(kEntries).fill(null)
  #builders = new GeneratedFunctions()

  // The shape whose block begins at words[pos], or null.
  find (hash, count, words, pos, end) {
    const shape = this.#shapes[hash & (kEntries - 1)]
    if (shape === null || shape.count !== count) return null
    const block = shape.words
    const length = block.length
    if (length > end - pos) return null
    for (let i = 0; i < length; i++) {
      if (block[i] !== words[pos + i]) return null
    }
    if (shape.build === null && ++shape.uses === kUsesBeforeCode) this.#promote(shape, hash)
    return shape
  }

  // `bytes`: the size of the block.
  add (hash, keys, bytes) {
    if (keys.length > kMaxKeys || bytes > kMaxBlockWords * 4) return
    this.#shapes[hash & (kEntries - 1)] = new ReadShape(keys)
  }

  #promote (shape, hash) {
    shape.build = this.#builders.get(hash, shape.words, shape.count, () => makeBuilder(shape.keys))
  }
}

module.exports = { ShapeCache }
