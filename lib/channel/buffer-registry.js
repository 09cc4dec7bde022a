'use strict'

// How a SharedArrayBuffer travels in a record of a ring: as a number, the address of the
// memory. It is looked up, never followed, and cannot name two: an entry counts while the
// SharedArrayBuffer it refers to is alive, and as long as that is so nobody else gets the
// address. References are weak; announcements.js tells who keeps a memory alive on its way,
// and how other threads learn of it.

const {
  FinalizationRegistry, Map, SharedArrayBuffer, Uint8Array, WeakRef
} = require('../base/globals')
const native = require('../base/native')

// What this thread knows.
class BufferRegistry {
  // id → WeakRef of the SharedArrayBuffer.
  #known = new Map()
  #finalizers = new FinalizationRegistry((id) => {
    if (this.#known.get(id)?.deref() === undefined) this.#known.delete(id)
  })

  // The number of a memory.
  identify (buffer) {
    if (buffer.byteLength === 0) return 0n
    const id = native.memoryAddress(new Uint8Array(buffer))
    this.learn(id, buffer)
    return id
  }

  learn (id, buffer) {
    const known = this.#known.get(id)?.deref()
    if (known !== undefined && known.byteLength === buffer.byteLength) return
    this.#known.set(id, new WeakRef(buffer))
    this.#finalizers.register(buffer, id)
  }

  // Undefined: not known here, or not yet.
  find (id, length) {
    if (id === 0n) return new SharedArrayBuffer(0)
    const buffer = this.#known.get(id)?.deref()
    return buffer !== undefined && buffer.byteLength >= length ? buffer : undefined
  }
}

module.exports = { bufferRegistry: new BufferRegistry() }
