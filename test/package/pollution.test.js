'use strict'

// Properties on Object.prototype and Array.prototype do not affect telar: with each name that its
// sources use, in the owner of a pool and in its workers, before telar is loaded and afterwards.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')
const { assignedNames, readNames } = require('../fixtures/globals/names')

const fixtures = path.join(__dirname, '..', 'fixtures', 'globals')

function pollute (...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [
    '--require', path.join(fixtures, 'pollution-preload.js'),
    path.join(fixtures, 'pollute-everything.js'), ...args
  ], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return stdout
}

test('the polluted names are those of the sources', () => {
  const names = new Set(readNames())
  for (const name of ['taskFunction', 'packet', 'value', 'timeout', 'compat', 'eval', 'once']) {
    assert.ok(names.has(name), name)
  }
  for (const name of ['code', 'transferList', 'capacity', 'bytes']) {
    assert.ok(assignedNames().includes(name), name)
  }
})

for (const where of ['owner', 'worker']) {
  for (const [what, ...args] of [
    ['values on Object.prototype from before it is loaded', 'value', 'object', 'early'],
    ['values on Object.prototype from after it is loaded', 'value', 'object', 'late'],
    ['setters on Object.prototype', 'accessor', 'object', 'late'],
    ['values on Array.prototype', 'value', 'array', 'late']
  ]) {
    test(`telar in the ${where} ignores ${what}`, () => {
      assert.match(pollute(where, ...args), /^looked at \d+ names\n$/)
    })
  }
}
