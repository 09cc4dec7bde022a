'use strict'

// Object.prototype may hold foreign properties (prototype pollution). Code that reads a property
// that an object does not have finds those instead. So in lib/:
//
//   - an object that telar makes has every property that is read from it, such as the messages to
//     other threads, or it has no prototype, such as the options and descriptors that Node and the
//     language get;
//   - properties are created by literals, class fields and setOwn(): an assignment might call a
//     setter on the prototype;
//   - objects of callers, and features that not every version of Node has, are read through own()
//     and memberOf().

const { Object } = require('./globals')

const { defineProperty, getPrototypeOf, hasOwn, prototype: ObjectPrototype } = Object

// The value of a property that may be absent.
function own (object, name) {
  return hasOwn(object, name) ? object[name] : undefined
}

// The same for an object that may be an instance of a class: properties of its prototypes count,
// those of Object.prototype do not.
function memberOf (object, name) {
  if (!hasOwn(ObjectPrototype, name)) return object[name]
  let holder = object
  while (holder !== null && holder !== ObjectPrototype) {
    if (hasOwn(holder, name)) return object[name]
    holder = getPrototypeOf(holder)
  }
  return undefined
}

// Creates a property as structured clone does, whatever the prototype has for that key.
function setOwn (object, key, value, enumerable = true) {
  defineProperty(object, key, {
    __proto__: null, value, writable: true, enumerable, configurable: true
  })
}

module.exports = { memberOf, own, setOwn }
