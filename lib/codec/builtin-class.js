'use strict'

// Which class of the language a prototype belongs to, in whatever realm: code that runs in a context of
// node:vm, as that of sandboxes and test runners does, has classes of its own.

const { Function, Object } = require('../base/globals')
const { types } = require('node:util')

const { getOwnPropertyDescriptor } = Object
const { toString: sourceOf } = Function.prototype

const NATIVE = /^function (\w+)\(\) \{ \[native code\] \}$/

// The name, or undefined. Runs no code of the caller's.
function builtinName (prototype) {
  const constructor = getOwnPropertyDescriptor(prototype, 'constructor')?.value
  if (typeof constructor !== 'function' || types.isProxy(constructor)) return undefined
  if (getOwnPropertyDescriptor(constructor, 'prototype')?.value !== prototype) return undefined
  return NATIVE.exec(sourceOf.call(constructor))?.[1]
}

module.exports = { builtinName }
