'use strict'

const { BigUint64Array, Int32Array, Number } = require('../base/globals')
const { memberOf } = require('../base/own')
const { kByName } = require('./tags').memories

const id = new BigUint64Array(1)
const halves = new Int32Array(id.buffer)

function readSharedMemory (reader, payload) {
  return payload === kByName ? readNamed(reader) : readById(reader)
}

function readNamed (reader) {
  const { memory } = reader
  const name = reader.value()
  if (memberOf(memory, 'named') === undefined || !Number.isInteger(name) || name < 0) {
    reader.fail('a value', 'a name of a shared object')
  }
  return memory.named(name) ?? reader.fail('the name of a shared object', `${name}`)
}

function readById (reader) {
  const name = readUint64(reader)
  const length = readUint64(reader)
  if (memberOf(reader.memory, 'find') === undefined) reader.fail('a value', 'a SharedArrayBuffer')
  return reader.memory.find(name, Number(length))
}

function readSharedObject (reader) {
  if (memberOf(reader.memory, 'revive') === undefined) {
    reader.fail('a value', 'an object in shared memory')
  }
  return reader.memory.revive(reader.value())
}

function readUint64 (reader) {
  halves[0] = reader.word()
  halves[1] = reader.word()
  return id[0]
}

module.exports = { readSharedMemory, readSharedObject }
