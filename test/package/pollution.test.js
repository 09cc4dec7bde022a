'use strict'

// What does not belong on Object.prototype and Array.prototype changes nothing: with each name
// that the sources of telar use, in the pool's owner and in its workers, before telar is loaded
// and afterwards.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')
const { assignedNames, readNames } = require('../fixtures/globals/names')

const fixtures = path.join(__dirname, '..', 'fixtures', 'globals')

function pollute (...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [
    '--require', path.join(fixtures, 'pollution-preload.js'), path.join(fixtures, 'pollute-everything.js'), ...args
  ], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return stdout
}

test('the names are those of the sources', () => {
  const names = new Set(readNames())
  for (const name of ['taskFunction', 'packet', 'value', 'timeout', 'compat', 'eval', 'once']) assert.ok(names.has(name), name)
  for (const name of ['code', 'transferList', 'capacity', 'bytes']) assert.ok(assignedNames().includes(name), name)
})

for (const where of ['owner', 'worker']) {
  for (const [what, ...args] of [
    ['values on Object.prototype, before telar is loaded', 'value', 'object', 'early'],
    ['values on Object.prototype, after telar was loaded', 'value', 'object', 'late'],
    ['setters on Object.prototype', 'accessor', 'object', 'late'],
    ['values on Array.prototype', 'value', 'array', 'late']
  ]) {
    test(`in the ${where}: ${what}`, () => {
      assert.match(pollute(where, ...args), /^looked at \d+ names\n$/)
    })
  }
}
