'use strict'

const tags = require('./tags')
const platform = require('./platform')
const { writeArrayBuffer, writeView, writeBuffer } = require('./write-binary')
const { writeError, writeDOMException } = require('./write-error')
const { isSharedObject, writeSharedMemory, writeSharedObject } = require('./write-shared')

const { REF, DATE, REGEXP, MAP, SET, BOXED, TAG_BITS, MAX_PAYLOAD } = tags
const { types, mapSize, setSize, regExpFlags, regExpSource } = platform

const { getTime } = Date.prototype
const { forEach: forEachEntry } = Map.prototype
const { forEach: forEachMember } = Set.prototype

// Objects with state of their own, by prototype. Each entry pairs the function that
// writes one with the question whether it is one: a prototype alone proves nothing.
const writers = new Map()

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

function register (prototype, is, write) {
  writers.set(prototype, { is, write })
}

register(Date.prototype, answers(getTime), writeDate)
register(RegExp.prototype, types.isRegExp, writeRegExp)
register(Map.prototype, answers(mapSize), writeMap)
register(Set.prototype, answers(setSize), writeSet)
register(ArrayBuffer.prototype, types.isArrayBuffer, writeArrayBuffer)
register(Buffer.prototype, types.isUint8Array, writeBuffer)
register(SharedArrayBuffer.prototype, types.isSharedArrayBuffer, writeSharedMemory)
platform.viewClasses.forEach((Class, kind) => {
  // The kind is verified by the name that the view itself gives.
  if (Class !== undefined) register(Class.prototype, ArrayBuffer.isView, (writer, view) => writeView(writer, view, kind))
})
for (const [Class, is] of [
  [Number, types.isNumberObject], [String, types.isStringObject], [Boolean, types.isBooleanObject], [BigInt, types.isBigIntObject]
]) {
  const { valueOf } = Class.prototype
  register(Class.prototype, is, (writer, boxed) => writer.word(BOXED) && writer.value(valueOf.call(boxed)))
}

function writeExotic (writer, object, prototype) {
  const entry = writers.get(prototype)
  if (entry !== undefined) return entry.is(object) && numbered(writer, object, entry.write)
  // Known late: node loads the class when it is first asked for.
  if (typeof prototype.constructor === 'function' && prototype === globalThis.DOMException.prototype) {
    return numbered(writer, object, writeDOMException)
  }
  if (types.isNativeError(object)) return numbered(writer, object, writeError)
  return isSharedObject(writer, object) && numbered(writer, object, writeSharedObject)
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
  const entries = []
  forEachEntry.call(map, pushEntry, entries)
  return writeMembers(writer, MAP, entries.length >>> 1, entries)
}

function writeSet (writer, set) {
  const members = []
  forEachMember.call(set, pushMember, members)
  return writeMembers(writer, SET, members.length, members)
}

function pushEntry (value, key) {
  this.push(key, value)
}

function pushMember (member) {
  this.push(member)
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
