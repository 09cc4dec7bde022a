'use strict'

// The value codec: JavaScript values as words in shared memory, with the contract of the
// structured clone algorithm. tags.js describes the format.

const { Encoder } = require('./encoder')
const { Decoder } = require('./decoder')

module.exports = { Encoder, Decoder }
