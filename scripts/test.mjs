// Runs node --test over the files of test/ that end in .test.js, or over those
// of the folders or files that are given. Node 20 would run every file of a
// test folder, fixtures too, and Windows does not expand wildcards.

import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const given = process.argv.slice(2)
const flags = given.filter((arg) => arg.startsWith('--'))
const targets = given.filter((arg) => !arg.startsWith('--'))
if (targets.length === 0) targets.push('test')

const files = targets.flatMap((target) => {
  const path = join(root, target)
  if (!statSync(path).isDirectory()) return [target]
  return readdirSync(path).filter((name) => name.endsWith('.test.js')).sort().map((name) => join(target, name))
})

if (files.length === 0) {
  process.stderr.write(`No test files in ${targets.map((target) => relative(process.cwd(), join(root, target))).join(', ')}\n`)
  process.exitCode = 1
} else {
  const { status } = spawnSync(process.execPath, ['--test', '--test-concurrency=1', ...flags, ...files], { cwd: root, stdio: 'inherit' })
  process.exitCode = status ?? 1
}
