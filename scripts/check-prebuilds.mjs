// Checks the prebuilt libraries of Linux, or the given files: that they load on systems as old as
// those that Node 20 itself runs on, and that they are small. Needs objdump and strip (binutils).
//
//   node scripts/check-prebuilds.mjs
//   node scripts/check-prebuilds.mjs build/Release/telar.node

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './test-files.mjs'

// Of Red Hat Enterprise Linux 8, the oldest system that Node 20 supports.
const kNewest = { GLIBC: '2.28', GLIBCXX: '3.4.25', CXXABI: '1.3.11' }
const kMaxBytes = 300_000

function run (program, args) {
  const { error, status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (error !== undefined || status !== 0) throw error ?? new Error(stderr)
  return stdout
}

const isNewer = (version, than) =>
  version.localeCompare(than, 'en', { numeric: true }) > 0

// The versions of the system's libraries that a library asks for, and that are too new.
function tooNew (file) {
  const asked = run('objdump', ['-T', file]).match(/\b(?:GLIBC|GLIBCXX|CXXABI)_[\d.]+/g) ?? []
  return [...new Set(asked)].filter((symbol) => {
    const [library, version] = symbol.split('_')
    return isNewer(version, kNewest[library])
  })
}

function strippedBytes (file) {
  const folder = mkdtempSync(join(tmpdir(), 'telar-strip-'))
  try {
    const stripped = join(folder, 'telar.node')
    run('strip', ['-o', stripped, file])
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
const given = process.argv.slice(2)
const files = given.length > 0
  ? given
  : readdirSync(prebuilds).filter((name) => name.startsWith(`linux-${process.arch}`))
    .map((name) => join(prebuilds, name, 'telar.node'))
if (files.length === 0 || !files.map(check).every(Boolean)) process.exitCode = 1
