'use strict'

// The built-in accessors and classes that the codec uses, read once when it is loaded. The
// structured clone algorithm reads internal slots, so an accessor that user code redefines on an
// instance or a prototype must not change what is encoded.

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
  // These are missing in some versions of Node.
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

// The wire names a class by its index in these lists. Both sides run in one process, so a class
// that this version of Node lacks is undefined on both.
const viewClasses = [
  'DataView', 'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array',
  'Int32Array', 'Uint32Array', 'Float16Array', 'Float32Array', 'Float64Array', 'BigInt64Array',
  'BigUint64Array'
].map(name => globals[name])
// The kind of a Buffer whose memory is written as a whole, with its place there.
const kBufferView = viewClasses.length

const errorClasses = [
  'Error', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError',
  'AggregateError', 'SuppressedError'
].map(name => globals[name])

// The flags that `new RegExp` takes, in the order of their bits on the wire.
const regExpFlags = [
  ['d', 'hasIndices'], ['g', 'global'], ['i', 'ignoreCase'], ['m', 'multiline'], ['s', 'dotAll'],
  ['u', 'unicode'], ['v', 'unicodeSets'], ['y', 'sticky']
].map(([letter, key]) => ({ letter, get: getter(RegExp.prototype, key) }))

const mapSize = getter(Map.prototype, 'size')
const setSize = getter(Set.prototype, 'size')
const regExpSource = getter(RegExp.prototype, 'source')

module.exports = {
  types,
  buffer,
  typedArray,
  dataView,
  kBufferView,
  viewClasses,
  errorClasses,
  mapSize,
  setSize,
  regExpFlags,
  regExpSource
}
