'use strict'

const { Buffer, Object, Symbol } = require('../base/globals')
const { markAsUntransferable } = require('node:worker_threads')

// As large as Node's own from version 26 on: with one of 8 KiB, as before, a quarter of the time that it
// takes to receive a Buffer of 1 KB goes to the next pool.
const SIZE = 64 * 1024

// Registered, since a file may load another copy of telar.
const kPooled = Symbol.for('telar.pooled')

// Memory for small Buffers: an ArrayBuffer for each would be most of the work.
class BufferPool {
  #pool = null
  #used = Infinity // there is none yet

  // A Buffer with a copy of these bytes of another, at most SIZE.
  copy (source, start, length) {
    if (SIZE - this.#used < length) this.#open()
    const from = this.#used
    this.#used = (from + length + 7) & ~7
    source.copy(this.#pool, from, start, start + length)
    return this.#pool.subarray(from, from + length)
  }

  #open () {
    this.#pool = Buffer.allocUnsafeSlow(SIZE)
    this.#used = 0
    const { buffer } = this.#pool
    // Or the transfer of one Buffer would take all others along.
    markAsUntransferable(buffer)
    Object.defineProperty(buffer, kPooled, { __proto__: null, value: true })
  }
}

// Whether the memory of an ArrayBuffer belongs to many Buffers.
function isPooled (arrayBuffer) {
  return arrayBuffer[kPooled] === true
}

module.exports = { BufferPool, isPooled }
