'use strict'

// Tests and tasks replace what stands in the global scope, timers and clocks above all.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')
const { ESLint } = require('eslint')

const root = path.join(__dirname, '..', '..')
const fixtures = path.join(__dirname, '..', 'fixtures', 'globals')
const run = (...args) => {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: fixtures, timeout: 60_000, killSignal: 'SIGKILL' })
  assert.deepEqual([status, signal], [0, null], `${stdout}${stderr}`)
  return stdout.trim()
}

// ---- the rule ----

const kRules = ['no-undef', 'no-restricted-properties', 'no-restricted-syntax']
const eslint = new ESLint({ cwd: root, ruleFilter: ({ ruleId }) => kRules.includes(ruleId) })
const complaints = (results) => results.flatMap(({ filePath, messages }) => messages
  .filter(({ ruleId }) => kRules.includes(ruleId))
  .map(({ line, message }) => `${path.relative(root, filePath)}:${line}: ${message}`))

test('no file of lib uses a global that others can replace, nor a timer or a clock of Node', async () => {
  assert.deepEqual(complaints(await eslint.lintFiles(['lib/**/*.js'])), [])
})

test('the linter sees one that does, with its line', async () => {
  for (const [code, what] of [
    ['setTimeout(() => {})', /'setTimeout' is not defined/],
    ["const { setTimeout } = require('node:timers')\nsetTimeout(() => {})", /Use lib\/base\/time\.js/],
    ["const timers = require('node:timers/promises')\ntimers.setTimeout(1)", /Use lib\/base\/time\.js/],
    ["const { performance } = require('node:perf_hooks')\nperformance.now()", /Use lib\/base\/time\.js/],
    ["const { process } = require('./globals')\nprocess.nextTick(() => {})", /process\.nextTick/],
    ['new Map()', /'Map' is not defined/],
    ['globalThis.Map', /'globalThis' is not defined/],
    ["require('process').cwd()", /Take it from lib\/base\/globals\.js/],
    ['typeof structuredClone', /'structuredClone' is not defined/]
  ]) {
    const found = complaints(await eslint.lintText(`'use strict'\n\n${code}\n`, { filePath: path.join(root, 'lib', 'some.js') }))
    assert.ok(found.some((complaint) => what.test(complaint) && /^lib.some\.js:[34]: /.test(complaint)), `${code}: ${found.join()}`)
  }
})

// ---- all of it ----

for (const where of ['owner', 'worker']) {
  test(`everything works while the ${where} has all its globals replaced`, () => {
    assert.equal(run('--require', './replace-globals.js', 'replaced-globals.js', where), 'the same')
  })
}

// ---- time ----

for (const when of ['before', 'after']) {
  for (const [name, what, expected] of [
    ['lock', 'a lock is waited for, and the process lives on meanwhile', ['ERR_TELAR_TIMEOUT', 'locked']],
    ['timeouts', 'timeouts pass', ['ERR_TELAR_TIMEOUT', false, 'timed-out', 'ERR_TELAR_TIMEOUT']],
    ['channel', 'a channel gives the event loop its turn', 'sent'],
    ['pool', 'idle threads go, and close() times out', [['ERR_TELAR_CLOSE_TIMEOUT'], 'ERR_TELAR_TERMINATED']],
    ['balancer', 'a balancer is asked again', [5, true]]
  ]) {
    test(`time was faked ${when} telar was loaded: ${what}`, () => {
      assert.deepEqual(JSON.parse(run('fake-timers.js', when, name)), expected)
    })
  }
}
