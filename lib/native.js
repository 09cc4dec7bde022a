'use strict'

// Loads the native library, once per thread. What was built here on purpose
// (`npm run build`, `npx telar build`) comes before what the package brought
// along. TELAR_NATIVE=<path> loads that file and nothing else.

const fs = require('node:fs')
const path = require('node:path')

const root = path.join(__dirname, '..')

function * candidates () {
  if (process.env.TELAR_NATIVE) return yield path.resolve(process.env.TELAR_NATIVE)
  yield path.join(root, 'build', 'Release', 'telar.node')
  yield path.join(root, 'build', 'Debug', 'telar.node')
  const machine = `${process.platform}-${process.arch}`
  const variants = process.platform === 'linux' ? [machine, `${machine}-musl`] : [machine]
  // A library for the other libc fails to load, and the next one is tried. Only
  // where a compatibility layer would load it all the same does the order count.
  if (fs.existsSync('/etc/alpine-release')) variants.reverse()
  for (const variant of variants) yield path.join(root, 'prebuilds', variant, 'telar.node')
}

function load () {
  const failures = []
  for (const file of candidates()) {
    if (!fs.existsSync(file)) {
      failures.push(`  ${file}\n    does not exist`)
      continue
    }
    try {
      return require(file)
    } catch (error) {
      failures.push(`  ${file}\n    ${String(error?.message).split('\n').join('\n    ')}`)
    }
  }
  throw require('./errors').createError('ERR_TELAR_NATIVE_LOAD', report(failures))
}

function report (failures) {
  const machine = `${process.platform} ${process.arch}, Node ${process.version}`
  const remedy = process.env.TELAR_NATIVE
    ? 'The environment variable TELAR_NATIVE names this file; unset it to look in the usual places.'
    : `Compile it for this machine: "npx telar build" where telar is installed, "npm run build" in a
clone of its repository. That needs a C11 and C++17 compiler, make and Python 3 (Debian,
Ubuntu: apt-get install build-essential python3; macOS: xcode-select --install;
Windows: Visual Studio with "Desktop development with C++").`
  return `telar's native library could not be loaded (${machine}). Tried:\n${failures.join('\n')}\n${remedy}`
}

module.exports = load()
