'use strict'

// Loads the native library, once per thread. What was built here on purpose
// (`npm run build`, `npx telar build`) comes before what the package brought
// along. TELAR_NATIVE=<path> loads that file and nothing else.

const { String, process } = require('./globals')
const fs = require('node:fs')
const path = require('node:path')
const { getEnvironmentData, setEnvironmentData } = require('node:worker_threads')
const { own } = require('./own')

const given = own(process.env, 'TELAR_NATIVE')
const root = path.join(__dirname, '..', '..')

function * candidates () {
  // What the thread that started this one has loaded. Not what this thread would find: its
  // environment may be its own, or another library may have been built since; and a pool is
  // known only to the library that made it.
  const inherited = getEnvironmentData(__filename)
  if (inherited !== undefined) return yield inherited
  if (given) return yield path.resolve(given)
  yield path.join(root, 'build', 'Release', 'telar.node')
  yield path.join(root, 'build', 'Debug', 'telar.node')
  const machine = `${process.platform}-${process.arch}`
  const variants = process.platform === 'linux' ? [machine, `${machine}-musl`] : [machine]
  // A library for the other libc fails to load, and the next one is tried. Only
  // where a compatibility layer would load it all the same does the order count.
  if (isAlpine()) variants.reverse()
  for (const variant of variants) yield path.join(root, 'prebuilds', variant, 'telar.node')
}

function isAlpine () {
  try {
    return fs.existsSync('/etc/alpine-release')
  } catch {
    return false // Node's permission model does not let us see
  }
}

function load () {
  const failures = []
  for (const file of candidates()) {
    try {
      if (!fs.existsSync(file)) {
        failures.push({ file, reason: 'does not exist' })
        continue
      }
      const native = require(file)
      setEnvironmentData(__filename, file) // for the threads that this one starts
      return native
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
  return `telar's native library could not be loaded (${machine}). Tried:\n${tried}\n${remedy(failures)}`
}

function remedy (failures) {
  if (failures.some(({ code }) => code === 'ERR_DLOPEN_DISABLED' || code === 'ERR_ACCESS_DENIED')) {
    return `The flags of Node forbid it. With --permission (--experimental-permission on Node 20) it takes
--allow-addons and --allow-fs-read=${path.join(root, '*')}; leave out --no-addons.`
  }
  if (!fs.existsSync(require('./worker-file').kWorkerFile)) {
    return `This code is not in the folder of telar: a bundler has taken it along. The workers of telar
and its library are files of their own: mark "telar" as external in the bundler, and install it
where the bundle runs.`
  }
  if (given) {
    return 'The environment variable TELAR_NATIVE names this file; unset it to look in the usual places.'
  }
  return `Compile it for this machine: "npx telar build" where telar is installed, "npm run build" in a
clone of its repository. That takes
${require('./compiler-advice')}`
}

module.exports = load()
