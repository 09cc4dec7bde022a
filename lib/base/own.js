'use strict'

// Object.prototype may hold what does not belong there (prototype pollution), and whoever looks
// for a property that an object has not got finds that. So in lib/:
//
//   - an object that telar makes has every property that anyone reads from it, as messages to
//     other threads do, or it has no prototype, as what Node and the language get: options,
//     descriptors;
//   - properties are made by literals, class fields and setOwn(): an assignment may meet a
//     setter up there;
//   - what callers give, and what not every version of Node has, is read through own() and
//     memberOf().

const { Object } = require('./globals')

const { defineProperty, getPrototypeOf, hasOwn, prototype: ObjectPrototype } = Object

// Of a property that may be absent.
function own (object, name) {
  return hasOwn(object, name) ? object[name] : undefined
}

// The same for what may be an instance of a class: its prototypes count, the last one does not.
function memberOf (object, name) {
  if (!hasOwn(ObjectPrototype, name)) return object[name]
  for (let holder = object; holder !== null && holder !== ObjectPrototype; holder = getPrototypeOf(holder)) {
    if (hasOwn(holder, name)) return object[name]
  }
  return undefined
}

// As structured clone creates a property, whatever the prototype says of the key.
function setOwn (object, key, value, enumerable = true) {
  defineProperty(object, key, { __proto__: null, value, writable: true, enumerable, configurable: true })
}

module.exports = { memberOf, own, setOwn }
