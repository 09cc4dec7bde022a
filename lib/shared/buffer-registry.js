'use strict'

// The SharedArrayBuffers that this thread knows, by id: the address of their memory. An id is
// looked up here and never used as a pointer. It cannot stand for two buffers: an entry is valid
// only while its SharedArrayBuffer is alive, and no other buffer has the same address during that
// time. The references are weak.
//
// Channels send the id in place of a SharedArrayBuffer. channel/announcements.js describes what
// keeps a buffer alive until its record is received, and how other threads learn of it.

const {
  FinalizationRegistry, Map, SharedArrayBuffer, Uint8Array, WeakRef
} = require('../base/globals')
const native = require('../base/native')

class BufferRegistry {
  // id → WeakRef of the SharedArrayBuffer.
  #known = new Map()
  #finalizers = new FinalizationRegistry((id) => {
    if (this.#known.get(id)?.deref() === undefined) this.#known.delete(id)
  })

  // The id of a buffer, which is added if it is new.
  identify (buffer) {
    if (buffer.byteLength === 0) return 0n
    const id = native.memoryAddress(new Uint8Array(buffer))
    this.learn(id, buffer)
    return id
  }

  learn (id, buffer) {
    const known = this.#known.get(id)?.deref()
    if (known !== undefined && isAlike(known, buffer)) return
    this.#known.set(id, new WeakRef(buffer))
    this.#finalizers.register(buffer, id)
  }

  // The buffer with that id, if it has at least `length` bytes; undefined if this thread does not
  // know it (yet).
  find (id, length) {
    if (id === 0n) return new SharedArrayBuffer(0)
    const buffer = this.#known.get(id)?.deref()
    return buffer !== undefined && buffer.byteLength >= length ? buffer : undefined
  }

  // The object of this thread for the memory of a buffer that was received, or that buffer. The
  // platform makes a new object for each message.
  known (buffer) {
    if (buffer.byteLength === 0) return buffer
    const known = this.#known.get(native.memoryAddress(new Uint8Array(buffer)))?.deref()
    return known !== undefined && isAlike(known, buffer) ? known : buffer
  }
}

// Whether two buffers with the same memory have the same length, now and later. They may differ:
// each growth of a WebAssembly.Memory gives another buffer.
function isAlike (one, other) {
  if (one === other) return true
  if (one.growable !== true) return other.growable !== true && one.byteLength === other.byteLength
  return other.growable === true && one.maxByteLength === other.maxByteLength
}

module.exports = { bufferRegistry: new BufferRegistry() }
