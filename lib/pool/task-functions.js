'use strict'

// The owner's side of the function table: which entry holds which task function. A pool may be
// given new functions without end, for example as `data:` URLs. So when the table is full, a
// function that no slot refers to is dropped, the least recently used first. A function that is
// used again gets an entry again.

const { Array, Map, Set } = require('../base/globals')
const { FunctionTable, chunksFor, kPlain, toText } = require('../transport/function-table')

// The entry of the pool function, that is, the function of the pool's own options. Workers load it
// when they start.
const kPoolFunction = 0
// Instead of an entry: the table has no room, so the task is sent by port, together with its
// function.
const kInMessage = -1

class TaskFunction {
  users = 0 // how many slots refer to it
  origin // { filename, name, kind }
  entry
  chunks

  constructor (origin, entry, chunks) {
    this.origin = origin
    this.entry = entry
    this.chunks = chunks
  }
}

class TaskFunctions {
  #table
  #poolFunction
  #byFile = new Map() // of Maps by name, by fileOf()
  #bySlot
  #pinned = new Map() // by entry
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

  // Binds the function of a task to a slot, as long as the slot is in use. Returns the entry of the
  // function, or kInMessage.
  bind (slot, { filename, name, kind }) {
    const bound = this.#bySlot[slot]
    if (bound !== null) return bound.entry
    const own = this.#poolFunction
    const isOwn = kind === kPlain && own !== null && filename === own.filename && name === own.name
    if (isOwn) return kPoolFunction
    const found = this.#use(filename, name, kind)
    if (found === null) return kInMessage
    this.#bySlot[slot] = found
    return found.entry
  }

  // The same for all slots, until the pool closes.
  pin (filename, name) {
    const found = this.#use(filename, name, kPlain)
    if (found === null) return kInMessage
    this.#pinned.set(found.entry, found)
    return found.entry
  }

  // The function of a request whose slot is not bound. Undefined: that of the pool.
  pinnedAt (entry) { return this.#pinned.get(entry)?.origin }

  #use (filename, name, kind) {
    const file = fileOf(filename, kind)
    const found = this.#byFile.get(file)?.get(name) ?? this.#add({ filename, name, kind })
    if (found !== null && found.users++ === 0) this.#idle.delete(found)
    return found
  }

  // `{ filename, name, kind }` of the function of a slot in use. filename and name are null if it
  // was sent by port.
  originOf (slot) {
    const bound = this.#bySlot[slot]
    if (bound !== null) return bound.origin
    return this.#poolFunction ?? { filename: null, name: null, kind: kPlain }
  }

  // To be called when the slot is free again.
  unbind (slot) {
    const bound = this.#bySlot[slot]
    if (bound === null) return
    this.#bySlot[slot] = null
    if (--bound.users === 0) this.#idle.add(bound)
  }

  // Null: there is no room.
  #add (origin) {
    const { filename, name, kind } = origin
    const text = toText(filename, name, kind)
    const count = chunksFor(text)
    if (count > this.#table.chunks) return null
    while (this.#entries.left === 0 || this.#chunks.left < count) {
      if (!this.#forgetOne()) return null
    }
    const chunks = Array.from({ length: count }, () => this.#chunks.take())
    const added = new TaskFunction(origin, this.#entries.take(), chunks)
    this.#table.write(added.entry, ++this.#lastSerial, text, chunks)
    const file = fileOf(filename, kind)
    const byName = this.#byFile.get(file)
    if (byName === undefined) this.#byFile.set(file, new Map([[name, added]]))
    else byName.set(name, added)
    return added
  }

  #forgetOne () {
    if (this.#idle.size === 0) return false
    const [oldest] = this.#idle
    this.#idle.delete(oldest)
    const { filename, name, kind } = oldest.origin
    const file = fileOf(filename, kind)
    const byName = this.#byFile.get(file)
    byName.delete(name)
    if (byName.size === 0) this.#byFile.delete(file)
    this.#entries.giveBack(oldest.entry)
    for (const chunk of oldest.chunks) this.#chunks.giveBack(chunk)
    return true
  }
}

// A filename is a path or a URL: none begins with a letter and a space.
const fileOf = (filename, kind) => kind === kPlain ? filename : `${kind} ${filename}`

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
