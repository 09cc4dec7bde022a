'use strict'

// The names by which an encoded value refers to the objects that threads share: SharedArrayBuffers
// and WebAssembly.Modules. They are not copied. A name stands for
//
//   - an object that the sender has announced to all who may read the value, by its number;
//   - in a result, an object of the request in the same slot, by its position there;
//   - in a message, an object beside the encoding, by its position there.
//
// Both sides list the objects of a request by its slot. The list of the owner keeps them alive
// until the slot is free again: until the worker has read the request, and the owner has read the
// result.

const { Array, Math } = require('../base/globals')
const { isSharedArrayBuffer } = require('node:util/types')
const { bufferRegistry } = require('../shared/buffer-registry')
const { Announcer } = require('./announcer')

const kAnnounced = 0
const kOfRequest = 1
const kBeside = 2
const kKinds = 4

// Lists are searched from their beginning, so they are kept short. A value with more such objects
// is left to the platform.
const kMaxListed = 256

// The name of the object at `position` beside an encoding.
const besideName = (position) => position * kKinds + kBeside

// The object with such a name. Undefined: there is none. `beside`: the objects beside the encoding,
// or null.
function findBeside (name, beside) {
  if (beside === null || name % kKinds !== kBeside) return undefined
  return received(beside[Math.floor(name / kKinds)])
}

class SharedNames {
  bySlot
  #lines
  #announcer

  // `lines`: to the other side, by the index of the worker.
  constructor (slots, lines) {
    this.bySlot = new Array(slots).fill(undefined)
    this.#lines = lines
    this.#announcer = new Announcer(lines)
  }

  // The name of an object that was announced, or -1.
  announcedName (object) {
    const number = this.#announcer.numberOf(object)
    return number < 0 ? -1 : number * kKinds + kAnnounced
  }

  // To be called when an object is sent beside an encoding.
  countByPort (object) { this.#announcer.countByPort(object) }

  introduce (line) { this.#announcer.introduce(line) }

  forget (slot) {
    if (this.bySlot[slot] !== undefined) this.bySlot[slot] = undefined
  }

  // The object that a value in this slot refers to. Undefined: there is none. `beside`: the objects
  // beside the encoding, or null.
  find (slot, name, worker, beside) {
    const position = Math.floor(name / kKinds)
    switch (name % kKinds) {
      case kAnnounced: return this.#lines.get(worker)?.find(position)
      case kOfRequest: return this.bySlot[slot]?.[position]
      case kBeside: return findBeside(name, beside)
      default: return undefined
    }
  }
}

// An object that was sent by port is not added to the registry: most are used once, and what a
// WeakRef refers to is collected late.
function received (object) {
  return isSharedArrayBuffer(object) ? bufferRegistry.known(object) : object
}

class OwnerNames extends SharedNames {
  // The objects of the request that is being encoded, in their order.
  #list = null

  begin () { this.#list = null }

  nameOf (object) {
    if (this.#list?.length === kMaxListed) return -1
    const name = this.announcedName(object)
    if (name >= 0) (this.#list ??= []).push(object)
    return name
  }

  takeList () {
    const list = this.#list ?? []
    this.#list = null
    return list
  }

  // The request was stored in its slot.
  wrote (slot) {
    if (this.#list !== null) this.hold(slot, this.takeList())
  }

  hold (slot, list) { this.bySlot[slot] = list }

  restart () {}

  // A worker has dropped these objects, but results in these slots may have their numbers.
  holdIn (slots, objects) {
    for (const slot of slots) this.bySlot[slot] = [...this.bySlot[slot] ?? [], ...objects]
  }
}

class WorkerNames extends SharedNames {
  #index
  #slot = 0

  // `index`: that of this worker. Its line to the owner has the same.
  constructor (slots, lines, index) {
    super(slots, lines)
    this.#index = index
  }

  begin (slot) { this.#slot = slot }

  nameOf (object) {
    const position = this.bySlot[this.#slot]?.indexOf(object) ?? -1
    return position < 0 ? this.announcedName(object) : position * kKinds + kOfRequest
  }

  takeList () { return [] }

  find (slot, name, worker, beside) {
    const object = super.find(slot, name, this.#index, beside)
    if (object === undefined) return undefined
    const list = this.bySlot[slot]
    if (list === undefined) this.bySlot[slot] = [object]
    else list.push(object)
    return object
  }

  wrote () {}

  // The request is read again from its beginning.
  restart (slot) { this.bySlot[slot] = undefined }
}

module.exports = { OwnerNames, WorkerNames, besideName, findBeside, kMaxListed }
