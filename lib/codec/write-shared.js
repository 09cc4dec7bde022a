'use strict'

const { BigInt, BigUint64Array, Int32Array, Object, SharedArrayBuffer } = require('../base/globals')
const { types } = require('node:util')
const { memberOf } = require('../base/own')
const tags = require('./tags')

const { MEMORY, SHARED } = tags

const byteLength = Object.getOwnPropertyDescriptor(SharedArrayBuffer.prototype, 'byteLength').get
const id = new BigUint64Array(1)
const halves = new Int32Array(id.buffer)

// A view on memory that may grow may follow its length, which cannot be asked for.
function isFixedSharedMemory (buffer) {
  return types.isSharedArrayBuffer(buffer) && buffer.growable !== true
}

// A SharedArrayBuffer is named, not copied.
function writeSharedMemory (writer, buffer) {
  const { memory } = writer
  if (memberOf(memory, 'identify') === undefined || !writer.reserve(5)) return false
  const length = byteLength.call(buffer)
  id[0] = memory.identify(buffer)
  const { words, pos } = writer
  words[pos] = MEMORY
  words[pos + 1] = halves[0]
  words[pos + 2] = halves[1]
  id[0] = BigInt(length)
  words[pos + 3] = halves[0]
  words[pos + 4] = halves[1]
  writer.pos = pos + 5
  return true
}

// Whether it is an object that lies in shared memory, which arrives as what it is.
function isSharedObject (writer, object) {
  const { memory } = writer
  return memberOf(memory, 'identify') !== undefined && memory.isShared(object)
}

// As the plain object that the platform would make of it.
function writeSharedObject (writer, object) {
  if (!writer.enter() || !writer.word(SHARED) || !writer.value({ ...object })) return false
  writer.leave()
  return true
}

module.exports = { isFixedSharedMemory, isSharedObject, writeSharedMemory, writeSharedObject }
