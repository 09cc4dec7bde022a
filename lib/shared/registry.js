'use strict'

// Shared objects live in several threads at once: a Mutex, a Channel and so on.
//
// A shared object has exactly one own enumerable property, which holds all that another thread
// needs: { kind, format, library, id, memory }. Structured clone strips the class but keeps this
// property, and from() makes the object again from the clone. A thread has one object for each id:
// two objects for the same lock would not know of each other's state.
//
// A process may have several copies of telar: two packages may each bring their own, and a test
// runner may load it anew for each file. The id is the address of the memory, so it is unique among
// all copies, and all copies in a thread use one list of objects. Copies that use the same native
// library can work with each other's objects. Different libraries cannot: each has its own thread
// registry, wait queues and doorbells, and would take a living owner of a lock for a dead one. So
// an object that was made with another library is refused.

const {
  Array, FinalizationRegistry, Map, Object, Set, Symbol, Uint8Array, WeakRef, nodeGlobals
} = require('../base/globals')
const { isMap, isSet } = require('node:util/types')
const { builtinName } = require('../codec/builtin-class')
const native = require('../base/native')
const { describe } = require('../base/describe')
const { createError } = require('../base/errors')
const { own } = require('../base/own')

const kShared = 'telar:shared'
// The version of that property, and of the list of a thread. Incremented when either changes.
const kFormat = 1

// Functions that return the classes, by kind. A thread may receive an object of a class that it has
// not used: the class is loaded then.
let classes = { __proto__: null }

// Called by lib/shared-classes.js. This file requires no class, since each of them requires it.
function registerClasses (loaders) {
  classes = loaders
}

// The shared objects of a thread by id, held weakly.
class ObjectList {
  // True once the thread has had a shared object.
  isUsed = false
  #known = new Map()
  #collected = new FinalizationRegistry((id) => {
    // The id may have been received again since.
    if (this.find(id) === undefined) this.#known.delete(id)
  })

  find (id) {
    return this.#known.get(id)?.deref()
  }

  add (id, object) {
    this.isUsed = true
    this.#known.set(id, new WeakRef(object))
    this.#collected.register(object, id)
  }
}

const objects = objectsOfThread()

function objectsOfThread () {
  const key = Symbol.for(`telar.objects.${kFormat}`)
  const found = own(nodeGlobals, key)
  if (found !== undefined) return found
  const made = new ObjectList()
  Object.defineProperty(nodeGlobals, key, { __proto__: null, value: made })
  return made
}

// Passed to a constructor in place of its options when the memory exists already. The class is not
// exported from telar, so only telar can pass it.
class Received {
  data

  constructor (data) {
    this.data = data
  }
}

// Whether this thread has had a shared object. Only then a value may have one inside.
const isUsed = () => objects.isUsed

// Makes `instance` a shared object. `data`: { memory }, or a Received.
function share (instance, kind, data) {
  const shared = data instanceof Received ? data.data : describeShared(kind, data.memory)
  Object.defineProperty(instance, kShared, { __proto__: null, value: shared, enumerable: true })
  objects.add(shared.id, instance)
}

function describeShared (kind, memory) {
  const id = native.memoryAddress(new Uint8Array(memory))
  return Object.freeze({ kind, format: kFormat, library: native.library, id, memory })
}

// The data that share() stored in an object, also in a clone or by another copy of telar. Undefined
// for anything else.
function dataOf (value) {
  if (typeof value !== 'object' || value === null) return undefined
  const data = own(value, kShared)
  if (typeof data !== 'object' || data === null) return undefined
  const isData = typeof own(data, 'kind') === 'string' && typeof own(data, 'format') === 'number' &&
    typeof own(data, 'library') === 'bigint' && typeof own(data, 'id') === 'bigint'
  return isData ? data : undefined
}

// The object of this thread for such data. Throws for an object of a copy of telar that this one
// cannot work with.
function restore (data) {
  const { kind, format, library, id } = data
  if (format !== kFormat || classes[kind] === undefined) {
    throw createError('ERR_TELAR_OTHER_COPY', kind, kOtherVersion)
  }
  checkLibrary(library, kind)
  const object = objects.find(id)
  if (object !== undefined && object[kShared].kind === kind) return object
  const Class = classes[kind]()
  return new Class(new Received(Object.freeze({ ...data })))
}

const kOtherVersion = 'it is of another version'
const kOtherLibrary = 'it has another native library, which does not know the threads of this one'

// Throws for data of another native library than that of this thread.
function checkLibrary (library, kind) {
  if (library !== native.library) throw createError('ERR_TELAR_OTHER_COPY', kind, kOtherLibrary)
}

// Whether an object lives in shared memory.
const isShared = (object) => dataOf(object) !== undefined

// The shared object of this thread for the plain object that structured clone would make of it.
function restorePlain (plain) {
  const data = dataOf(plain)
  if (data === undefined) {
    throw createError('ERR_TELAR_NOT_SHARED', 'object in shared memory', describe(plain))
  }
  return restore(data)
}

// Implements `Class.from(received)`. In a thread with several copies of telar the result may be an
// instance of the class of another copy, which works the same.
function from (Class, kind, received) {
  if (received instanceof Class) return received
  const data = dataOf(received)
  if (data === undefined || data.kind !== kind) {
    const description = data === undefined ? describe(received) : `a ${data.kind}`
    throw createError('ERR_TELAR_NOT_SHARED', kind, description)
  }
  return restore(data)
}

// Restores the shared objects inside a value that the platform has cloned. In place, and without
// recursion, since a value may be nested deeper than the stack allows.
function revive (root) {
  const seen = new Set()
  const open = []
  const visit = (value) => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return value
    const data = dataOf(value)
    if (data !== undefined) return restore(data)
    seen.add(value)
    open.push(value)
    return value
  }
  const result = visit(root)
  for (let value; (value = open.pop()) !== undefined;) {
    if (isMap(value)) {
      reviveMap(value, visit)
    } else if (isSet(value)) {
      reviveSet(value, visit)
    } else if (Array.isArray(value) || isPlain(value)) {
      for (const key of Object.keys(value)) {
        const old = value[key]
        const now = visit(old)
        if (now !== old) value[key] = now
      }
    }
  }
  return result
}

// The platform makes clones in its main realm, and this file may run in another, as under a test
// runner.
function isPlain (value) {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || builtinName(prototype) === 'Object'
}

function reviveMap (map, visit) {
  const entries = [...map].map(([key, value]) => [visit(key), visit(value)])
  map.clear() // keeps the order when a key has been replaced
  for (const [key, value] of entries) map.set(key, value)
}

function reviveSet (set, visit) {
  const members = [...set].map(visit)
  set.clear()
  for (const member of members) set.add(member)
}

module.exports = {
  Received,
  checkLibrary,
  dataOf,
  from,
  isShared,
  isUsed,
  registerClasses,
  restorePlain,
  revive,
  share
}
