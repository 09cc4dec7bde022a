'use strict'

// One end of the line between a worker and its owner, a MessageChannel on which each tells the
// other of objects that threads share: SharedArrayBuffers and WebAssembly.Modules. A message
// announces one object with its number, or says that numbers are over (announcer.js). It is posted
// before the slot that has the number is submitted or completed. So whoever reads the slot finds
// the object, at the latest by reading the line.
//
// Otherwise the messages are handled when the event loop turns, also in a worker without tasks.
// That is why they have a line of their own: on the port of the values they would wait until a
// value is read there, and keep memory that nobody uses any more.

const { Atomics, Int32Array, Map, SharedArrayBuffer, WeakRef } = require('../base/globals')
const { isSharedArrayBuffer } = require('node:util/types')
const { receiveMessageOnPort } = require('node:worker_threads')
const { bufferRegistry } = require('../shared/buffer-registry')

const kOwner = 0
const kWorker = 1

// In shared memory: how many messages each side has handled.
const createCounts = () => new Int32Array(new SharedArrayBuffer(8))

class SharedLine {
  sent = 0 // messages, modulo 2^32
  isClosed = false
  #port
  #counts
  #side
  #onOver
  #isListening
  // The objects that the other side has announced, by number.
  #announced = new Map()
  // Of those whose numbers are over: WeakRefs.
  #over = new Map()

  // `side`: kOwner or kWorker. onOver(objects): optional; the numbers of these objects are over.
  // They are found as long as something else refers to them.
  constructor (port, counts, side, { isListening = false, onOver = null }) {
    this.#port = port
    this.#counts = counts
    this.#side = side
    this.#isListening = isListening
    this.#onOver = onOver
  }

  // Throws what the platform throws for an object that cannot be sent.
  announce (number, object) { this.#send({ number, object, over: undefined }) }

  endNumbers (numbers) { this.#send({ number: 0, object: undefined, over: numbers }) }

  #send (message) {
    if (this.isClosed) return
    this.#port.postMessage(message)
    this.sent = (this.sent + 1) | 0
  }

  // Whether the other side has handled the first `sent` messages.
  hasHandled (sent) {
    return this.isClosed || ((Atomics.load(this.#counts, 1 - this.#side) - sent) | 0) >= 0
  }

  // The object that the other side has announced with this number, or undefined.
  find (number) {
    return this.#announced.get(number) ?? this.#findLate(number)
  }

  #findLate (number) {
    this.#listen()
    for (let received; (received = receiveMessageOnPort(this.#port)) !== undefined;) {
      this.handle(received.message)
    }
    return this.#announced.get(number) ?? this.#over.get(number)?.deref()
  }

  // Lets the event loop handle the messages from now on.
  #listen () {
    if (this.#isListening) return
    this.#isListening = true
    this.#port.on('message', (message) => this.handle(message))
    this.#port.unref()
  }

  handle ({ number, object, over }) {
    if (over !== undefined) this.#end(over)
    else this.#announced.set(number, this.#unified(object))
    Atomics.add(this.#counts, this.#side, 1)
  }

  #end (numbers) {
    for (const [number, ref] of this.#over) {
      if (ref.deref() === undefined) this.#over.delete(number)
    }
    const objects = []
    for (const number of numbers) {
      const object = this.#announced.get(number)
      this.#announced.delete(number)
      if (this.#onOver === null) continue
      this.#over.set(number, new WeakRef(object))
      objects.push(object)
    }
    this.#onOver?.(objects)
  }

  // A thread has one object for each memory that was announced.
  #unified (object) {
    if (!isSharedArrayBuffer(object)) return object
    const known = bufferRegistry.known(object)
    bufferRegistry.identify(known)
    return known
  }

  close () {
    this.isClosed = true
    this.#port.close()
  }
}

module.exports = { SharedLine, createCounts, kOwner, kWorker }
