'use strict'

const { errorClasses } = require('./platform')
const { fields, TEXT_FIELDS, CLASS_MASK, DOM_EXCEPTION, AGGREGATE_ERROR, presentBit, enumerableBit } = require('./error-fields')

const { defineProperty } = Object

function readError (reader, bits) {
  const index = bits & CLASS_MASK
  const texts = new Array(TEXT_FIELDS).fill(undefined)
  for (let field = 0; field < TEXT_FIELDS; field++) {
    if (bits & presentBit(field)) texts[field] = reader.string(`the ${fields[field]} of an error`)
  }
  const error = withoutTrace(() => make(reader, index, texts))
  reader.remember(error)
  for (let field = 0; field < fields.length; field++) {
    if (!(bits & presentBit(field))) continue
    const value = field < TEXT_FIELDS ? texts[field] : reader.value()
    // Its name and message lie in internal slots.
    if (index === DOM_EXCEPTION && field < 2) continue
    define(error, fields[field], value, (bits & enumerableBit(field)) !== 0)
  }
  const count = reader.word() >>> 0
  for (let i = 0; i < count; i++) {
    const key = reader.string('the key of a property of an error')
    define(error, key, reader.value(), true)
  }
  return error
}

function make (reader, index, [name, message]) {
  if (index === DOM_EXCEPTION) return new globalThis.DOMException(message, name)
  const Class = errorClasses[index]
  if (Class === undefined) reader.fail('a class of errors', `number ${index}`)
  return index === AGGREGATE_ERROR ? new Class([]) : new Class()
}

// The stack of the original is put in its place: capturing one here would be for nothing.
function withoutTrace (make) {
  const descriptor = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit')
  if (descriptor === undefined || descriptor.writable !== true) return make()
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return make()
  } finally {
    Error.stackTraceLimit = limit
  }
}

function define (error, key, value, enumerable) {
  defineProperty(error, key, { value, writable: true, enumerable, configurable: true })
}

module.exports = { readError }
