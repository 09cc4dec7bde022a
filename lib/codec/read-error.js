'use strict'

const { DOMException, Error, Object, QuotaExceededError } = require('../base/globals')
const { errorClasses } = require('./platform')
const { setOwn } = require('../base/own')
const {
  fields, kTextFields, kNumberFields, kClassMask, kDomException, kQuotaExceededError,
  kAggregateError, kSuppressedError, fieldBit
} = require('./error-fields')

const { hasOwn } = Object

const kFirstValue = kTextFields + kNumberFields
const withBit = key => ({ key, bit: fieldBit(key) })

const [kNameBit, kMessageBit, kStackBit] = fields.map(fieldBit)
const numberFields = fields.slice(kTextFields, kFirstValue).map(withBit)
const valueFields = fields.slice(kFirstValue).map(withBit)

function readError (reader, bits) {
  const index = bits & kClassMask
  const name = bits & kNameBit ? reader.string('the name of an error') : undefined
  const message = bits & kMessageBit ? reader.string('the message of an error') : undefined
  const stack = bits & kStackBit ? reader.string('the stack of an error') : undefined
  const numbers = index === kQuotaExceededError ? readNumbers(reader, bits) : undefined
  const error = makeWithoutTrace(reader, index, name, message, numbers)
  reader.begin(error)
  // Assigned where the property exists: in some versions of Node it is an accessor.
  if (stack !== undefined && hasOwn(error, 'stack')) error.stack = stack
  else setOwn(error, 'stack', stack, false)
  // A DOMException has its name in an internal slot.
  if (name !== undefined && index < kQuotaExceededError) setOwn(error, 'name', name, false)
  for (const { key, bit } of valueFields) {
    if (bits & bit) setOwn(error, key, reader.value(), false)
  }
  const count = reader.word() >>> 0
  for (let i = 0; i < count; i++) {
    const key = reader.string('the key of a property of an error')
    const value = reader.value()
    if (key in error) setOwn(error, key, value, true)
    else error[key] = value
  }
  return error
}

function readNumbers (reader, bits) {
  const numbers = {}
  for (const { key, bit } of numberFields) {
    if (bits & bit) numbers[key] = reader.value()
  }
  return numbers
}

// Makes the error without capturing a stack: that of the original replaces it.
function makeWithoutTrace (reader, index, name, message, numbers) {
  const limit = Error.stackTraceLimit
  try {
    Error.stackTraceLimit = 0
  } catch {
    // Made read-only by user code, or by --frozen-intrinsics like all built-ins.
    return make(reader, index, name, message, numbers)
  }
  try {
    return make(reader, index, name, message, numbers)
  } finally {
    if (limit === undefined) delete Error.stackTraceLimit
    else Error.stackTraceLimit = limit
  }
}

function make (reader, index, name, message, numbers) {
  const Class = classOf(index)
  if (Class === undefined) reader.fail('a class of errors', `number ${index}`)
  switch (index) {
    case kDomException: return new Class(message, name)
    case kQuotaExceededError: return makeQuotaExceeded(reader, Class, message, numbers)
    case kAggregateError: return new Class([], message)
    case kSuppressedError: return new Class(undefined, undefined, message)
    default: return new Class(message)
  }
}

function classOf (index) {
  if (index === kDomException) return DOMException
  return index === kQuotaExceededError ? QuotaExceededError : errorClasses[index]
}

function makeQuotaExceeded (reader, Class, message, numbers) {
  try {
    return new Class(message, numbers)
  } catch {
    return reader.fail('a quota, and more than that as what was requested', 'other numbers')
  }
}

module.exports = { readError }
