// Runs node --test over the JavaScript tests, over those of the folders or files that are given,
// or over all but some:
//
//   npm run test:js
//   node scripts/test.mjs test/channel test/pool/values.test.js
//   node scripts/test.mjs --without=test/package/pollution.test.js
//
// Other options go to node --test.

import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { root, testFiles } from './test-files.mjs'

const kWithout = '--without='
// A file that takes longer has a process that never ends, and fails. Without it the run would hang.
const kFileTimeoutMs = 600_000

const given = process.argv.slice(2)
const without = given.filter((arg) => arg.startsWith(kWithout))
  .map((arg) => arg.slice(kWithout.length))
const flags = given.filter((arg) => arg.startsWith('--') && !arg.startsWith(kWithout))
const all = testFiles(given.filter((arg) => !arg.startsWith('--')))
const files = all.filter((file) => !without.includes(file))
const known = testFiles([])
const unknown = without.filter((file) => !known.includes(file))

if (unknown.length > 0) {
  process.stderr.write(`${kWithout} names no test file: ${unknown.join(', ')}\n`)
  process.exitCode = 1
} else if (files.length === 0) {
  process.stderr.write('There are no test files there\n')
  process.exitCode = 1
} else {
  const args = [
    '--test', `--test-concurrency=${availableParallelism()}`, `--test-timeout=${kFileTimeoutMs}`,
    ...flags, ...files
  ]
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
  process.exitCode = status ?? 1
}
