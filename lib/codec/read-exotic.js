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
  DATE, REGEXP, MAP, SET, ARRAY_BUFFER, ATTACHED_ARRAY_BUFFER, VIEW, BUFFER, ATTACHED_BUFFER,
  ERROR, BOXED, MEMORY, SHARED
} = tags

const { set: setEntry } = Map.prototype
const { add: addMember } = Set.prototype

function readExotic (reader, tag, payload) {
  switch (tag) {
    case DATE: return readDate(reader)
    case MAP: return readMap(reader, payload)
    case SET: return readSet(reader, payload)
    case VIEW: return readView(reader, payload)
    case BUFFER: return readBuffer(reader)
    case ARRAY_BUFFER: return readArrayBuffer(reader)
    case REGEXP: return readRegExp(reader, payload)
    case ERROR: return readError(reader, payload)
    case BOXED: return readBoxed(reader)
    case ATTACHED_ARRAY_BUFFER: return readAttachedArrayBuffer(reader, payload)
    case ATTACHED_BUFFER: return readAttachedBuffer(reader, payload)
    case MEMORY: return readSharedMemory(reader)
    case SHARED: return readSharedObject(reader)
    default: return reader.fail('a value', `tag ${tag}`)
  }
}

function readDate (reader) {
  const time = reader.value()
  if (typeof time !== 'number') reader.fail('the time of a Date', `a value of type ${typeof time}`)
  const date = new Date(time)
  reader.remember(date)
  return date
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
  reader.remember(regExp)
  return regExp
}

// The largest Map or Set that V8 makes: adding more throws a RangeError.
const MAX_MEMBERS = 2 ** 24

function readMap (reader, count) {
  if (count > MAX_MEMBERS) reader.fail(`at most ${MAX_MEMBERS} entries`, `${count}`)
  const map = new Map()
  reader.remember(map)
  for (let i = 0; i < count; i++) {
    const key = reader.value()
    setEntry.call(map, key, reader.value())
  }
  return map
}

function readSet (reader, count) {
  if (count > MAX_MEMBERS) reader.fail(`at most ${MAX_MEMBERS} members`, `${count}`)
  const set = new Set()
  reader.remember(set)
  for (let i = 0; i < count; i++) addMember.call(set, reader.value())
  return set
}

function readBoxed (reader) {
  const primitive = reader.value()
  if (primitive === undefined || primitive === null || typeof primitive === 'object') {
    reader.fail('a primitive to box', `${typeof primitive}`)
  }
  const boxed = Object(primitive)
  reader.remember(boxed)
  return boxed
}

module.exports = { readExotic }
