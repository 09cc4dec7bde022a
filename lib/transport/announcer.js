'use strict'

// Gives numbers to the objects that threads share, so that a value can name one by its number
// instead of being sent by port.
//
// An object is announced on all lines once it has been sent by port as often as there are lines:
// until then announcing it would have cost more messages than it had saved. So an object that is
// sent once costs one message, and objects that are sent often cost at most twice the messages of
// the best choice.
//
// A number is never used again. Its end is announced when the object has been collected in this
// thread. A value that is on its way keeps its objects alive (shared-names.js), so it names none of
// those.

const { FinalizationRegistry, Map, WeakMap, WeakRef, queueMicrotask } = require('../base/globals')
const { isSharedArrayBuffer } = require('node:util/types')
const { bufferRegistry } = require('../shared/buffer-registry')

// What collected objects may take in threads that have not heard of their end, since they are busy.
// While it is more, no further objects are announced: they are sent by port.
const kMaxUnheardBytes = 64 * 2 ** 20
const kMaxUnheard = 4096

class Entry {
  number = 0 // 0: it was not announced
  sentByPort = 0
}

class Announcer {
  #lines
  #entries = new WeakMap()
  #lastNumber = 0
  // The announced objects that are alive, as WeakRefs by number.
  #announced = new Map()
  #collected = new FinalizationRegistry((announced) => this.#end(announced))
  #ended = null
  // Batches of collected objects of which some line has not handled the message: { count, bytes,
  // sent }. `sent`: how many messages each line had sent then.
  #unheard = []
  #unheardCount = 0
  #unheardBytes = 0

  // `lines`: a Map with the SharedLines to all who may read the values.
  constructor (lines) {
    this.#lines = lines
  }

  // The number of an object, or -1: it has to be sent by port.
  numberOf (object) {
    const entry = this.#entries.get(object)
    if (entry === undefined) return -1
    if (entry.number > 0) return entry.number
    if (entry.sentByPort < this.#lines.size || !this.#mayAnnounce()) return -1
    this.#announce(object, entry)
    return entry.number
  }

  // To be called when an object is sent by port.
  countByPort (object) {
    let entry = this.#entries.get(object)
    if (entry === undefined) {
      entry = new Entry()
      this.#entries.set(object, entry)
    }
    entry.sentByPort++
  }

  #announce (object, entry) {
    const number = ++this.#lastNumber
    for (const line of this.#lines.values()) line.announce(number, object)
    let bytes = 0
    if (isSharedArrayBuffer(object)) {
      bytes = object.byteLength
      bufferRegistry.identify(object) // so that it is found if the other side sends this memory
    }
    this.#announced.set(number, new WeakRef(object))
    this.#collected.register(object, { number, bytes })
    entry.number = number
  }

  // Tells a new line of all that was announced before.
  introduce (line) {
    for (const [number, ref] of this.#announced) {
      const object = ref.deref()
      if (object !== undefined) line.announce(number, object)
    }
  }

  // Objects are collected many at a time: one message for all of them.
  #end (announced) {
    this.#announced.delete(announced.number)
    if (this.#ended === null) {
      this.#ended = []
      queueMicrotask(() => this.#tellEnded())
    }
    this.#ended.push(announced)
  }

  #tellEnded () {
    const ended = this.#ended
    this.#ended = null
    const sent = new Map()
    const numbers = ended.map(({ number }) => number)
    for (const line of this.#lines.values()) {
      line.endNumbers(numbers)
      sent.set(line, line.sent)
    }
    const bytes = ended.reduce((sum, { bytes }) => sum + bytes, 0)
    this.#unheard.push({ count: numbers.length, bytes, sent })
    this.#unheardCount += numbers.length
    this.#unheardBytes += bytes
  }

  #mayAnnounce () {
    while (this.#unheard.length > 0 && isHeard(this.#unheard[0])) {
      const { count, bytes } = this.#unheard.shift()
      this.#unheardCount -= count
      this.#unheardBytes -= bytes
    }
    return this.#unheardBytes <= kMaxUnheardBytes && this.#unheardCount <= kMaxUnheard
  }
}

function isHeard ({ sent }) {
  for (const [line, count] of sent) {
    if (!line.hasHandled(count)) return false
  }
  return true
}

module.exports = { Announcer }
