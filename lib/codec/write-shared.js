'use strict'

const { BigInt, BigUint64Array, Int32Array, Object, SharedArrayBuffer } = require('../base/globals')
const { types } = require('node:util')
const { memberOf } = require('../base/own')
const tags = require('./tags')

const { kMemory, kShared, kTagBits } = tags
const { kById, kByName } = tags.memories

const byteLength = Object.getOwnPropertyDescriptor(SharedArrayBuffer.prototype, 'byteLength').get
const id = new BigUint64Array(1)
const halves = new Int32Array(id.buffer)

// Whether a buffer is shared memory that cannot grow. A view on growable memory may follow its
// length, and JavaScript cannot see whether it does.
function isFixedSharedMemory (buffer) {
  return types.isSharedArrayBuffer(buffer) && buffer.growable !== true
}

// A SharedArrayBuffer is not copied: its name or its id is written.
function writeSharedMemory (writer, buffer) {
  const { memory } = writer
  if (memberOf(memory, 'nameOf') !== undefined) return writeName(writer, buffer)
  if (memberOf(memory, 'identify') === undefined || !writer.reserve(5)) return false
  const length = byteLength.call(buffer)
  id[0] = memory.identify(buffer)
  const { words, pos } = writer
  words[pos] = kById << kTagBits | kMemory
  words[pos + 1] = halves[0]
  words[pos + 2] = halves[1]
  id[0] = BigInt(length)
  words[pos + 3] = halves[0]
  words[pos + 4] = halves[1]
  writer.pos = pos + 5
  return true
}

function writeModule (writer, module) {
  return memberOf(writer.memory, 'nameOf') !== undefined && writeName(writer, module)
}

function writeName (writer, object) {
  let name = writer.memory.nameOf(object)
  if (name < 0) {
    if (!writer.overflow()) return false
    name = writer.memory.nameOf(object)
  }
  return name >= 0 && writer.word(kByName << kTagBits | kMemory) && writer.number(name)
}

// Whether an object lives in shared memory. Such an object keeps its class on the other side.
function isSharedObject (writer, object) {
  const { memory } = writer
  return memberOf(memory, 'isShared') !== undefined && memory.isShared(object)
}

// Writes the plain object that structured clone would make of it.
function writeSharedObject (writer, object) {
  if (!writer.enter() || !writer.word(kShared) || !writer.value({ ...object })) return false
  writer.leave()
  return true
}

module.exports = {
  isFixedSharedMemory, isSharedObject, writeModule, writeSharedMemory, writeSharedObject
}
