// Builds the native library from source: `npm run build` in a clone,
// `npx telar build` where the package is installed.
//
// Uses node-gyp: the project's own, else the one inside npm. It compiles
// against the stable Node-API, so one build serves every version of Node on the
// same system and processor.

import { createHash } from 'node:crypto'
import {
  existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync
} from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import compilerAdvice from '../lib/base/compiler-advice.js'
import { CommandError, main, run, step } from './command.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
// Where the build description and the sources are: the root of a clone; a folder of the package,
// since Yarn and pnpm take a binding.gyp at the root of a package for an install script.
const packed = join(root, 'native')
const isClone = existsSync(join(root, 'binding.gyp'))
const project = isClone ? root : packed
const stampFile = join(root, 'build', 'telar.stamp')

export const advice = `telar needs to compile its native library here. That takes
${compilerAdvice}
Then run it again: "npm run build" in a clone, "npx telar build" where the package is installed.`

// Changes with every source, with the build description, and with the machine's kind.
function fingerprint () {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`)
  const sources = readdirSync(join(project, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  for (const file of [join(project, 'binding.gyp'), ...sources.sort()]) {
    hash.update(`${file.slice(project.length)}\n`).update(readFileSync(file))
  }
  return hash.digest('hex')
}

// Contents, not times: a checkout gives old sources new times.
export function isBuilt () {
  return existsSync(join(root, 'build', 'Release', 'telar.node')) &&
    existsSync(stampFile) && readFileSync(stampFile, 'utf8') === fingerprint()
}

// The project's own, else the one that npm has inside: npm's file is known when
// npm started us, and is where the link `npm` on the PATH leads; on Windows, and
// where Node was unpacked, npm lies beside or near the program `node`.
function findNodeGyp () {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  const nearby = [dirname(process.execPath), ...folders].flatMap((folder) => [
    join(folder, 'npm'),
    join(folder, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(folder, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js')
  ])
  const places = [fileURLToPath(import.meta.url), process.env.npm_execpath, ...nearby]
    .filter((file) => file && existsSync(file))
    .map((file) => realpathSync(file))
  for (const place of new Set(places)) {
    try {
      return createRequire(place).resolve('node-gyp/bin/node-gyp.js')
    } catch {} // the message below names the places
  }
  const list = [...new Set(places)].map((place) => `  ${place}`).join('\n')
  throw new CommandError(`node-gyp was not found. Looked for it from\n${list}\n` +
    'Install it with "npm install node-gyp", then try again.')
}

// Where Node came with its headers there is nothing to download. node-gyp takes
// the folder from the environment, where npm puts the user's own setting.
function headers () {
  if (process.env.npm_config_nodedir !== undefined) return {}
  const folder = join(dirname(realpathSync(process.execPath)), '..')
  return existsSync(join(folder, 'include', 'node', 'node_api.h'))
    ? { npm_config_nodedir: folder }
    : {}
}

// `folder` holds the build description and gets the folder `build`; `env` may bring flags.
export function compile ({ folder = project, env, isDebug = false, isLoud = false }) {
  const mode = isDebug ? '--debug' : '--release'
  const args = [findNodeGyp(), 'configure', 'build', mode, '--jobs=max']
  run(process.execPath, args, { cwd: folder, env: { ...headers(), ...env }, isLoud })
}

// From the folder of the package to where find-native.js searches. By rename: a process may be
// using the library that is replaced.
function moveLibrary (mode) {
  const target = join(root, 'build', mode)
  mkdirSync(target, { recursive: true })
  renameSync(join(packed, 'build', mode, 'telar.node'), join(target, 'telar.node'))
  rmSync(join(packed, 'build'), { recursive: true })
}

export function build ({ isDebug = false, isLoud = false } = {}) {
  // Before, not after: a source that is edited during the build is not in it.
  const stamp = fingerprint()
  compile({ isDebug, isLoud })
  if (!isClone) moveLibrary(isDebug ? 'Debug' : 'Release')
  if (!isDebug) writeFileSync(stampFile, stamp)
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(() => {
    const isLoud = process.argv.includes('--verbose')
    const isDebug = process.argv.includes('--debug')
    if (isLoud) build({ isDebug, isLoud })
    else step('Compiling the native library', () => build({ isDebug }))
  }, advice)
}
