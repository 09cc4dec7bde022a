'use strict'

// A suite that uses pools, channels and locks passes under each test runner, with its fake timers,
// and the runner finds nothing that is left open.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { useFolder } = require('../fixtures/use-folder')
const { createProject } = require('./project')

const tools = path.join(__dirname, 'node_modules')
const tool = (name, file) => path.join(tools, name, file)

const jest = [tool('jest', 'bin/jest.js'), '--detectOpenHandles', '--ci', '--testMatch']
const vitest = [tool('vitest', 'vitest.mjs'), 'run', 'vitest.test.mjs']
const runners = [
  {
    name: 'Jest',
    args: [...jest, '**/jest.test.js'],
    passed: /^Tests: +6 passed, 6 total$/m
  },
  {
    name: 'Jest with ES modules',
    args: ['--experimental-vm-modules', '--no-warnings', ...jest, '**/jest-module.test.mjs'],
    passed: /^Tests: +6 passed, 6 total$/m
  },
  { name: 'Vitest in threads', args: [...vitest, '--pool=threads'], passed: /Tests +5 passed/ },
  { name: 'Vitest in processes', args: [...vitest, '--pool=forks'], passed: /Tests +5 passed/ },
  { name: 'Mocha', args: [tool('mocha', 'bin/mocha.js'), 'mocha.test.js'], passed: /5 passing/ },
  {
    name: 'node:test with coverage',
    args: ['--test', '--test-reporter=tap', '--experimental-test-coverage', 'node.test.js'],
    passed: /^# pass 5$/m
  }
]

function createSuite (t) {
  const folder = createProject(useFolder(t))
  fs.cpSync(path.join(__dirname, 'runners'), folder, { recursive: true })
  for (const name of ['mocha', 'sinon', 'vitest']) {
    fs.symlinkSync(path.join(tools, name), path.join(folder, 'node_modules', name), 'junction')
  }
  return folder
}

for (const { name, args, passed } of runners) {
  test(`a suite that uses telar passes under ${name}`, (t) => {
    const { NODE_TEST_CONTEXT, ...env } = process.env
    const { status, stdout, stderr, error } = spawnSync(process.execPath, args, {
      cwd: createSuite(t),
      encoding: 'utf8',
      timeout: 120_000,
      env: { ...env, NO_COLOR: '1', FORCE_COLOR: undefined }
    })
    assert.equal(error, undefined)
    const output = stdout + stderr
    assert.equal(status, 0, output)
    assert.match(output, passed)
    assert.doesNotMatch(output, /open handle|did not exit/i)
  })
}
