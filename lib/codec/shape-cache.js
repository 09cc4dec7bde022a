'use strict'

const { packKeys } = require('./key-block')
const { makeBuilder, USES_BEFORE_CODE, MAX_FUNCTIONS } = require('./object-code')
const { MAX_KEYS } = require('./shape-tree')

const ENTRIES = 512

class Shape {
  constructor (keys) {
    this.keys = keys
    this.count = keys.length
    this.words = packKeys(keys)
    // A function that reads one object of this shape, once it has shown to be common.
    this.build = null
    this.uses = 0
  }
}

// What the decoder knows about key blocks it has met. The hash in the payload only says
// where to look; the block's words are compared. A shape is kept under the words that its
// keys pack to, not under those that lay in shared memory a moment ago.
class ShapeCache {
  #shapes = new Array(ENTRIES).fill(null)
  #builders = 0

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
    if (shape.build === null) this.#promote(shape)
    return shape
  }

  add (hash, keys) {
    if (keys.length <= MAX_KEYS) this.#shapes[hash & (ENTRIES - 1)] = new Shape(keys)
  }

  #promote (shape) {
    if (++shape.uses !== USES_BEFORE_CODE || this.#builders === MAX_FUNCTIONS) return
    this.#builders++
    shape.build = makeBuilder(shape.keys)
  }
}

module.exports = { ShapeCache }
