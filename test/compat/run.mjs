// Runs Piscina's own test suite, as its package ships it, against telar/piscina.
//
//   node test/compat/run.mjs [--against telar|piscina] [--keep] [file-pattern]
//
// Copies the published package to a temporary folder, replaces its entry points by those of telar,
// and runs its tests there unchanged. `--against piscina` keeps the entry points, which tests this
// runner and not telar.

import {
  cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync,
  writeFileSync
} from 'node:fs'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

// The size of the suite of 5.3.2 without the files below. Some tests skip themselves: those for
// Node 24 only, for Windows only, or for few CPUs only. If fewer tests run, or more are skipped,
// tests were lost.
const kTests = 152
const kMaxSkipped = 4

// Files that are not run, with the reason. docs/piscina.md tells it to users.
const leftOut = {
  'nice.test.ts': 'needs @napi-rs/nice, an optional package of Piscina'
}

const kMinute = 60_000
const kFileTimeout = 2 * kMinute
const kSuiteTimeout = 15 * kMinute

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    against: { type: 'string', default: 'telar' },
    keep: { type: 'boolean', default: false }
  }
})
const pattern = positionals[0] ?? ''

if (!['telar', 'piscina'].includes(flags.against)) {
  process.stderr.write(`--against must be telar or piscina; received ${flags.against}\n`)
  process.exit(2)
}

function preparePackage (folder) {
  const original = join(root, 'node_modules', 'piscina')
  cpSync(original, folder,
    { recursive: true, filter: (source) => source !== join(original, 'node_modules') })
  // The tools of the tests come from this project, not from another installation.
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction')
  if (flags.against === 'telar') replaceEntries(folder)
}

function replaceEntries (folder) {
  const face = JSON.stringify(join(root, 'lib', 'piscina.js'))
  const moduleFace = JSON.stringify(pathToFileURL(join(root, 'lib', 'piscina.mjs')).href)
  const lib = (...names) => JSON.stringify(join(root, 'lib', ...names))
  const write = (file, lines) => writeFileSync(join(folder, 'dist', file), `${lines.join('\n')}\n`)

  // The suite imports the class from the package, from dist, and from the ES module face.
  // TypeScript's `import X from` takes `default` if __esModule is set.
  for (const file of ['main.js', 'index.js']) {
    write(file, ["'use strict'", `module.exports = require(${face})`])
  }
  write('esm-wrapper.mjs', [`export { default } from ${moduleFace}`, `export * from ${moduleFace}`])

  // A few tests use internals. They get those of telar, so that they test them.
  renameSync(join(folder, 'dist', 'common.js'), join(folder, 'dist', 'original_common.js'))
  write('common.js', [
    "'use strict'",
    `const { isMovable, isTransferable, markMovable } = require(${lib('transport', 'move.js')})`,
    `const { cpus } = require(${lib('base', 'native.js')})`,
    'module.exports = {',
    "  ...require('./original_common.js'), isMovable, isTransferable, markMovable,",
    '  getAvailableParallelism: cpus',
    '}'
  ])
}

function testFiles (folder) {
  return readdirSync(join(folder, 'test'))
    .filter((name) => name.endsWith('.test.ts') && !(name in leftOut) && name.includes(pattern))
    .sort()
    .map((name) => join('test', name))
}

function count (summary, what) {
  const match = new RegExp(`^# ${what} (\\d+)$`, 'm').exec(summary)
  return match === null ? 0 : Number(match[1])
}

// Runs the tests in a process group of their own, since a test file that hangs is a grandchild and
// must end with the runner that started it.
async function runTests (folder, summaryFile) {
  const args = [
    '--import', 'tsx', '--test', '--test-concurrency=1', `--test-timeout=${kFileTimeout}`,
    '--test-reporter=spec', '--test-reporter-destination=stdout',
    '--test-reporter=tap', `--test-reporter-destination=${summaryFile}`,
    ...testFiles(folder)
  ]
  const child = spawn(process.execPath, args, {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: process.platform !== 'win32'
  })

  const end = () => {
    if (process.platform === 'win32') child.kill()
    else process.kill(-child.pid, 'SIGKILL')
  }
  const timer = setTimeout(() => {
    const minutes = kSuiteTimeout / kMinute
    process.stderr.write(`The suite takes longer than ${minutes} minutes and is ended.\n`)
    end()
  }, kSuiteTimeout)
  process.once('SIGINT', end).once('SIGTERM', end)
  const [status] = await once(child, 'exit')
  clearTimeout(timer)
  return status
}

const scratch = mkdtempSync(join(tmpdir(), 'telar-compat-'))
try {
  const folder = join(scratch, 'piscina')
  preparePackage(folder)
  const summaryFile = join(scratch, 'summary.tap')
  const status = await runTests(folder, summaryFile)

  const summary = existsSync(summaryFile) ? readFileSync(summaryFile, 'utf8') : ''
  const [passed, skipped] = [count(summary, 'pass'), count(summary, 'skipped')]
  const isComplete = pattern !== ''
    ? passed > 0
    : passed + skipped >= kTests && skipped <= kMaxSkipped
  process.stdout.write(`Piscina's suite against ${flags.against}: ${passed} passed, ` +
    `${skipped} skipped, of ${kTests}; left out: ${Object.keys(leftOut).join(', ')}\n`)
  process.exitCode = status === 0 && isComplete ? 0 : 1
} finally {
  if (flags.keep) process.stdout.write(`${scratch}\n`)
  else rmSync(scratch, { recursive: true, force: true })
}
