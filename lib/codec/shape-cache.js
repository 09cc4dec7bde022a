'use strict'

const { Array } = require('../base/globals')
const { packKeys } = require('./key-block')
const { MadeFunctions, makeBuilder, USES_BEFORE_CODE } = require('./object-code')
const { MAX_KEYS, MAX_BLOCK_WORDS } = require('./shape-tree')

const ENTRIES = 512

class Shape {
  keys
  count
  words
  // A function that reads one object of this shape, once it has shown to be common.
  build = null
  uses = 0

  constructor (keys) {
    this.keys = keys
    this.count = keys.length
    this.words = packKeys(keys)
  }
}

// What the decoder knows about key blocks it has met. The hash in the payload only says
// where to look; the block's words are compared. A shape is kept under the words that its
// keys pack to, not under those that lay in shared memory a moment ago.
class ShapeCache {
  #shapes = new Array(ENTRIES).fill(null)
  #builders = new MadeFunctions()

  // The shape whose block begins at words[pos], or null.
  find (hash, count, words, pos, end) {
    const shape = this.#shapes[hash & (ENTRIES - 1)]
    if (shape === null || shape.count !== count) return null
    const block = shape.words
    const length = block.length
    if (length > end - pos) return null
    for (let i = 0; i < length; i++) {
      if (block[i] !== words[pos + i]) return null
    }
    if (shape.build === null && ++shape.uses === USES_BEFORE_CODE) this.#promote(shape, hash)
    return shape
  }

  // `bytes`: of the block.
  add (hash, keys, bytes) {
    if (keys.length > MAX_KEYS || bytes > MAX_BLOCK_WORDS * 4) return
    this.#shapes[hash & (ENTRIES - 1)] = new Shape(keys)
  }

  #promote (shape, hash) {
    shape.build = this.#builders.get(hash, shape.words, shape.count, () => makeBuilder(shape.keys))
  }
}

module.exports = { ShapeCache }
