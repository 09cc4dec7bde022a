'use strict'

// Searches for the native library. A library that was built here (`npm run build`,
// `npx telar build`) comes before the one that the package contains. TELAR_NATIVE=<path> loads
// that file and no other.

const { String, process } = require('./globals')
const fs = require('node:fs')
const path = require('node:path')
const { own } = require('./own')

const given = own(process.env, 'TELAR_NATIVE')
const root = path.join(__dirname, '..', '..')

// `inherited`: the file that the parent thread has loaded, if any.
function * candidates (inherited) {
  if (inherited !== undefined) return yield inherited
  if (given) return yield path.resolve(given)
  yield path.join(root, 'build', 'Release', 'telar.node')
  yield path.join(root, 'build', 'Debug', 'telar.node')
  const machine = `${process.platform}-${process.arch}`
  const variants = process.platform === 'linux' ? [machine, `${machine}-musl`] : [machine]
  // A library for the other libc fails to load, and the next one is tried. The order matters only
  // where a compatibility layer makes both of them load.
  if (isAlpine()) variants.reverse()
  for (const variant of variants) yield path.join(root, 'prebuilds', variant, 'telar.node')
}

function isAlpine () {
  try {
    return fs.existsSync('/etc/alpine-release')
  } catch {
    return false // forbidden by Node's permission model
  }
}

// Returns the library and its file. Throws the error that says what was tried.
function findNative (inherited) {
  const failures = []
  for (const file of candidates(inherited)) {
    try {
      if (!fs.existsSync(file)) {
        failures.push({ file, reason: 'does not exist' })
        continue
      }
      return { native: require(file), file }
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
    return `Node's flags forbid it. With --permission (--experimental-permission on Node 20), add
--allow-addons and --allow-fs-read=${path.join(root, '*')}; leave out --no-addons.`
  }
  if (!fs.existsSync(require('./worker-file').kWorkerFile)) {
    return `This code does not run from the folder of telar: a bundler has copied it into a bundle.
The worker file of telar and its native library must stay files of their own:
mark "telar" as external in the bundler, and install it where the bundle runs.`
  }
  if (given) {
    return 'The environment variable TELAR_NATIVE names this file; unset it to search the usual ' +
      'places.'
  }
  return `Compile it for this machine: "npx telar build" where telar is installed, "npm run build"
in a clone of its repository. You need
${require('./compiler-advice')}`
}

module.exports = { findNative }
