'use strict'

// The owner's side of task functions: which place of the table in shared memory stands for
// which function. A pool may be asked for functions without end, as with `data:` URLs, so
// what no slot names is forgotten when another one needs the room, the one that was used
// least recently first. A function that is asked for again gets a place again.

const { Array, Map, Set } = require('../base/globals')
const { FunctionTable, chunksFor, toText } = require('../transport/function-table')

// Place of the pool's own function, which workers load when they start.
const kOwnPlace = 0
// Instead of a place: there is no room, and the task has to go by port, its function with it.
const kInMessage = -1

class TaskFunction {
  users = 0 // slots that are out
  place
  key
  chunks

  constructor (place, key, chunks) {
    this.place = place
    this.key = key
    this.chunks = chunks
  }
}

class TaskFunctions {
  #table
  #own
  #byKey = new Map()
  #bySlot
  #idle = new Set() // those without users, the least recently used first
  #lastSerial = 0
  #places
  #chunks

  // `own`: `{ filename, name }` of the pool, or null. `textBytes`: for the texts of all.
  constructor (slots, own, textBytes) {
    this.#table = FunctionTable.create(slots, textBytes)
    this.#own = own
    this.#bySlot = new Array(slots).fill(null)
    this.#places = new Indices(kOwnPlace + 1, this.#table.places)
    this.#chunks = new Indices(0, this.#table.chunks)
  }

  get buffer () { return this.#table.buffer }

  // The place that stands for a function while the slot is out, or kInMessage.
  bind (slot, filename, name) {
    const bound = this.#bySlot[slot]
    if (bound !== null) return bound.place
    const own = this.#own
    if (own !== null && filename === own.filename && name === own.name) return kOwnPlace
    const key = toText(filename, name)
    const found = this.#byKey.get(key) ?? this.#add(key)
    if (found === null) return kInMessage
    if (found.users++ === 0) this.#idle.delete(found)
    this.#bySlot[slot] = found
    return found.place
  }

  // The slot is back.
  unbind (slot) {
    const bound = this.#bySlot[slot]
    if (bound === null) return
    this.#bySlot[slot] = null
    if (--bound.users === 0) this.#idle.add(bound)
  }

  // Null: there is no room.
  #add (key) {
    const count = chunksFor(key)
    if (count > this.#table.chunks) return null
    while (this.#places.left === 0 || this.#chunks.left < count) {
      if (!this.#forgetOne()) return null
    }
    const chunks = Array.from({ length: count }, () => this.#chunks.take())
    const added = new TaskFunction(this.#places.take(), key, chunks)
    this.#table.write(added.place, ++this.#lastSerial, key, chunks)
    this.#byKey.set(key, added)
    return added
  }

  #forgetOne () {
    if (this.#idle.size === 0) return false
    const [oldest] = this.#idle
    this.#idle.delete(oldest)
    this.#byKey.delete(oldest.key)
    this.#places.giveBack(oldest.place)
    for (const chunk of oldest.chunks) this.#chunks.giveBack(chunk)
    return true
  }
}

// Whole numbers from `next` to below `end`, each for one at a time. Those that were in use
// come first, so that no more memory is touched than has to be.
class Indices {
  #next
  #end
  #returned = []

  constructor (next, end) {
    this.#next = next
    this.#end = end
  }

  get left () { return this.#end - this.#next + this.#returned.length }

  take () { return this.#returned.pop() ?? this.#next++ }

  giveBack (index) { this.#returned.push(index) }
}

module.exports = { TaskFunctions, kInMessage, kOwnPlace }
