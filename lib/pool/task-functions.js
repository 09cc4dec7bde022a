'use strict'

// The owner's side of the function table: which entry holds which task function. A pool may be
// given new functions without end, for example as `data:` URLs. So when the table is full, a
// function that no slot refers to is dropped, the least recently used first. A function that is
// used again gets an entry again.

const { Array, Map, Set } = require('../base/globals')
const { FunctionTable, chunksFor, toText } = require('../transport/function-table')

// The entry of the pool function, that is, the function of the pool's own options. Workers load it
// when they start.
const kPoolFunction = 0
// Instead of an entry: the table has no room, so the task is sent by port, together with its
// function.
const kInMessage = -1

class TaskFunction {
  users = 0 // how many slots refer to it
  entry
  key
  chunks

  constructor (entry, key, chunks) {
    this.entry = entry
    this.key = key
    this.chunks = chunks
  }
}

class TaskFunctions {
  #table
  #poolFunction
  #byKey = new Map()
  #bySlot
  #idle = new Set() // those without users, the least recently used first
  #lastSerial = 0
  #entries
  #chunks

  // `poolFunction`: `{ filename, name }`, or null. `textBytes`: the room for the texts of
  // functions.
  constructor (slots, poolFunction, textBytes) {
    this.#table = FunctionTable.create(slots, textBytes)
    this.#poolFunction = poolFunction
    this.#bySlot = new Array(slots).fill(null)
    this.#entries = new Indices(kPoolFunction + 1, this.#table.entries)
    this.#chunks = new Indices(0, this.#table.chunks)
  }

  get buffer () { return this.#table.buffer }

  // Binds a function to a slot, as long as the slot is in use. Returns the entry of the function,
  // or kInMessage.
  bind (slot, filename, name) {
    const bound = this.#bySlot[slot]
    if (bound !== null) return bound.entry
    const own = this.#poolFunction
    if (own !== null && filename === own.filename && name === own.name) return kPoolFunction
    const key = toText(filename, name)
    const found = this.#byKey.get(key) ?? this.#add(key)
    if (found === null) return kInMessage
    if (found.users++ === 0) this.#idle.delete(found)
    this.#bySlot[slot] = found
    return found.entry
  }

  // To be called when the slot is free again.
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
    while (this.#entries.left === 0 || this.#chunks.left < count) {
      if (!this.#forgetOne()) return null
    }
    const chunks = Array.from({ length: count }, () => this.#chunks.take())
    const added = new TaskFunction(this.#entries.take(), key, chunks)
    this.#table.write(added.entry, ++this.#lastSerial, key, chunks)
    this.#byKey.set(key, added)
    return added
  }

  #forgetOne () {
    if (this.#idle.size === 0) return false
    const [oldest] = this.#idle
    this.#idle.delete(oldest)
    this.#byKey.delete(oldest.key)
    this.#entries.giveBack(oldest.entry)
    for (const chunk of oldest.chunks) this.#chunks.giveBack(chunk)
    return true
  }
}

// A free list of the integers from `next` to below `end`. Integers that were in use before are
// given out first, so that no more memory is touched than necessary.
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

module.exports = { TaskFunctions, kInMessage, kPoolFunction }
