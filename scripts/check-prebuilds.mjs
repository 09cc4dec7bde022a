// Checks the prebuilt library of this machine, or the given files: that it is small, and on Linux
// that it loads on systems as old as those that Node 20 itself runs on. Needs strip and, on Linux,
// objdump (binutils).
//
//   node scripts/check-prebuilds.mjs
//   node scripts/check-prebuilds.mjs build/Release/telar.node
//   node scripts/check-prebuilds.mjs --all     whether there is one for each platform

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './test-files.mjs'

const kPlatforms = [
  'darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-arm64-musl', 'linux-x64', 'linux-x64-musl',
  'win32-arm64', 'win32-x64'
]
// Of Red Hat Enterprise Linux 8, the oldest system that Node 20 supports.
const kNewest = { GLIBC: '2.28', GLIBCXX: '3.4.25', CXXABI: '1.3.11' }
const kMaxBytes = 300_000
// Apple's strip removes what is not needed to load a library only with -x. On Windows the symbols
// are in a file of their own.
const kStrip = { darwin: ['-x'], linux: [], win32: null }[process.platform]

function run (program, args) {
  const { error, status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (error !== undefined || status !== 0) throw error ?? new Error(stderr)
  return stdout
}

const isNewer = (version, than) =>
  version.localeCompare(than, 'en', { numeric: true }) > 0

// The versions of the system's libraries that a library asks for, and that are too new. Those of
// musl have no versions.
function tooNew (file) {
  if (process.platform !== 'linux') return []
  const asked = run('objdump', ['-T', file]).match(/\b(?:GLIBC|GLIBCXX|CXXABI)_[\d.]+/g) ?? []
  return [...new Set(asked)].filter((symbol) => {
    const [library, version] = symbol.split('_')
    return isNewer(version, kNewest[library])
  })
}

function strippedBytes (file) {
  if (kStrip === null) return statSync(file).size
  const folder = mkdtempSync(join(tmpdir(), 'telar-strip-'))
  try {
    const stripped = join(folder, 'telar.node')
    run('strip', [...kStrip, '-o', stripped, file])
    return statSync(stripped).size
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function check (file) {
  const faults = []
  const symbols = tooNew(file)
  if (symbols.length > 0) faults.push(`asks for ${symbols.join(', ')}`)
  const bytes = strippedBytes(file)
  if (bytes > kMaxBytes) faults.push(`has ${bytes} bytes, more than ${kMaxBytes}`)
  console.log([file, ...(faults.length === 0 ? ['ok'] : faults)].join(': '))
  return faults.length === 0
}

const prebuilds = join(root, 'prebuilds')
const libraryOf = (platform) => join(prebuilds, platform, 'telar.node')

function checkAll () {
  const missing = kPlatforms.filter((platform) => !existsSync(libraryOf(platform)))
  console.log(missing.length === 0
    ? 'There is a library for each platform'
    : `There is no library for ${missing.join(', ')}`)
  return missing.length === 0
}

function checkFiles (given) {
  const files = given.length > 0
    ? given
    : readdirSync(prebuilds)
      .filter((name) => name.startsWith(`${process.platform}-${process.arch}`))
      .map(libraryOf)
  return files.length > 0 && files.map(check).every(Boolean)
}

const args = process.argv.slice(2)
const isAll = args.length === 1 && args[0] === '--all'
if (!(isAll ? checkAll() : checkFiles(args))) process.exitCode = 1
