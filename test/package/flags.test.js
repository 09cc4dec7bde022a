'use strict'

// telar under the flags of Node: it works, and gives rise to no warning. The flags that it
// cannot work under are in native-library.test.js.

const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')
const { pathToFileURL } = require('node:url')

const limit = { timeout: 60_000 }
const expected = ['printed', JSON.stringify([2, 3, 4, 2 ** 20, 4, 1, 'RangeError: as it should', 'after it', 1])]

const program = (name) => path.join(__dirname, '..', 'fixtures', 'flags', name)

function run (flags, { name = 'run.js', env } = {}) {
  const args = flags.includes('--input-type=module')
    ? [...flags, '-e', `import ${JSON.stringify(pathToFileURL(program(name)))}`]
    : [...flags, program(name)]
  const { NODE_OPTIONS, ...inherited } = process.env
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env: { ...inherited, ...env }, timeout: 50_000 }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : error.code, lines: stdout.trimEnd().split('\n'), stderr })
    })
  })
}

const everyVersion = [
  ['--pending-deprecation'],
  ['--pending-deprecation', '--throw-deprecation'],
  ['--pending-deprecation', '--trace-deprecation'],
  ['--throw-deprecation'],
  ['--no-deprecation'],
  ['--frozen-intrinsics'],
  ['--disable-proto=delete'],
  ['--disable-proto=throw'],
  ['--disallow-code-generation-from-strings'],
  ['--experimental-vm-modules'],
  ['--preserve-symlinks', '--preserve-symlinks-main'],
  ['--enable-source-maps'],
  ['--unhandled-rejections=strict'],
  ['--trace-warnings', '--trace-uncaught'],
  ['--jitless'],
  ['--stack-size=100'],
  ['--input-type=module'],
  ['--no-experimental-require-module'],
  ['--single-threaded'],
  ['--expose-gc', '--max-old-space-size=64']
]

for (const flags of everyVersion) {
  test(`telar works, and warns of nothing, with ${flags.join(' ')}`, limit, async () => {
    const { status, lines, stderr } = await run(flags)
    assert.deepEqual(lines, expected, stderr)
    assert.equal(status, 0)
    // Node warns of some of the flags themselves.
    assert.doesNotMatch(stderr, /DeprecationWarning|DEP\d+/)
  })
}

for (const [what, env] of [
  ['NODE_OPTIONS', { NODE_OPTIONS: '--pending-deprecation --throw-deprecation' }],
  ['NODE_PENDING_DEPRECATION', { NODE_PENDING_DEPRECATION: '1' }],
  ['the execArgv of a pool', { EXEC_ARGV: JSON.stringify(['--pending-deprecation', '--throw-deprecation']) }]
]) {
  test(`telar works, and warns of nothing, with deprecations by ${what}`, limit, async () => {
    assert.deepEqual(await run([], { env }), { status: 0, lines: expected, stderr: '' })
  })
}

test('a rejection that a task leaves behind counts as --unhandled-rejections says, for every function', limit, async () => {
  for (const [mode, outcome] of [
    ['throw', 'rejected: left behind'], ['strict', 'rejected: left behind'],
    ['warn', 'the result'], ['none', 'the result'], ['warn-with-error-code', 'the result']
  ]) {
    const { lines } = await run([`--unhandled-rejections=${mode}`], { name: 'leaves.js' })
    assert.deepEqual(lines, [JSON.stringify(new Array(4).fill(outcome))], mode)
  }
})
