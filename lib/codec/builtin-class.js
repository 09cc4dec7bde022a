'use strict'

// Finds the built-in class that a prototype belongs to, in any realm: code that runs in a context
// of node:vm, as in sandboxes and test runners, has built-in classes of its own.

const { Function, Object } = require('../base/globals')
const { types } = require('node:util')

const { getOwnPropertyDescriptor } = Object
const { toString: sourceOf } = Function.prototype

const kNative = /^function (\w+)\(\) \{ \[native code\] \}$/

// The name of the class, or undefined. Runs no user code.
function builtinName (prototype) {
  const constructor = getOwnPropertyDescriptor(prototype, 'constructor')?.value
  if (typeof constructor !== 'function' || types.isProxy(constructor)) return undefined
  if (getOwnPropertyDescriptor(constructor, 'prototype')?.value !== prototype) return undefined
  return kNative.exec(sourceOf.call(constructor))?.[1]
}

module.exports = { builtinName }
