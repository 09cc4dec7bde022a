'use strict'

// Each example of examples/bundle takes the packed package into a bundle. What it made runs in a
// folder of its own, when the project it was made in is gone.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { useFolder } = require('../fixtures/use-folder')
const { createProject } = require('./project')

const kAnswer = '{ double: 42, isWorkerThread: true, hasChannels: true }\n'

function run (file, args, options) {
  const { status, stdout, stderr, error } = spawnSync(file, args,
    { encoding: 'utf8', timeout: 240_000, ...options })
  assert.equal(error, undefined)
  assert.equal(status, 0, stdout + stderr)
  return stdout + stderr
}

for (const bundler of ['esbuild', 'webpack', 'rollup', 'vite', 'nft', 'sea']) {
  for (const kind of ['mjs', 'cjs']) {
    test(`${bundler} bundles a server, server.${kind}, that runs elsewhere`, (t) => {
      const folder = useFolder(t)
      const project = createProject(path.join(folder, 'project'))
      const example = path.join(project, 'bundle', `${bundler}.mjs`)
      const entry = path.join(project, 'bundle', 'app', `server.${kind}`)
      run(process.execPath, [example, entry, path.join(project, 'out')])

      const elsewhere = path.join(folder, 'elsewhere')
      fs.renameSync(path.join(project, 'out'), elsewhere)
      fs.rmSync(project, { recursive: true })
      const [file, ...args] = bundler === 'sea'
        ? [path.join(elsewhere, 'server')]
        : [process.execPath, path.join(elsewhere, `server.${kind}`)]
      assert.equal(run(file, args, { cwd: folder }), kAnswer)
    })
  }
}
