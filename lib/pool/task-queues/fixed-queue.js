'use strict'

// The default task queue: a ring buffer that doubles when it is full. push(), shift() and unshift()
// take constant time (amortized over growing). So does remove() when it is called often.
//
// Invariants: `#head` and `#tail` are free-running positions, position p is in slot `p & #mask`,
// and `#tail - #head` never exceeds the number of slots. Each slot between the two holds an item
// or, if the item was removed, kHole. All other slots hold undefined, so that the ring keeps no
// item alive. `#size` is the number of items, without holes.

const { Array, Map, Symbol } = require('../../base/globals')

const kHole = Symbol('hole')
const kMinSlots = 32
// A ring of up to this many slots (8 KiB) is kept when the queue is empty.
const kMaxSlotsKept = 1024
// Adding an item to a map takes about as long as comparing this many slots.
const kSearchesPerIndex = 32

class FixedQueue {
  #slots = new Array(kMinSlots)
  #mask = kMinSlots - 1
  #head = 0
  #tail = 0
  #size = 0

  // remove() has to find its item. A single search is cheap, while keeping a map from item to
  // position costs more than all other work of the queue. So the map is made only when searches
  // have cost more than making it, and is dropped when remove() is no longer called.
  #positions = null
  #searched = 0
  #unusedFor = 0

  get size () {
    return this.#size
  }

  isEmpty () {
    return this.#size === 0
  }

  push (item) {
    if (this.#tail - this.#head > this.#mask) this.#makeRoom()
    const position = this.#tail++
    this.#slots[position & this.#mask] = item
    this.#size++
    if (this.#positions !== null) this.#index(item, position)
  }

  unshift (item) {
    if (this.#tail - this.#head > this.#mask) this.#makeRoom()
    const position = --this.#head
    this.#slots[position & this.#mask] = item
    this.#size++
    if (this.#positions !== null) this.#index(item, position)
  }

  shift () {
    if (this.#size === 0) return null
    let item
    do {
      const slot = this.#head++ & this.#mask
      item = this.#slots[slot]
      this.#slots[slot] = undefined
    } while (item === kHole)
    this.#size--
    if (this.#size === 0) this.#reset()
    else if (this.#positions !== null) this.#unindex(item)
    return item
  }

  // Removes the item; if it is queued twice, the one that comes first. Ignores an item that is not
  // queued: an abort may come just after the task left the queue.
  remove (item) {
    const position = this.#find(item)
    if (position === undefined) return
    this.#slots[position & this.#mask] = kHole
    this.#size--
    this.#unusedFor = 0
    if (this.#size === 0) this.#reset()
    else if (this.#positions !== null) this.#positions.delete(item)
  }

  #find (item) {
    if (this.#positions !== null) return this.#positions.get(item)
    const length = this.#tail - this.#head
    if (this.#searched > kSearchesPerIndex * length && this.#buildIndex()) {
      return this.#positions.get(item)
    }
    for (let position = this.#head; position !== this.#tail; position++) {
      if (this.#slots[position & this.#mask] === item) {
        this.#searched += position - this.#head
        return position
      }
    }
    this.#searched += length
    return undefined
  }

  // False if an item is queued twice: a map could hold only one of its positions.
  #buildIndex () {
    this.#searched = 0
    this.#unusedFor = 0
    const positions = new Map()
    for (let position = this.#head; position !== this.#tail; position++) {
      const item = this.#slots[position & this.#mask]
      if (item === kHole) continue
      if (positions.has(item)) return false
      positions.set(item, position)
    }
    this.#positions = positions
    return true
  }

  #index (item, position) {
    if (this.#positions.has(item) || this.#indexIsUnused()) this.#positions = null
    else this.#positions.set(item, position)
  }

  #unindex (item) {
    if (this.#indexIsUnused()) this.#positions = null
    else this.#positions.delete(item)
  }

  // Whether to drop the map. Making it again takes a step for each slot. After that many steps
  // without a removal, keeping it has cost as much.
  #indexIsUnused () {
    return ++this.#unusedFor > this.#mask
  }

  // If holes fill half of the ring, the items are packed; otherwise the ring doubles. Afterwards at
  // least half of the slots are free, so the next call comes only after as many steps: amortized,
  // this takes constant time.
  #makeRoom () {
    const slots = this.#mask + 1
    const room = this.#size > slots / 2 ? slots * 2 : slots
    const next = new Array(room)
    let length = 0
    for (let position = this.#head; position !== this.#tail; position++) {
      const item = this.#slots[position & this.#mask]
      if (item !== kHole) next[length++] = item
    }
    this.#slots = next
    this.#mask = room - 1
    this.#head = 0
    this.#tail = length
    this.#searched = 0
    this.#positions = null // it has the positions in the old ring
  }

  // An empty queue starts again with a small ring: the memory of a burst is freed, and positions
  // stay small integers.
  #reset () {
    if (this.#mask + 1 > kMaxSlotsKept) {
      this.#slots = new Array(kMinSlots)
      this.#mask = kMinSlots - 1
    } else {
      for (; this.#head !== this.#tail; this.#head++) {
        this.#slots[this.#head & this.#mask] = undefined
      }
    }
    this.#head = 0
    this.#tail = 0
    this.#searched = 0
    this.#positions = null
  }
}

module.exports = { FixedQueue }
