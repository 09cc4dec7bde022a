'use strict'

// Tests and tasks replace globals, and above all timers and clocks. telar does not depend on them.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')
const { ESLint } = require('eslint')

const root = path.join(__dirname, '..', '..')
const fixtures = path.join(__dirname, '..', 'fixtures', 'globals')
const run = (...args) => {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8', cwd: fixtures, timeout: 60_000, killSignal: 'SIGKILL'
  })
  assert.deepEqual([status, signal], [0, null], `${stdout}${stderr}`)
  return stdout.trim()
}

// ---- The rule ----

const kRules = ['no-undef', 'no-restricted-properties', 'no-restricted-syntax']
const eslint = new ESLint({ cwd: root, ruleFilter: ({ ruleId }) => kRules.includes(ruleId) })
const complaints = (results) => results.flatMap(({ filePath, messages }) => messages
  .filter(({ ruleId }) => kRules.includes(ruleId))
  .map(({ line, message }) => `${path.relative(root, filePath)}:${line}: ${message}`))

test('no file of lib uses a replaceable global, or a timer or clock of Node', async () => {
  assert.deepEqual(complaints(await eslint.lintFiles(['lib/**/*.js'])), [])
})

test('the linter reports a file that does, with its line', async () => {
  for (const [code, what] of [
    ['setTimeout(() => {})', /'setTimeout' is not defined/],
    [
      "const { setTimeout } = require('node:timers')\nsetTimeout(() => {})",
      /Use lib\/base\/time\.js/
    ],
    [
      "const timers = require('node:timers/promises')\ntimers.setTimeout(1)",
      /Use lib\/base\/time\.js/
    ],
    [
      "const { performance } = require('node:perf_hooks')\nperformance.now()",
      /Use lib\/base\/time\.js/
    ],
    ["const { process } = require('./globals')\nprocess.nextTick(() => {})", /process\.nextTick/],
    ['new Map()', /'Map' is not defined/],
    ['globalThis.Map', /'globalThis' is not defined/],
    ["require('process').cwd()", /Take it from lib\/base\/globals\.js/],
    ['typeof structuredClone', /'structuredClone' is not defined/]
  ]) {
    const filePath = path.join(root, 'lib', 'some.js')
    const found = complaints(await eslint.lintText(`'use strict'\n\n${code}\n`, { filePath }))
    const isExpected = (complaint) =>
      what.test(complaint) && /^lib.some\.js:[34]: /.test(complaint)
    assert.ok(found.some(isExpected), `${code}: ${found.join()}`)
  }
})

// ---- All globals ----

for (const where of ['owner', 'worker']) {
  test(`telar works while all globals of the ${where} are replaced`, () => {
    assert.equal(run('--require', './replace-globals.js', 'replaced-globals.js', where), 'the same')
  })
}

// ---- Time ----

for (const when of ['before', 'after']) {
  for (const [name, what, expected] of [
    [
      'lock',
      'a lock still waits and keeps the process alive',
      ['ERR_TELAR_TIMEOUT', 'locked']
    ],
    [
      'timeouts',
      'timeouts still pass',
      ['ERR_TELAR_TIMEOUT', false, 'timed-out', 'ERR_TELAR_TIMEOUT']
    ],
    ['channel', 'a channel still gives the event loop its turn', 'sent'],
    [
      'pool',
      'idle threads still end, and close() times out',
      [['ERR_TELAR_CLOSE_TIMEOUT'], 'ERR_TELAR_TERMINATED']
    ],
    ['balancer', 'a balancer is still asked again', [5, true]]
  ]) {
    test(`with time faked ${when} telar is loaded, ${what}`, () => {
      assert.deepEqual(JSON.parse(run('fake-timers.js', when, name)), expected)
    })
  }
}
