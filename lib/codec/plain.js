'use strict'

const { ArrayBuffer, JSON, Object } = require('../base/globals')
const { types } = require('node:util')
const { own } = require('../base/own')

const { prototype: ObjectPrototype } = Object
const { toString } = ObjectPrototype
const isRawJSON = own(JSON, 'isRawJSON') // since Node 21

// Whether an object whose prototype is null, or the Object.prototype of some realm, is a plain
// object. It may be something else: an arguments object, a Date whose prototype was replaced, a
// module namespace. docs/values.md lists the objects that neither this function nor
// hasHiddenState() detects.
function isPlain (object, prototype) {
  if (toString.call(object) !== '[object Object]') return false
  if (prototype !== null) return true
  return object !== ObjectPrototype && !types.isExternal(object) && isRawJSON?.(object) !== true
}

// Whether an object has state besides its properties. Only called where that is likely: for objects
// without properties, and for those whose first property is an element.
function hasHiddenState (object) {
  return types.isMap(object) || types.isSet(object) || types.isPromise(object) ||
    types.isWeakMap(object) || types.isWeakSet(object) || types.isAnyArrayBuffer(object) ||
    ArrayBuffer.isView(object) || types.isGeneratorObject(object) || types.isMapIterator(object) ||
    types.isSetIterator(object) || types.isBoxedPrimitive(object)
}

module.exports = { hasHiddenState, isPlain }
