'use strict'

const { errorClasses } = require('./platform')

// What an error carries besides its enumerable properties, in this order on the wire.
// Payload of ERROR: four bits of class, then a bit for each field that is present. The
// strings come first: the decoder can make the error when it has them, before it meets a
// value that may refer to it.
const fields = ['name', 'message', 'stack', 'cause', 'errors', 'error', 'suppressed']

const CLASS_BITS = 4

module.exports = {
  fields,
  TEXT_FIELDS: 3,
  CLASS_MASK: (1 << CLASS_BITS) - 1,
  AGGREGATE_ERROR: errorClasses.indexOf(AggregateError),
  SUPPRESSED_ERROR: errorClasses.findIndex(Class => Class !== undefined && Class.name === 'SuppressedError'),
  // Beside the native classes of platform.js.
  DOM_EXCEPTION: (1 << CLASS_BITS) - 1,
  fieldNumber: key => fields.indexOf(key),
  fieldBit: key => 1 << (CLASS_BITS + fields.indexOf(key))
}
