'use strict'

const { errorClasses } = require('./platform')
const { fields, TEXT_FIELDS, CLASS_MASK, DOM_EXCEPTION, AGGREGATE_ERROR, SUPPRESSED_ERROR, fieldBit } = require('./error-fields')

const { defineProperty, hasOwn } = Object

const [NAME_BIT, MESSAGE_BIT, STACK_BIT] = fields.map(fieldBit)
const valueFields = fields.slice(TEXT_FIELDS).map(key => ({ key, bit: fieldBit(key) }))

function readError (reader, bits) {
  const index = bits & CLASS_MASK
  const name = bits & NAME_BIT ? reader.string('the name of an error') : undefined
  const message = bits & MESSAGE_BIT ? reader.string('the message of an error') : undefined
  const stack = bits & STACK_BIT ? reader.string('the stack of an error') : undefined
  const error = makeWithoutTrace(reader, index, name, message)
  reader.remember(error)
  // Assigned where it exists: some versions keep it behind an accessor of their own.
  if (stack !== undefined && hasOwn(error, 'stack')) error.stack = stack
  else define(error, 'stack', stack, false)
  // A DOMException has its name in a slot.
  if (name !== undefined && index !== DOM_EXCEPTION) define(error, 'name', name, false)
  for (const { key, bit } of valueFields) {
    if (bits & bit) define(error, key, reader.value(), false)
  }
  const count = reader.word() >>> 0
  for (let i = 0; i < count; i++) {
    const key = reader.string('the key of a property of an error')
    const value = reader.value()
    if (key in error) define(error, key, value, true)
    else error[key] = value
  }
  return error
}

// The stack of the original is put in its place: capturing one here would be for nothing.
function makeWithoutTrace (reader, index, name, message) {
  const limit = Error.stackTraceLimit
  try {
    Error.stackTraceLimit = 0
  } catch {
    // Fixed by the user, or with everything else by --frozen-intrinsics.
    return make(reader, index, name, message)
  }
  try {
    return make(reader, index, name, message)
  } finally {
    if (limit === undefined) delete Error.stackTraceLimit
    else Error.stackTraceLimit = limit
  }
}

function make (reader, index, name, message) {
  if (index === DOM_EXCEPTION) return new globalThis.DOMException(message, name)
  const Class = errorClasses[index]
  if (Class === undefined) reader.fail('a class of errors', `number ${index}`)
  if (index === AGGREGATE_ERROR) return new Class([], message)
  return index === SUPPRESSED_ERROR ? new Class(undefined, undefined, message) : new Class(message)
}

function define (error, key, value, enumerable) {
  defineProperty(error, key, { value, writable: true, enumerable, configurable: true })
}

module.exports = { readError }
