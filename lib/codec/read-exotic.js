'use strict'

const { Date, Map, Object, RegExp, Set } = require('../base/globals')
const tags = require('./tags')
const { regExpFlags } = require('./platform')
const {
  readArrayBuffer, readAttachedArrayBuffer, readView, readBuffer, readAttachedBuffer
} = require('./read-binary')
const { readError } = require('./read-error')
const { readSharedMemory, readSharedObject } = require('./read-shared')

const {
  kDate, kRegExp, kMap, kSet, kArrayBuffer, kAttachedArrayBuffer, kView, kBuffer, kAttachedBuffer,
  kError, kBoxed, kMemory, kShared
} = tags

const { set: setEntry } = Map.prototype
const { add: addMember } = Set.prototype

function readExotic (reader, tag, payload) {
  switch (tag) {
    case kDate: return readDate(reader)
    case kMap: return readMap(reader, payload)
    case kSet: return readSet(reader, payload)
    case kView: return readView(reader, payload)
    case kBuffer: return readBuffer(reader)
    case kArrayBuffer: return readArrayBuffer(reader)
    case kRegExp: return readRegExp(reader, payload)
    case kError: return readError(reader, payload)
    case kBoxed: return readBoxed(reader)
    case kAttachedArrayBuffer: return readAttachedArrayBuffer(reader, payload)
    case kAttachedBuffer: return readAttachedBuffer(reader, payload)
    case kMemory: return readSharedMemory(reader, payload)
    case kShared: return readSharedObject(reader)
    default: return reader.fail('a value', `tag ${tag}`)
  }
}

function readDate (reader) {
  const time = reader.value()
  if (typeof time !== 'number') reader.fail('the time of a Date', `a value of type ${typeof time}`)
  return new Date(time)
}

function readRegExp (reader, bits) {
  const source = reader.string('the source of a RegExp')
  const flags = regExpFlags
    .filter((_, bit) => (bits >>> bit & 1) === 1)
    .map(({ letter }) => letter)
    .join('')
  let regExp
  try {
    regExp = new RegExp(source, flags)
  } catch {
    reader.fail('a regular expression', 'one that is not valid')
  }
  return regExp
}

// The largest Map or Set that V8 makes: adding more throws a RangeError.
const kMaxMembers = 2 ** 24

function readMap (reader, count) {
  if (count > kMaxMembers) reader.fail(`at most ${kMaxMembers} entries`, `${count}`)
  const map = new Map()
  reader.begin(map)
  for (let i = 0; i < count; i++) {
    const key = reader.value()
    setEntry.call(map, key, reader.value())
  }
  return map
}

function readSet (reader, count) {
  if (count > kMaxMembers) reader.fail(`at most ${kMaxMembers} members`, `${count}`)
  const set = new Set()
  reader.begin(set)
  for (let i = 0; i < count; i++) addMember.call(set, reader.value())
  return set
}

function readBoxed (reader) {
  const primitive = reader.value()
  if (primitive === undefined || primitive === null || typeof primitive === 'object') {
    reader.fail('a primitive to box', `${typeof primitive}`)
  }
  return Object(primitive)
}

module.exports = { readExotic }
