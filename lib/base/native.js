'use strict'

// Loads the native library, once per thread: the file that the parent thread has loaded, or the one
// that find-native.js finds.

const { getEnvironmentData, setEnvironmentData } = require('node:worker_threads')

function load () {
  // This thread might find another library: it may have an environment of its own, or the library
  // may have been built anew since. But only the library that made a pool knows that pool.
  const inherited = getEnvironmentData(__filename)
  return inherited === undefined ? search() : loadInherited(inherited)
}

// Most threads of a process are workers. They search nothing, which saves them two milliseconds.
function loadInherited (file) {
  try {
    return require(file)
  } catch {
    return search(file)
  }
}

function search (inherited) {
  const { native, file } = require('./find-native').findNative(inherited)
  setEnvironmentData(__filename, file) // for the threads that this one starts
  return native
}

module.exports = load()
