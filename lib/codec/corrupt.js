'use strict'

// The error of a decoder that met bytes no encoder writes.
class CorruptPayloadError extends TypeError {
  code = 'ERR_TELAR_CORRUPT_PAYLOAD'

  constructor (expected, received, offset) {
    super(`Expected ${expected} at byte ${offset} of the payload but received ${received}. ` +
      'Something wrote to the shared memory of the pool; look for code that keeps a view on it.')
  }
}

// A name on the prototype, as the native classes have it, not on each instance.
Object.defineProperty(CorruptPayloadError.prototype, 'name', {
  value: 'TypeError', writable: true, enumerable: false, configurable: true
})

module.exports = { CorruptPayloadError }
