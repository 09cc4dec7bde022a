'use strict'

const { AggregateError } = require('../base/globals')
const { errorClasses } = require('./platform')

// The fields of an error besides its enumerable properties, in their order on the wire. The payload
// of kError has four bits for the class, then a bit for each field that is present. Strings and
// numbers come first: with them the decoder can make the error before it reads a value that may
// refer to it.
const fields = [
  'name', 'message', 'stack', 'quota', 'requested', 'cause', 'errors', 'error', 'suppressed'
]

const kClassBits = 4

module.exports = {
  fields,
  // The first fields are strings, the next ones numbers or null.
  kTextFields: 3,
  kNumberFields: 2,
  kClassMask: (1 << kClassBits) - 1,
  kAggregateError: errorClasses.indexOf(AggregateError),
  kSuppressedError: errorClasses.findIndex(Class => Class?.name === 'SuppressedError'),
  // These two are not among the native classes of platform.js.
  kQuotaExceededError: (1 << kClassBits) - 2,
  kDomException: (1 << kClassBits) - 1,
  fieldBit: key => 1 << (kClassBits + fields.indexOf(key))
}
