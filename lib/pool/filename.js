'use strict'

// Reads the option `filename` of a pool and of run().

const path = require('node:path')
const { URL, fileURLToPath } = require('node:url')
const { argumentError } = require('../base/arguments')
const { describe } = require('../base/describe')
const { createError } = require('../base/errors')

// Recognizes a URL in the way Node does: instances from another context, and of a class that
// substitutes URL, are accepted too.
const isURL = (value) => typeof value === 'object' && value !== null &&
  typeof value.href === 'string' && typeof value.protocol === 'string'

// The filename as an absolute path. A relative path starts from the working directory, as for
// `new Worker`. Two kinds of URLs stay URLs, since only import() can load them: `data:`, and
// `file:` with a query or a fragment, which loads the file as another module.
function resolveFilename (filename, what) {
  const text = typeof filename === 'string' ? filename : filename.href
  if (text.startsWith('file:')) {
    try {
      const file = fileURLToPath(text)
      return /[?#]./.test(text) ? new URL(text).href : file
    } catch (cause) {
      const message = `${what} must be a path or a valid file: URL`
      const received = `${describe(text)}: ${cause.message}`
      throw createError('ERR_TELAR_INVALID_ARGUMENT', `${message}; received ${received}`)
    }
  }
  if (text.startsWith('data:')) return text
  if (typeof filename === 'string') return path.resolve(text)
  throw argumentError(`${what} must be a path, a file: URL or a data: URL`, text)
}

module.exports = { isURL, resolveFilename }
