'use strict'

// The default task queue: a ring that doubles when it is full. push(), shift()
// and unshift() take constant time (amortised over growing), and so does
// remove() when there are many of them.
//
// Invariants: `#head` and `#tail` run freely, the slot of position p is
// `p & #mask`, and `#tail - #head` never exceeds the number of slots. Each slot
// between the two holds an item or, where one was removed, kHole; every other
// slot holds undefined, so that the ring keeps nothing alive.
// `#size` = slots in between that are not holes.

const { Array, Map, Symbol } = require('../../base/globals')

const kHole = Symbol('hole')
const kMinSlots = 32
// A ring of this many slots (8 KiB) is worth keeping over an idle moment.
const kMaxSlotsKept = 1024
// Entering an item into a map takes about as long as looking at this many slots.
const kSearchesPerIndex = 32

class FixedQueue {
  #slots = new Array(kMinSlots)
  #mask = kMinSlots - 1
  #head = 0
  #tail = 0
  #size = 0

  // remove() has to find its item. A search is cheap, a map from item to
  // position costs more than all the queue's own work, so the map is made only
  // once searching has cost more than making it does, and is dropped as soon as
  // nobody removes any more.
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

  // The item nearest to the head; an item that is not queued is ignored: an
  // abort may come just after the task left the queue.
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

  // False when an item is queued twice: a map could not tell which comes first.
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

  // Making it anew costs as much as the queue is long: after that many steps
  // without a removal, dropping it has paid for itself.
  #indexIsUnused () {
    return ++this.#unusedFor > this.#mask
  }

  // Where holes fill half of the ring it is packed; otherwise it doubles.
  // Either way at least half of the slots are free afterwards, or as many
  // steps as there are slots must have come before: constant time, amortised.
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
    this.#positions = null // its positions are those of the old ring
  }

  // An empty queue starts over small: a burst must not hold its memory for
  // ever, and positions stay small integers.
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
