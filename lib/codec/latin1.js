'use strict'

// Finds characters of two bytes. For a string that V8 stores in one-byte characters its regular
// expression engine reduces this to a single test.
const kNotLatin1 = /[^\x00-\xff]/ // eslint-disable-line no-control-regex

module.exports = { kNotLatin1 }
