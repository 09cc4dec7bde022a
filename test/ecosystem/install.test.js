'use strict'

// Each package manager installs the packed tarball, on a machine without a compiler and without a
// network: it compiles nothing, warns of nothing, and a program with a pool runs.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { useFolder } = require('../fixtures/use-folder')
const { node24, tarball } = require('./project')

const tools = path.join(__dirname, 'node_modules')

// `args`: add the tarball to the project. `run`: start a program, where Node alone cannot.
// `settings`: files of the project. `needs24`: it needs a version newer than 20.
const npm = ['bin/npm-cli.js', 'install', tarball]
const pnpm = ['bin/pnpm.cjs', 'add', tarball, '--store-dir=../store']
const yarn = ['bin/yarn.js', 'add', `telar@file:${tarball}`]
const pnp = ['bin/yarn.js', 'node']
const managers = [
  { name: 'npm 10', tool: 'npm10', add: npm },
  { name: 'npm 10 with --ignore-scripts', tool: 'npm10', add: [...npm, '--ignore-scripts'] },
  { name: 'npm 11', tool: 'npm11', add: npm },
  { name: 'npm 12', tool: 'npm12', add: npm, needs24: true },
  { name: 'pnpm 10', tool: 'pnpm10', add: pnpm },
  { name: 'Yarn 1', tool: 'yarn1', add: yarn },
  ...['4.5', '4'].flatMap((version) => ['node-modules', 'pnp', 'pnpm'].map((linker) => ({
    name: `Yarn ${version} with the linker ${linker}`,
    tool: `yarn${version}`,
    add: yarn,
    run: linker === 'pnp' ? pnp : [],
    settings: {
      // Without a lock file Yarn would take the project for a part of a folder above it.
      'yarn.lock': '',
      '.yarnrc.yml': `nodeLinker: ${linker}\n`
    }
  })))
]

const programs = {
  'tasks.js': `const { isWorkerThread } = require('telar')
module.exports = (n) => isWorkerThread ? n * 2 : NaN
`,
  'main.js': `const { Pool } = require('telar')
const pool = new Pool({ filename: require.resolve('./tasks.js') })
pool.run(21).then((result) => {
  console.log(result)
  return pool.close()
})
`,
  'main.mjs': `import { Pool } from 'telar'
const pool = new Pool({ filename: new URL('./tasks.js', import.meta.url) })
console.log(await pool.run(21))
await pool.close()
`
}

function createProject (folder, settings = {}) {
  fs.mkdirSync(folder)
  const manifest = { name: 'project', version: '1.0.0', license: 'MIT', private: true }
  const files = { ...programs, ...settings, 'package.json': JSON.stringify(manifest) }
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text)
}

// A PATH with Node and a shell alone, no settings of the caller's, a home and a cache of its own,
// and a registry that does not answer.
function environment (folder, node) {
  const bin = path.join(folder, 'bin')
  fs.mkdirSync(bin)
  fs.symlinkSync(node, path.join(bin, 'node'))
  fs.symlinkSync('/bin/sh', path.join(bin, 'sh'))
  return {
    PATH: bin,
    HOME: folder,
    npm_config_registry: 'http://127.0.0.1:9/',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    YARN_CACHE_FOLDER: path.join(folder, 'cache'),
    YARN_NPM_REGISTRY_SERVER: 'http://127.0.0.1:9/',
    YARN_ENABLE_TELEMETRY: '0'
  }
}

function runNode (node, args, options) {
  const { status, stdout, stderr, error } = spawnSync(node, args,
    { encoding: 'utf8', timeout: 120_000, ...options })
  assert.equal(error, undefined)
  assert.equal(status, 0, stdout + stderr)
  return stdout + stderr
}

// Where the manager has put telar. Yarn's pnp keeps what has native code outside of its archives.
function installedFolder (project, isPnp) {
  if (!isPnp) return fs.realpathSync(path.join(project, 'node_modules', 'telar'))
  const unplugged = path.join(project, '.yarn', 'unplugged')
  const [name] = fs.readdirSync(unplugged)
  return path.join(unplugged, name, 'node_modules', 'telar')
}

for (const manager of managers) {
  test(`${manager.name} installs telar without compiling, and a program runs`, (t) => {
    const folder = useFolder(t)
    const project = path.join(folder, 'project')
    createProject(project, manager.settings)
    const node = manager.needs24 ? node24() : process.execPath
    const options = { cwd: project, env: environment(folder, node) }
    const inTool = ([script, ...args]) => [path.join(tools, manager.tool, script), ...args]

    const output = runNode(node, inTool(manager.add), options)
    assert.doesNotMatch(output, /warn|gyp|script/i)

    const isPnp = manager.run?.length > 0
    const installed = installedFolder(project, isPnp)
    assert.ok(fs.existsSync(path.join(installed, 'native', 'binding.gyp')))
    assert.ok(!fs.existsSync(path.join(installed, 'build')), 'nothing is compiled')
    assert.ok(!fs.existsSync(path.join(installed, 'native', 'build')), 'nothing is compiled')

    const runProgram = (name) =>
      runNode(node, isPnp ? inTool([...manager.run, name]) : [name], options)
    assert.equal(runProgram('main.js'), '42\n')
    if (isPnp) { // Yarn warns that its loader of ES modules is experimental
      options.env.YARN_PNP_ENABLE_ESM_LOADER = 'true'
      runNode(node, inTool(['bin/yarn.js', 'install']), options)
    }
    assert.equal(runProgram('main.mjs'), '42\n')
  })
}

// As in a container whose file system is read-only. Root may write everywhere.
test('a program runs in a folder that it may not write to', (t) => {
  const folder = useFolder(t)
  const project = path.join(folder, 'project')
  createProject(project)
  const options = { cwd: project, env: environment(folder, process.execPath) }
  const [script, ...args] = npm
  runNode(process.execPath, [path.join(tools, 'npm10', script), ...args], options)
  fs.chmodSync(folder, 0o755)
  const nobody = process.getuid() === 0 ? { uid: 65534, gid: 65534 } : {}
  setModes(project, 0o555, 0o444)
  try {
    const writer = "require('node:fs').writeFileSync('new', '')"
    const { stderr } = spawnSync(process.execPath, ['-e', writer], { ...options, ...nobody })
    assert.match(String(stderr), /EACCES/)
    for (const name of ['main.js', 'main.mjs']) {
      assert.equal(runNode(process.execPath, [name], { ...options, ...nobody }), '42\n')
    }
  } finally {
    setModes(project, 0o755, 0o644)
  }
})

function setModes (folder, folderMode, fileMode) {
  for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue
    const file = path.join(entry.parentPath ?? entry.path, entry.name)
    fs.chmodSync(file, entry.isDirectory() ? folderMode : fileMode)
  }
  fs.chmodSync(folder, folderMode)
}
