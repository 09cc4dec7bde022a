'use strict'

// What works in other runtimes than Node, and how the others refuse.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { useFolder } = require('../fixtures/use-folder')
const { createProject } = require('./project')

const tools = path.join(__dirname, 'node_modules')
// The package "bun" would need an install script to put the program in its place.
const processor = process.arch === 'arm64' ? 'aarch64' : process.arch
const bun = path.join(tools, '@oven', `bun-${process.platform}-${processor}`, 'bin', 'bun')

function run (t, command, args) {
  const folder = createProject(useFolder(t))
  fs.copyFileSync(path.join(__dirname, 'features.js'), path.join(folder, 'features.cjs'))
  const result = spawnSync(command, [...args, 'features.cjs'],
    { cwd: folder, encoding: 'utf8', timeout: 120_000 })
  assert.equal(result.error, undefined)
  return result
}

const count = (text, pattern) => text.match(pattern)?.length ?? 0

const kFeatures = 29

test('every feature works in Node', (t) => {
  const { status, stdout, stderr } = run(t, process.execPath, [])
  assert.equal(status, 0, stderr)
  assert.doesNotMatch(stdout, /does not work/)
  assert.equal(count(stdout, /^works: /gm), kFeatures)
  assert.match(stdout, /^printed by a task\nworks: output of tasks$/m)
})

test('every feature works in Bun, but memoryLimit, which is refused', (t) => {
  const { status, stdout, stderr } = run(t, bun, [])
  assert.equal(status, 0, stderr)
  assert.equal(count(stdout, /^works: /gm), kFeatures - 1, stdout)
  assert.equal(count(stdout, /^does not work/gm), 1)
  assert.match(stdout, /^does not work: memoryLimit: .*memoryLimit does not work in Bun \(this is/m)
  assert.match(stdout, /^printed by a task\nworks: output of tasks$/m)
})

// Nothing is allowed in Deno, so that it cannot ask for permissions first.
for (const flags of [['--allow-all'], ['--no-prompt']]) {
  test(`Deno refuses to load telar with an error that says why, ${flags}`, (t) => {
    const { status, stderr } = run(t, path.join(tools, '.bin', 'deno'), ['run', ...flags])
    assert.equal(status, 1)
    assert.match(stderr, /telar does not run in Deno \(this is \d+\.\d+\.\d+\)/)
  })
}
