'use strict'

// Searches for the native library. A library that was built here (`npm run build`,
// `npx telar build`) comes before the one that the package contains. TELAR_NATIVE=<path> loads
// that file and no other.

const { String, process, nodeRequire } = require('./globals')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { givenLibrary, isBundled, libraryFiles } = require('./own-files')

// Returns the library and its file. Throws the error that says what was tried.
// `inherited`: the file that the parent thread has loaded, if any.
function findNative (inherited) {
  if (os.endianness() === 'BE') {
    throw require('./errors').createError('ERR_TELAR_UNSUPPORTED_RUNTIME',
      `telar does not support big-endian processors (this is ${process.arch}): it packs ` +
      'characters into words')
  }
  const failures = []
  for (const file of inherited === undefined ? libraryFiles() : [inherited]) {
    try {
      if (!fs.existsSync(file)) {
        failures.push({ file, reason: 'does not exist' })
        continue
      }
      return { native: nodeRequire(file), file }
    } catch (error) {
      failures.push({ file, reason: String(error?.message), code: error?.code })
    }
  }
  throw require('./errors').createError('ERR_TELAR_NATIVE_LOAD', report(failures))
}

function report (failures) {
  const machine = `${process.platform} ${process.arch}, Node ${process.version}`
  const tried = failures
    .map(({ file, reason }) => `  ${file}\n    ${reason.replaceAll('\n', '\n    ')}`)
    .join('\n')
  const summary = `telar's native library could not be loaded (${machine})`
  return `${summary}. Tried:\n${tried}\n${remedy(failures)}`
}

function remedy (failures) {
  if (failures.some(({ code }) => code === 'ERR_DLOPEN_DISABLED' || code === 'ERR_ACCESS_DENIED')) {
    const root = isBundled ? '<folder>' : path.join(__dirname, '..', '..')
    return `Node's flags forbid it. With --permission (--experimental-permission on Node 20), add
--allow-addons and --allow-fs-read=${path.join(root, '*')}; leave out --no-addons.`
  }
  if (givenLibrary) {
    return 'The environment variable TELAR_NATIVE names this file; unset it to search the usual ' +
      'places.'
  }
  if (isBundled) {
    return `This code does not run from the folder of telar: a bundler has copied it into a bundle.
Copy the library there as telar.node, and bundle the file that workers run as telar-worker.js:
require('telar/files') has the paths of both, and docs/bundlers.md has the lines for each
bundler. Or mark "telar" as external, and install it where the bundle runs.`
  }
  return `Compile it for this machine: "npx telar build" where telar is installed, "npm run build"
in a clone of its repository. You need
${require('./compiler-advice')}`
}

module.exports = { findNative }
