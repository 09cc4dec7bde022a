'use strict'

// The codec: encodes JavaScript values as words in shared memory, with the semantics of the
// structured clone algorithm. tags.js describes the format.

const { Encoder } = require('./encoder')
const { Decoder } = require('./decoder')

module.exports = { Encoder, Decoder }
