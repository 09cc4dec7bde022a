'use strict'

// How a SharedArrayBuffer travels in a record of a ring: as a number. What stands
// there must be found by any thread of the process, so every thread that receives
// from a channel listens on one BroadcastChannel. A thread that sends a memory
// announces it there first; a receiver that does not know a number asks.
//
// The number is the address of the memory. It is looked up, never followed, and
// cannot name two: an entry counts while the SharedArrayBuffer it refers to is
// alive, and as long as that is so nobody else gets the address. References are
// weak; held.js tells who keeps a memory alive on its way.

const { BroadcastChannel, receiveMessageOnPort } = require('node:worker_threads')
const native = require('../native')

// Another version of telar in this process speaks another dialect.
const kName = 'telar:memory:1'

class Directory {
  #port = null
  // id → WeakRef of the SharedArrayBuffer.
  #known = new Map()
  // id → the callbacks that wait for it.
  #wanted = new Map()
  // Ring's id → Held: what is on its way in that ring.
  #held = new Map()
  #finalizers = new FinalizationRegistry((id) => {
    if (this.#known.get(id)?.deref() === undefined) this.#known.delete(id)
  })

  // Unreferenced: whoever waits for an answer keeps the process alive by itself.
  open () {
    if (this.#port !== null) return this.#port
    this.#port = new BroadcastChannel(kName)
    this.#port.onmessage = ({ data }) => this.#take(data)
    this.#port.unref()
    return this.#port
  }

  // The number of a memory, which this thread can tell others from now on.
  identify (buffer) {
    if (buffer.byteLength === 0) return 0n
    const id = native.memoryAddress(new Uint8Array(buffer))
    this.#learn(id, buffer)
    return id
  }

  // Before the record is sent. `named`: id → SharedArrayBuffer.
  announce (ring, token, named) {
    this.#held.get(ring).add(token, [...named.values()])
    this.open().postMessage({ ring, token, named })
  }

  // The record of that token has been read.
  acknowledge (ring, token) {
    this.#held.get(ring)?.release(token)
    this.open().postMessage({ ring, token })
  }

  // Undefined: not known here, or not yet.
  find (id, length) {
    if (id === 0n) return new SharedArrayBuffer(0)
    if (this.#port !== null) this.drain()
    const buffer = this.#known.get(id)?.deref()
    return buffer !== undefined && buffer.byteLength >= length ? buffer : undefined
  }

  // Asks the others. `found` is called as soon as somebody has told, from the event
  // loop or from drain(); the result takes the question back.
  request (id, found) {
    let callbacks = this.#wanted.get(id)
    if (callbacks === undefined) this.#wanted.set(id, callbacks = new Set())
    callbacks.add(found)
    this.open().postMessage({ request: id })
    return () => {
      callbacks.delete(found)
      if (callbacks.size === 0 && this.#wanted.get(id) === callbacks) this.#wanted.delete(id)
    }
  }

  // Reads what has come, for threads whose event loop does not turn.
  drain () {
    const port = this.open()
    for (let received; (received = receiveMessageOnPort(port)) !== undefined;) this.#take(received.message)
  }

  // For each ring that this thread has an end of. From now on it is told of memories.
  watch (ring, held) {
    this.#held.set(ring, held)
    this.open()
  }

  unwatch (ring) {
    this.#held.delete(ring)
  }

  #learn (id, buffer) {
    const known = this.#known.get(id)?.deref()
    if (known !== undefined && known.byteLength === buffer.byteLength) return
    this.#known.set(id, new WeakRef(buffer))
    this.#finalizers.register(buffer, id)
  }

  #take ({ request, ring, token, named }) {
    if (request !== undefined) return this.#answer(request)
    if (named === undefined) return this.#held.get(ring)?.release(token)
    if (ring !== undefined) this.#held.get(ring)?.add(token, [...named.values()])
    for (const [id, buffer] of named) this.#tell(id, buffer)
  }

  #tell (id, buffer) {
    this.#learn(id, buffer)
    const callbacks = this.#wanted.get(id)
    if (callbacks === undefined) return
    this.#wanted.delete(id)
    for (const found of callbacks) found(buffer)
  }

  #answer (id) {
    const buffer = this.#known.get(id)?.deref()
    if (buffer !== undefined) this.#port.postMessage({ named: new Map([[id, buffer]]) })
  }
}

module.exports = { directory: new Directory() }
