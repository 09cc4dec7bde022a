'use strict'

// A project with the packed telar, the examples of bundlers, and the bundlers of this clone.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const root = path.join(__dirname, '..', '..')

// The packages whose names the examples import.
const kBundlers = ['@rollup', '@vercel', 'esbuild', 'postject', 'rollup', 'vite', 'webpack']

const tarball = process.env.TELAR_TARBALL
assert.ok(tarball, 'TELAR_TARBALL must be the packed package: run "npm run test:ecosystem"')

function createProject (folder) {
  const modules = path.join(folder, 'node_modules')
  const telar = path.join(modules, 'telar')
  fs.mkdirSync(telar, { recursive: true })
  const { status, stderr } = spawnSync('tar', ['-xzf', tarball, '-C', telar, '--strip=1'],
    { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  for (const name of kBundlers) {
    fs.symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name), 'junction')
  }
  fs.cpSync(path.join(root, 'examples', 'bundle'), path.join(folder, 'bundle'), { recursive: true })
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n')
  return folder
}

// A program `node` of version 24 or newer.
function node24 () {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  const name = `node24-${process.platform}-${process.arch}`
  const node = path.join(__dirname, 'node_modules', name, 'bin', 'node')
  assert.ok(fs.existsSync(node), `no ${name}: run the test with Node 24 or newer`)
  return node
}

module.exports = { createProject, node24, root, tarball }
