'use strict'

// Loads the native library, once per thread: the file that the parent thread has loaded, or the one
// that find-native.js finds.

const { codeFile, nodeRequire } = require('./globals')
const path = require('node:path')
const { getEnvironmentData, setEnvironmentData } = require('node:worker_threads')

// By folder, since a process may hold several copies of telar, each with a library of its own.
const kKey = path.join(path.dirname(codeFile), 'native.js')

function load () {
  // This thread might find another library: it may have an environment of its own, or the library
  // may have been built anew since. But only the library that made a pool knows that pool.
  const inherited = getEnvironmentData(kKey)
  return inherited === undefined ? search() : loadInherited(inherited)
}

// Most threads of a process are workers. They search nothing, which saves them two milliseconds.
function loadInherited (file) {
  try {
    return nodeRequire(file)
  } catch {
    return search(file)
  }
}

function search (inherited) {
  const { native, file } = require('./find-native').findNative(inherited)
  setEnvironmentData(kKey, file) // for the threads that this one starts
  return native
}

module.exports = load()
