'use strict'

const {
  Array, ArrayBuffer, BigInt, Boolean, Buffer, DOMException, Date, Map, Number, Object,
  QuotaExceededError, RegExp, Set, SharedArrayBuffer, String, WeakMap
} = require('../base/globals')
const tags = require('./tags')
const platform = require('./platform')
const { writeArrayBuffer, writeView, writeBuffer } = require('./write-binary')
const { builtinName } = require('./builtin-class')
const { isPlain } = require('./plain')
const { writeError, writeDOMException, writeQuotaExceededError } = require('./write-error')
const { isSharedObject, writeSharedMemory, writeSharedObject } = require('./write-shared')

const { REF, OBJECT, ARRAY, DATE, REGEXP, MAP, SET, BOXED, TAG_BITS, MAX_PAYLOAD } = tags
const { types, mapSize, setSize, regExpFlags, regExpSource } = platform

const { getTime } = Date.prototype
const { forEach: forEachEntry } = Map.prototype
const { forEach: forEachMember } = Set.prototype

// How an object with such a prototype is written. Each entry pairs the function that
// writes one with the question whether it is one: a prototype alone proves nothing.
class Entry {
  is
  write
  // Whether it holds for classes that extend this one, too.
  ofInstances

  constructor (is, write, ofInstances = true) {
    this.is = is
    this.write = write
    this.ofInstances = ofInstances
  }
}

// By prototype: of the classes of this realm, and of others as they are met. The second keeps no realm in memory.
const entries = new Map()
const otherEntries = new WeakMap()
// The entries for classes of other realms.
const entryOfName = new Map()

// A method that only its own kind of object answers is asked faster than util.types.
function answers (method) {
  return object => {
    try {
      method.call(object)
      return true
    } catch {
      return false
    }
  }
}

function register (Class, is, write) {
  const entry = new Entry(is, write)
  entries.set(Class.prototype, entry)
  entryOfName.set(Class.name, () => entry)
}

register(Date, answers(getTime), writeDate)
register(RegExp, types.isRegExp, writeRegExp)
register(Map, answers(mapSize), writeMap)
register(Set, answers(setSize), writeSet)
register(ArrayBuffer, types.isArrayBuffer, writeArrayBuffer)
register(Buffer, types.isUint8Array, writeBuffer)
register(SharedArrayBuffer, types.isSharedArrayBuffer, writeSharedMemory)
platform.viewClasses.forEach((Class, kind) => {
  // The kind is verified by the name that the view itself gives.
  if (Class !== undefined) register(Class, ArrayBuffer.isView, (writer, view) => writeView(writer, view, kind))
})
for (const [Class, is] of [
  [Number, types.isNumberObject], [String, types.isStringObject], [Boolean, types.isBooleanObject], [BigInt, types.isBigIntObject]
]) {
  const { valueOf } = Class.prototype
  register(Class, is, (writer, boxed) => writer.word(BOXED) && writer.value(valueOf.call(boxed)))
}
platform.errorClasses.forEach((Class, index) => {
  if (Class === undefined) return
  const makeEntry = native => new Entry(types.isNativeError, (writer, error) => writeError(writer, error, index, native))
  entries.set(Class.prototype, makeEntry(Class.prototype))
  entryOfName.set(Class.name, makeEntry)
})
// They find out themselves whether it is one.
entries.set(DOMException.prototype, new Entry(isAnything, writeDOMException))
if (QuotaExceededError !== undefined) entries.set(QuotaExceededError.prototype, new Entry(isAnything, writeQuotaExceededError))
// Those of this realm are ValueWriter's own.
entryOfName.set('Array', () => new Entry(Array.isArray, (writer, array) => writer.contents(array, ARRAY)))
// An instance of a class may be more than its properties: which of Node's are, cannot be seen.
entryOfName.set('Object', prototype =>
  new Entry(object => isPlain(object, prototype), (writer, object) => writer.contents(object, OBJECT), false))

function isAnything () {
  return true
}

function writeExotic (writer, object, prototype) {
  const entry = entries.get(prototype) ?? otherEntry(prototype)
  if (entry !== null) return entry.is(object) && numbered(writer, object, entry.write)
  return isSharedObject(writer, object) && numbered(writer, object, writeSharedObject)
}

// null: there is none.
function otherEntry (prototype) {
  let entry = otherEntries.get(prototype)
  if (entry === undefined) {
    entry = findEntry(prototype)
    otherEntries.set(prototype, entry)
  }
  return entry
}

function findEntry (prototype) {
  for (let ancestor = prototype; ancestor !== null && !types.isProxy(ancestor); ancestor = Object.getPrototypeOf(ancestor)) {
    const entry = entries.get(ancestor) ?? entryOfName.get(builtinName(ancestor))?.(ancestor)
    if (entry !== undefined) return entry.ofInstances || ancestor === prototype ? entry : null
  }
  return null
}

function numbered (writer, object, write) {
  const known = writer.seen.add(object)
  return known >= 0 ? writer.word(known << TAG_BITS | REF) : write(writer, object)
}

function writeDate (writer, date) {
  return writer.word(DATE) && writer.number(getTime.call(date))
}

function writeRegExp (writer, regExp) {
  let bits = 0
  regExpFlags.forEach(({ get }, bit) => {
    if (get !== undefined && get.call(regExp)) bits |= 1 << bit
  })
  return writer.word(bits << TAG_BITS | REGEXP) && writer.string(regExpSource.call(regExp))
}

// The entries as they are now: an accessor inside may change the collection, and the
// algorithm takes its list first.
function writeMap (writer, map) {
  const entries = new List(2 * mapSize.call(map))
  forEachEntry.call(map, pushEntry, entries)
  return writeMembers(writer, MAP, entries.length >>> 1, entries.items)
}

function writeSet (writer, set) {
  const members = new List(setSize.call(set))
  forEachMember.call(set, pushMember, members)
  return writeMembers(writer, SET, members.length, members.items)
}

// Of a size that is known: an array that grows is copied several times.
class List {
  length = 0
  items

  constructor (size) {
    this.items = new Array(size)
  }
}

function pushEntry (value, key) {
  this.items[this.length++] = key
  this.items[this.length++] = value
}

function pushMember (member) {
  this.items[this.length++] = member
}

function writeMembers (writer, tag, count, members) {
  if (count > MAX_PAYLOAD || !writer.enter() || !writer.word(count << TAG_BITS | tag)) return false
  for (let i = 0; i < members.length; i++) {
    if (!writer.value(members[i])) return false
  }
  writer.leave()
  return true
}

module.exports = { writeExotic }
