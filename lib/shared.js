'use strict'

// Objects that live in several threads at once: a Mutex, a Channel and so on.
//
// Such an object has exactly one own enumerable property, which holds all that
// another thread needs: { kind, id, memory: SharedArrayBuffer, ... }. So the
// platform's clone, which strips classes, carries it whole, and from() makes the
// object again out of what arrived. A thread has one object for each id: two
// halves of a lock in one thread would not know of each other.

const native = require('./native')
const { createError, describe } = require('./errors')

const kShared = 'telar:shared'

// Loaded when first met: a thread may be sent what it has never used.
const classes = {
  Barrier: () => require('./sync/barrier').Barrier,
  Channel: () => require('./channel').Channel,
  Condition: () => require('./sync/condition').Condition,
  Counter: () => require('./sync/counter').Counter,
  Latch: () => require('./sync/latch').Latch,
  Mutex: () => require('./sync/mutex').Mutex,
  Once: () => require('./sync/once').Once,
  RwLock: () => require('./sync/rw-lock').RwLock,
  Semaphore: () => require('./sync/semaphore').Semaphore
}

// Objects of this thread by id.
const known = new Map()
const collected = new FinalizationRegistry((id) => {
  // The id may have been received again since.
  if (known.get(id)?.deref() === undefined) known.delete(id)
})
let lastId = 0

// What a constructor gets in place of its options when the memory is there
// already. Nobody outside of telar has this class.
class Received {
  constructor (data) {
    this.data = data
  }
}

// True once this thread has had such an object: only then a value may have one inside.
const isUsed = () => known.size > 0 || lastId > 0

// Makes `instance` one of them. `data`: what another thread needs, or a Received.
function share (instance, kind, data) {
  const shared = data instanceof Received
    ? data.data
    : Object.freeze({ kind, id: (BigInt(native.threadNumber) << 32n) | BigInt(++lastId), ...data })
  Object.defineProperty(instance, kShared, { value: shared, enumerable: true })
  known.set(shared.id, new WeakRef(instance))
  collected.register(instance, shared.id)
}

// What share() stored, also in a clone; undefined for anything else.
function dataOf (value) {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, kShared)) return undefined
  const data = value[kShared]
  return typeof data === 'object' && data !== null && Object.hasOwn(classes, data.kind) ? data : undefined
}

// The object of this thread for such data.
function restore (data) {
  const object = known.get(data.id)?.deref()
  if (object !== undefined && object[kShared].kind === data.kind) return object
  const Class = classes[data.kind]()
  return new Class(new Received(Object.freeze({ ...data })))
}

// For `Class.from(received)`.
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
    if (value instanceof Map) {
      reviveMap(value, visit)
    } else if (value instanceof Set) {
      reviveSet(value, visit)
    } else if (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype) {
      for (const key of Object.keys(value)) {
        const old = value[key]
        const now = visit(old)
        if (now !== old) value[key] = now
      }
    }
  }
  return result
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

module.exports = { Received, classes, dataOf, from, isUsed, restore, revive, share }
