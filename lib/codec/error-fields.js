'use strict'

const { AggregateError } = require('../base/globals')
const { errorClasses } = require('./platform')

// The fields of an error besides its enumerable properties, in their order on the wire. The payload
// of ERROR has four bits for the class, then a bit for each field that is present. Strings and
// numbers come first: with them the decoder can make the error before it reads a value that may
// refer to it.
const fields = [
  'name', 'message', 'stack', 'quota', 'requested', 'cause', 'errors', 'error', 'suppressed'
]

const CLASS_BITS = 4

module.exports = {
  fields,
  // The first fields are strings, the next ones numbers or null.
  TEXT_FIELDS: 3,
  NUMBER_FIELDS: 2,
  CLASS_MASK: (1 << CLASS_BITS) - 1,
  AGGREGATE_ERROR: errorClasses.indexOf(AggregateError),
  SUPPRESSED_ERROR: errorClasses.findIndex(Class => Class?.name === 'SuppressedError'),
  // These two are not among the native classes of platform.js.
  QUOTA_EXCEEDED_ERROR: (1 << CLASS_BITS) - 2,
  DOM_EXCEPTION: (1 << CLASS_BITS) - 1,
  fieldBit: key => 1 << (CLASS_BITS + fields.indexOf(key))
}
