'use strict'

const {
  Array, ArrayBuffer, BigInt, Boolean, Buffer, DOMException, Date, Map, Number, Object,
  QuotaExceededError, RegExp, Set, SharedArrayBuffer, String, WeakMap, WebAssembly
} = require('../base/globals')
const tags = require('./tags')
const platform = require('./platform')
const { writeArrayBuffer, writeView, writeBuffer } = require('./write-binary')
const { builtinName } = require('./builtin-class')
const { isPlain } = require('./plain')
const { writeError, writeDOMException, writeQuotaExceededError } = require('./write-error')
const {
  isSharedObject, writeModule, writeSharedMemory, writeSharedObject
} = require('./write-shared')

const { kRef, kObject, kArray, kDate, kRegExp, kMap, kSet, kBoxed, kTagBits, kMaxPayload } = tags
const { types, mapSize, setSize, regExpFlags, regExpSource } = platform

const { getTime } = Date.prototype
const { forEach: forEachEntry } = Map.prototype
const { forEach: forEachMember } = Set.prototype

// How objects with a certain prototype are written. An entry has the function that writes such an
// object, and a test whether an object is one: the prototype alone proves nothing.
class Entry {
  is
  write
  // Whether the entry applies to subclasses too.
  ofInstances

  constructor (is, write, ofInstances = true) {
    this.is = is
    this.write = write
    this.ofInstances = ofInstances
  }
}

// Entries by prototype: for the classes of this realm, and for those of other realms and of user
// code as they are met. The second map is weak, so it keeps no realm in memory.
const entries = new Map()
const otherEntries = new WeakMap()
// Makes an entry for the class of that name in another realm.
const entryOfName = new Map()

// A test for objects of the kind that a method belongs to: it throws for all others. This is faster
// than util.types.
function acceptedBy (method) {
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

register(Date, acceptedBy(getTime), writeDate)
register(RegExp, types.isRegExp, writeRegExp)
register(Map, acceptedBy(mapSize), writeMap)
register(Set, acceptedBy(setSize), writeSet)
register(ArrayBuffer, types.isArrayBuffer, writeArrayBuffer)
register(Buffer, types.isUint8Array, writeBuffer)
register(SharedArrayBuffer, types.isSharedArrayBuffer, writeSharedMemory)
if (WebAssembly !== undefined) {
  const { Module } = WebAssembly
  const { customSections } = Module
  register(Module, acceptedBy(function () { customSections(this, '') }), writeModule)
}
platform.viewClasses.forEach((Class, kind) => {
  if (Class === undefined) return
  // writeView() verifies the kind of the view.
  register(Class, ArrayBuffer.isView, (writer, view) => writeView(writer, view, kind))
})
for (const [Class, is] of [
  [Number, types.isNumberObject], [String, types.isStringObject],
  [Boolean, types.isBooleanObject], [BigInt, types.isBigIntObject]
]) {
  const { valueOf } = Class.prototype
  register(Class, is, (writer, boxed) => writer.word(kBoxed) && writer.value(valueOf.call(boxed)))
}
platform.errorClasses.forEach((Class, index) => {
  if (Class === undefined) return
  const makeEntry = native => {
    const write = (writer, error) => writeError(writer, error, index, native)
    return new Entry(types.isNativeError, write)
  }
  entries.set(Class.prototype, makeEntry(Class.prototype))
  entryOfName.set(Class.name, makeEntry)
})
// Their functions test the object themselves.
entries.set(DOMException.prototype, new Entry(isAnything, writeDOMException))
if (QuotaExceededError !== undefined) {
  const entry = new Entry(isAnything, writeQuotaExceededError)
  entries.set(QuotaExceededError.prototype, entry)
}
// ValueWriter handles the arrays and plain objects of this realm.
const writeArray = (writer, array) => writer.contents(array, kArray)
const writeObject = (writer, object) => writer.contents(object, kObject)
entryOfName.set('Array', () => new Entry(Array.isArray, writeArray))
// Not for subclasses: an instance may have state besides its properties, as instances of some
// classes of Node do, and JavaScript cannot see that.
entryOfName.set('Object', prototype =>
  new Entry(object => isPlain(object, prototype), writeObject, false))

function isAnything () {
  return true
}

function writeExotic (writer, object, prototype) {
  const entry = entries.get(prototype) ?? otherEntry(prototype)
  if (entry !== null) return entry.is(object) && numbered(writer, object, entry.write)
  return isSharedObject(writer, object) && numbered(writer, object, writeSharedObject)
}

// Null: there is none.
function otherEntry (prototype) {
  let entry = otherEntries.get(prototype)
  if (entry === undefined) {
    entry = findEntry(prototype)
    otherEntries.set(prototype, entry)
  }
  return entry
}

function findEntry (prototype) {
  let ancestor = prototype
  while (ancestor !== null && !types.isProxy(ancestor)) {
    const entry = entries.get(ancestor) ?? entryOfName.get(builtinName(ancestor))?.(ancestor)
    if (entry !== undefined) return entry.ofInstances || ancestor === prototype ? entry : null
    ancestor = Object.getPrototypeOf(ancestor)
  }
  return null
}

function numbered (writer, object, write) {
  const known = writer.seen.add(object)
  return known >= 0 ? writer.word(known << kTagBits | kRef) : write(writer, object)
}

function writeDate (writer, date) {
  return writer.word(kDate) && writer.number(getTime.call(date))
}

function writeRegExp (writer, regExp) {
  let bits = 0
  regExpFlags.forEach(({ get }, bit) => {
    if (get !== undefined && get.call(regExp)) bits |= 1 << bit
  })
  return writer.word(bits << kTagBits | kRegExp) && writer.string(regExpSource.call(regExp))
}

// The entries are listed before the first is written, as the structured clone algorithm does: an
// accessor inside them may change the collection.
function writeMap (writer, map) {
  const entries = new List(2 * mapSize.call(map))
  forEachEntry.call(map, pushEntry, entries)
  return writeMembers(writer, kMap, entries.length >>> 1, entries.items)
}

function writeSet (writer, set) {
  const members = new List(setSize.call(set))
  forEachMember.call(set, pushMember, members)
  return writeMembers(writer, kSet, members.length, members.items)
}

// A list whose size is known: an array that grows would be copied several times.
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
  if (count > kMaxPayload || !writer.enter() || !writer.word(count << kTagBits | tag)) return false
  for (let i = 0; i < members.length; i++) {
    if (!writer.value(members[i])) return false
  }
  writer.leave()
  return true
}

module.exports = { writeExotic }
