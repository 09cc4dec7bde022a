'use strict'

// For build scripts: the two files that telar needs beside a bundle.

const path = require('node:path')
const { findNative } = require('./base/find-native')

module.exports = {
  library: findNative().file,
  worker: path.join(__dirname, 'worker', 'main.js')
}
