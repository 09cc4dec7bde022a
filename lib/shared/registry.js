'use strict'

// Objects that live in several threads at once: a Mutex, a Channel and so on.
//
// Such an object has exactly one own enumerable property, which holds all that
// another thread needs: { kind, format, library, id, memory }. So the platform's
// clone, which strips classes, carries it whole, and from() makes the object again
// out of what arrived. A thread has one object for each id: two halves of a lock in
// one thread would not know of each other.
//
// A process may have several copies of telar: two packages that each bring their own,
// a test runner that loads it anew for each file. The id is the address of the memory,
// so no two objects have the same, whoever made them; and all copies in a thread keep
// one list. Copies over the same native library share everything. Another library has
// its own threads, wait queues and bells, and would take a living owner for a dead one:
// what was made over one is refused by the other.

const {
  Array, FinalizationRegistry, Map, Object, Set, Symbol, Uint8Array, WeakRef, nodeGlobals
} = require('../base/globals')
const { isMap, isSet } = require('node:util/types')
const { builtinName } = require('../codec/builtin-class')
const native = require('../base/native')
const { createError, describe } = require('../base/errors')
const { own } = require('../base/own')

const kShared = 'telar:shared'
// Of that property, and of the list of a thread. Goes up when either changes.
const kFormat = 1

// Functions that give the classes, by kind: a thread may be sent what it has never used, and loads
// a class when it first meets it.
let classes = { __proto__: null }

// This file knows no class, since each of them needs it: lib/shared-classes.js lists them.
function registerClasses (loaders) {
  classes = loaders
}

// The objects of a thread by id, weakly.
class ObjectList {
  // True once there has been one.
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

// What a constructor gets in place of its options when the memory is there
// already. Nobody outside of telar has this class.
class Received {
  data

  constructor (data) {
    this.data = data
  }
}

// True once this thread has had such an object: only then a value may have one inside.
const isUsed = () => objects.isUsed

// Makes `instance` one of them. `data`: { memory }, or a Received.
function share (instance, kind, data) {
  const shared = data instanceof Received ? data.data : describeShared(kind, data.memory)
  Object.defineProperty(instance, kShared, { __proto__: null, value: shared, enumerable: true })
  objects.add(shared.id, instance)
}

function describeShared (kind, memory) {
  const id = native.memoryAddress(new Uint8Array(memory))
  return Object.freeze({ kind, format: kFormat, library: native.library, id, memory })
}

// What share() stored, also in a clone, or by another copy of telar; undefined for anything else.
function dataOf (value) {
  if (typeof value !== 'object' || value === null) return undefined
  const data = own(value, kShared)
  if (typeof data !== 'object' || data === null) return undefined
  const isData = typeof own(data, 'kind') === 'string' && typeof own(data, 'format') === 'number' &&
    typeof own(data, 'library') === 'bigint' && typeof own(data, 'id') === 'bigint'
  return isData ? data : undefined
}

// The object of this thread for such data. Throws for that of a copy that this one cannot work with.
function restore (data) {
  const { kind, format, library, id } = data
  if (format !== kFormat || classes[kind] === undefined) throw createError('ERR_TELAR_OTHER_COPY', kind, kOtherVersion)
  if (library !== native.library) throw createError('ERR_TELAR_OTHER_COPY', kind, kOtherLibrary)
  const object = objects.find(id)
  if (object !== undefined && object[kShared].kind === kind) return object
  const Class = classes[kind]()
  return new Class(new Received(Object.freeze({ ...data })))
}

const kOtherVersion = 'it is of another version'
const kOtherLibrary = 'it has another native library, which does not know the threads of this one'

// For `Class.from(received)`. In a thread with several copies of telar the object may be of the
// class of another one, which works the same.
function from (Class, kind, received) {
  if (received instanceof Class) return received
  const data = dataOf(received)
  if (data === undefined || data.kind !== kind) {
    throw createError('ERR_TELAR_NOT_SHARED', kind, data === undefined ? describe(received) : `a ${data.kind}`)
  }
  return restore(data)
}

// Makes the objects inside a value that the platform has cloned what they were.
// In place; without recursion, since a value may be deeper than the stack.
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

// The platform clones into its main realm, and this file may run in another, as under a test runner.
function isPlain (value) {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || builtinName(prototype) === 'Object'
}

function reviveMap (map, visit) {
  const entries = [...map].map(([key, value]) => [visit(key), visit(value)])
  map.clear() // for the order, if a key is another now
  for (const [key, value] of entries) map.set(key, value)
}

function reviveSet (set, visit) {
  const members = [...set].map(visit)
  set.clear()
  for (const member of members) set.add(member)
}

module.exports = { Received, kOtherLibrary, dataOf, from, isUsed, registerClasses, restore, revive, share }
