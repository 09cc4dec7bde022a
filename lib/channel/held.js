'use strict'

// A record that names a SharedArrayBuffer does not keep it alive. So the sender
// holds it until a receiver has said that it arrived, and so does each thread that
// was there when it was announced: the sender may end before the record is taken.
// All of them let go when the ring is closed and empty, aborted, or given up.
class Held {
  // What is on its way, by a token that no other record has.
  #buffers = new Map()

  add (token, buffers) {
    this.#buffers.set(token, buffers)
  }

  release (token) {
    this.#buffers.delete(token)
  }

  clear () {
    this.#buffers.clear()
  }

  get size () {
    return this.#buffers.size
  }
}

module.exports = { Held }
