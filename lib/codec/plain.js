'use strict'

const { ArrayBuffer, JSON, Object } = require('../base/globals')
const { types } = require('node:util')
const { own } = require('../base/own')

const { prototype: ObjectPrototype } = Object
const { toString } = ObjectPrototype
const isRawJSON = own(JSON, 'isRawJSON') // since Node 21

// Whether an object whose prototype is null, or the Object.prototype of some realm, is a plain
// one. It may still be something else: arguments, a Date whose prototype was replaced, a module
// namespace. What is neither seen here nor by hasHiddenState() is listed in
// docs/values.md.
function isPlain (object, prototype) {
  if (toString.call(object) !== '[object Object]') return false
  if (prototype !== null) return true
  return object !== ObjectPrototype && !types.isExternal(object) && isRawJSON?.(object) !== true
}

// Looked for where it is likely: among objects without properties, and those whose first one is an element.
function hasHiddenState (object) {
  return types.isMap(object) || types.isSet(object) || types.isPromise(object) || types.isWeakMap(object) ||
    types.isWeakSet(object) || types.isAnyArrayBuffer(object) || ArrayBuffer.isView(object) ||
    types.isGeneratorObject(object) || types.isMapIterator(object) || types.isSetIterator(object) || types.isBoxedPrimitive(object)
}

module.exports = { hasHiddenState, isPlain }
