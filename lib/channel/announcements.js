'use strict'

// Tells the threads that use a channel which SharedArrayBuffers its records name, over a
// BroadcastChannel on which only these threads listen. A sender announces a buffer before it sends
// the record. A receiver that does not know the id of a buffer asks the others. Each of them
// answers, with the buffer or by denying that it has it.
//
// A record that names a SharedArrayBuffer does not keep it alive. The sender may end before the
// record is received, so the sender and each thread that heard the announcement keep a reference
// until a receiver acknowledges the record. An end that is detached (by detach(), or when the ring
// is aborted, or closed and empty) drops its references too. It still answers questions until the
// announced records have been received: something else may keep the buffers alive.

const { Map, Object, Set } = require('../base/globals')
const { BroadcastChannel, receiveMessageOnPort } = require('node:worker_threads')
const { bufferRegistry } = require('../shared/buffer-registry')

// The number is the version of the messages. Other versions of telar in the process may use others.
const kName = 'telar:memory:3:'

// All members of a message. Each message has all of them as own properties, so that none is read
// from a polluted prototype.
const kEmptyMessage = Object.freeze({
  request: undefined, token: undefined, named: undefined, denied: undefined, endId: undefined
})

class Announcements {
  #ring
  #port = null
  // The buffers of the records that have not been received yet, by the token of the record, which
  // is unique. Null instead of the buffers once this thread has left.
  #inTransit = new Map()
  // id → Set of the open requests for that buffer, each { onFound, onDenied }
  #requests = new Map()
  #hasLeft = false

  constructor (ring) {
    this.#ring = ring
  }

  // The port is unreferenced: a call that waits for an answer keeps the process alive by itself.
  open () {
    this.#hasLeft = false
    if (this.#port !== null) return
    this.#port = new BroadcastChannel(`${kName}${this.#ring.id}`)
    this.#port.onmessage = ({ data }) => this.#handle(data)
    this.#port.unref()
  }

  close () {
    this.#hasLeft = true
    for (const token of this.#inTransit.keys()) this.#inTransit.set(token, null)
    this.#closePortIfDone()
  }

  #closePortIfDone () {
    if (!this.#hasLeft || this.#inTransit.size > 0) return
    this.#port?.close()
    this.#port = null
  }

  // The announced records will not be received any more.
  clear () {
    this.#inTransit.clear()
    this.#closePortIfDone()
  }

  // To be called before the record is sent. `named`: id → SharedArrayBuffer.
  announce (token, named) {
    this.#inTransit.set(token, [...named.values()])
    this.#post({ token, named })
  }

  // The record with that token has been decoded.
  acknowledge (token) {
    this.#inTransit.delete(token)
    this.#post({ token })
  }

  // Asks the other threads for a buffer. Calls onFound(buffer) once one of them has sent it, and
  // onDenied(endId) for each one that does not have it, from the event loop or from drain().
  // Returns a function that cancels the request.
  request (id, onFound, onDenied) {
    let requests = this.#requests.get(id)
    if (requests === undefined) this.#requests.set(id, requests = new Set())
    const request = { onFound, onDenied }
    requests.add(request)
    this.ask(id)
    return () => {
      requests.delete(request)
      if (requests.size === 0 && this.#requests.get(id) === requests) this.#requests.delete(id)
    }
  }

  ask (id) {
    this.#post({ request: id })
  }

  // Handles the messages that have arrived, in a thread whose event loop does not turn.
  drain () {
    while (this.#port !== null) {
      const received = receiveMessageOnPort(this.#port)
      if (received === undefined) return
      this.#handle(received.message)
    }
  }

  // Adds the members that `message` does not have: see own.js.
  #post (message) {
    this.#port?.postMessage({ ...kEmptyMessage, ...message })
  }

  #handle ({ request, token, named, denied, endId }) {
    if (request !== undefined) return this.#answer(request)
    if (denied !== undefined) return this.#deny(denied, endId)
    if (named === undefined) {
      this.#inTransit.delete(token)
      return this.#closePortIfDone()
    }
    if (this.#hasLeft) return
    if (token !== undefined) this.#inTransit.set(token, [...named.values()])
    for (const [id, buffer] of named) this.#learn(id, buffer)
  }

  #learn (id, buffer) {
    bufferRegistry.learn(id, buffer)
    const requests = this.#requests.get(id)
    if (requests === undefined) return
    this.#requests.delete(id)
    for (const { onFound } of requests) onFound(buffer)
  }

  #deny (id, endId) {
    const requests = this.#requests.get(id)
    if (requests === undefined) return
    for (const { onDenied } of requests) onDenied(endId)
  }

  #answer (id) {
    const buffer = bufferRegistry.find(id, 0)
    if (buffer !== undefined) this.#post({ named: new Map([[id, buffer]]) })
    else this.#post({ denied: id, endId: this.#ring.endId })
  }
}

module.exports = { Announcements }
