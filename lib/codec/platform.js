'use strict'

// What the codec asks of the platform, taken once at load: a user who redefines an
// accessor on an instance or a prototype must not change what is encoded, since the
// structured clone algorithm reads internal slots.

const globals = require('../base/globals')
const { types } = require('node:util')

const { ArrayBuffer, DataView, Map, Object, RegExp, Set, Symbol, Uint8Array } = globals

function getter (prototype, key) {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, key)
  return descriptor === undefined ? undefined : descriptor.get
}

const TypedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype)

const buffer = {
  byteLength: getter(ArrayBuffer.prototype, 'byteLength'),
  // Each of these exists from some version on.
  resizable: getter(ArrayBuffer.prototype, 'resizable'),
  detached: getter(ArrayBuffer.prototype, 'detached'),
  immutable: getter(ArrayBuffer.prototype, 'immutable')
}

const typedArray = {
  name: getter(TypedArrayPrototype, Symbol.toStringTag),
  buffer: getter(TypedArrayPrototype, 'buffer'),
  byteOffset: getter(TypedArrayPrototype, 'byteOffset'),
  length: getter(TypedArrayPrototype, 'length')
}

const dataView = {
  buffer: getter(DataView.prototype, 'buffer'),
  byteOffset: getter(DataView.prototype, 'byteOffset'),
  byteLength: getter(DataView.prototype, 'byteLength')
}

// In this order on the wire: both ends run in one process, so an entry that this
// version lacks stays undefined at both.
const viewClasses = [
  'DataView', 'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array',
  'Float16Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'
].map(name => globals[name])

const errorClasses = [
  'Error', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError', 'AggregateError', 'SuppressedError'
].map(name => globals[name])

// The letters that `new RegExp` takes, in the order of the bits on the wire.
const regExpFlags = [
  ['d', 'hasIndices'], ['g', 'global'], ['i', 'ignoreCase'], ['m', 'multiline'], ['s', 'dotAll'],
  ['u', 'unicode'], ['v', 'unicodeSets'], ['y', 'sticky']
].map(([letter, key]) => ({ letter, get: getter(RegExp.prototype, key) }))

const mapSize = getter(Map.prototype, 'size')
const setSize = getter(Set.prototype, 'size')
const regExpSource = getter(RegExp.prototype, 'source')

module.exports = {
  types, buffer, typedArray, dataView, viewClasses, errorClasses, mapSize, setSize, regExpFlags, regExpSource
}
