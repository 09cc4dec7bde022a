'use strict'

const { Buffer, Object, Symbol } = require('../base/globals')
const { markAsUntransferable } = require('node:worker_threads')

// As large as the pool of Node 26 and newer. With 8 KiB, as in older versions, a quarter of the
// time that it takes to receive a Buffer of 1 KB is spent on opening the next pool.
const kPoolBytes = 64 * 1024

// A registered symbol, since a file may load another copy of telar.
const kPooled = Symbol.for('telar.pooled')

// Memory for small Buffers. An ArrayBuffer for each of them would take most of the time.
class BufferPool {
  #pool = null
  #used = Infinity // no pool yet

  // A Buffer with a copy of `length` bytes of another one, at most kPoolBytes.
  copy (source, start, length) {
    if (kPoolBytes - this.#used < length) this.#open()
    const from = this.#used
    this.#used = (from + length + 7) & ~7
    source.copy(this.#pool, from, start, start + length)
    return this.#pool.subarray(from, from + length)
  }

  #open () {
    this.#pool = Buffer.allocUnsafeSlow(kPoolBytes)
    this.#used = 0
    const { buffer } = this.#pool
    // Otherwise the transfer of one Buffer would detach all the others.
    markAsUntransferable(buffer)
    Object.defineProperty(buffer, kPooled, { __proto__: null, value: true })
  }
}

// Whether an ArrayBuffer is the memory of many Buffers.
function isPooled (arrayBuffer) {
  return arrayBuffer[kPooled] === true
}

module.exports = { BufferPool, isPooled }
