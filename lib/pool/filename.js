'use strict'

// The file of tasks, as a pool or run() is given it.

const path = require('node:path')
const { URL, fileURLToPath } = require('node:url')
const { argumentError } = require('../base/arguments')
const { createError, describe } = require('../base/errors')

// As Node tells one: of another context, or of a substitute for the class, as well.
const isURL = (value) => typeof value === 'object' && value !== null &&
  typeof value.href === 'string' && typeof value.protocol === 'string'

// An absolute path: a relative one starts from the working directory, as for
// `new Worker`. What only import() reads stays the text of a URL: `data:`, and `file:` with
// a query or fragment, which make a module of its own of the same file.
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
