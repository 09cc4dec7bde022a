'use strict'

// telar works under the flags of Node and causes no warning. native-library.test.js has the flags
// under which it cannot work.

const assert = require('node:assert/strict')
const path = require('node:path')
const { test } = require('node:test')
const { pathToFileURL } = require('node:url')
const { runProgram } = require('../fixtures/run-program')

const limit = { timeout: 60_000 }
const expected = [
  'printed', JSON.stringify([2, 3, 4, 2 ** 20, 4, 1, 'RangeError: as it should', 'after it', 1])
]

const program = (name) => path.join(__dirname, '..', 'fixtures', 'flags', name)

async function run (flags, { name = 'run.js', env } = {}) {
  const args = flags.includes('--input-type=module')
    ? [...flags, '-e', `import ${JSON.stringify(pathToFileURL(program(name)))}`]
    : [...flags, program(name)]
  const { NODE_OPTIONS, ...inherited } = process.env
  const limits = { env: { ...inherited, ...env }, timeout: 50_000 }
  const { code, stdout, stderr } = await runProgram(args, limits)
  return { status: code, lines: stdout.trimEnd().split('\n'), stderr }
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
  test(`telar works without a warning under ${flags.join(' ')}`, limit, async () => {
    const { status, lines, stderr } = await run(flags)
    assert.deepEqual(lines, expected, stderr)
    assert.equal(status, 0)
    // Node itself warns of some flags.
    assert.doesNotMatch(stderr, /DeprecationWarning|DEP\d+/)
  })
}

for (const [what, env] of [
  ['NODE_OPTIONS', { NODE_OPTIONS: '--pending-deprecation --throw-deprecation' }],
  ['NODE_PENDING_DEPRECATION', { NODE_PENDING_DEPRECATION: '1' }],
  [
    'the execArgv of a pool',
    { EXEC_ARGV: JSON.stringify(['--pending-deprecation', '--throw-deprecation']) }
  ]
]) {
  test(`telar works without a warning under deprecations by ${what}`, limit, async () => {
    assert.deepEqual(await run([], { env }), { status: 0, lines: expected, stderr: '' })
  })
}

test('a rejection left behind counts as --unhandled-rejections says', limit, async () => {
  for (const [mode, outcome] of [
    ['throw', 'rejected: left behind'], ['strict', 'rejected: left behind'],
    ['warn', 'the result'], ['none', 'the result'], ['warn-with-error-code', 'the result']
  ]) {
    const { lines } = await run([`--unhandled-rejections=${mode}`], { name: 'leaves.js' })
    assert.deepEqual(lines, [JSON.stringify(new Array(4).fill(outcome))], mode)
  }
})
