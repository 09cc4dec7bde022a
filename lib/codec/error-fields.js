'use strict'

const { AggregateError } = require('../base/globals')
const { errorClasses } = require('./platform')

// What an error carries besides its enumerable properties, in this order on the wire.
// Payload of ERROR: four bits of class, then a bit for each field that is present. Strings and
// numbers come first: the decoder can make the error when it has them, before it meets a
// value that may refer to it.
const fields = ['name', 'message', 'stack', 'quota', 'requested', 'cause', 'errors', 'error', 'suppressed']

const CLASS_BITS = 4

module.exports = {
  fields,
  // Of the fields, so many are strings, and so many more are numbers or null.
  TEXT_FIELDS: 3,
  NUMBER_FIELDS: 2,
  CLASS_MASK: (1 << CLASS_BITS) - 1,
  AGGREGATE_ERROR: errorClasses.indexOf(AggregateError),
  SUPPRESSED_ERROR: errorClasses.findIndex(Class => Class !== undefined && Class.name === 'SuppressedError'),
  // Beside the native classes of platform.js.
  QUOTA_EXCEEDED_ERROR: (1 << CLASS_BITS) - 2,
  DOM_EXCEPTION: (1 << CLASS_BITS) - 1,
  fieldBit: key => 1 << (CLASS_BITS + fields.indexOf(key))
}
