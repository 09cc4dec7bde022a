'use strict'

// The file that workers run. The path is defined only here. The file does not exist where a bundler
// has copied telar's code into a bundle (native.js).

const path = require('node:path')

const kWorkerFile = path.join(__dirname, '..', 'worker', 'main.js')

module.exports = { kWorkerFile }
