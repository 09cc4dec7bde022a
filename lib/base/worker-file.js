'use strict'

// The file that workers run. It is said here alone, and where a bundler has taken telar's code
// along it is not there.

const path = require('node:path')

const kWorkerFile = path.join(__dirname, '..', 'worker', 'main.js')

module.exports = { kWorkerFile }
