'use strict'

// What a user gets: the packed tarball, installed in an empty folder without install scripts, and
// used from CommonJS, from an ES module and as Piscina.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, test } = require('node:test')

const root = path.join(__dirname, '..', '..')
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'telar-pack-'))
const consumer = path.join(scratch, 'consumer')
const installed = path.join(consumer, 'node_modules', 'telar')

after(() => fs.rmSync(scratch, { recursive: true, force: true }))

before(async () => {
  const { runNpm } = await import('../../scripts/command.mjs')
  runNpm(['pack', '--pack-destination', scratch], { cwd: root })
  const [tarball] = fs.readdirSync(scratch).filter((name) => name.endsWith('.tgz'))
  fs.mkdirSync(consumer)
  fs.writeFileSync(path.join(consumer, 'package.json'),
    JSON.stringify({ name: 'consumer', version: '1.0.0', private: true }))
  fs.writeFileSync(path.join(consumer, 'double.js'),
    "'use strict'\nmodule.exports = (value) => value * 2\n")
  runNpm([
    'install', path.join('..', tarball), '--ignore-scripts', '--prefer-offline', '--no-audit',
    '--no-fund', '--prefix', consumer
  ], { cwd: consumer })
})

function runNode (args, env = {}) {
  const { TELAR_NATIVE: _, ...inherited } = process.env
  const result = spawnSync(process.execPath, args,
    { cwd: consumer, encoding: 'utf8', env: { ...inherited, ...env }, timeout: 300_000 })
  assert.equal(result.error, undefined)
  return result
}

function evaluate (source, ...flags) {
  const { status, stdout, stderr } = runNode([...flags, '--eval', source])
  assert.equal(status, 0, stderr)
  return stdout.trim()
}

test('the tarball holds what users need and no more', () => {
  const files = fs.readdirSync(installed, { recursive: true })
    .map((name) => name.split(path.sep).join('/'))
  for (const name of [
    'package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'index.d.ts', 'piscina.d.ts',
    'lib/index.js', 'lib/index.mjs', 'lib/piscina.js', 'lib/piscina.mjs', 'lib/base/native.js',
    'native/binding.gyp', 'native/src/core/sched.c', 'native/src/binding/addon.cc',
    'native/node-addon-api/napi.h', 'native/node-addon-api/LICENSE.md', 'scripts/telar.mjs'
  ]) {
    assert.ok(files.includes(name), `${name} is missing`)
  }
  const start = `prebuilds/${process.platform}-${process.arch}`
  assert.ok(files.some((name) => name.startsWith(start) && name.endsWith('/telar.node')))
  assert.deepEqual(files.filter((name) => /^(test|bench|build|examples|src|\.)/.test(name)), [])
})

test('the package has no dependency, and nothing that is taken for an install script', () => {
  const manifest = JSON.parse(fs.readFileSync(path.join(installed, 'package.json'), 'utf8'))
  assert.equal(manifest.gypfile, false)
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) {
    assert.equal(manifest.scripts[name], undefined)
  }
  // Yarn and pnpm take this file for one, whatever `gypfile` says.
  assert.equal(fs.existsSync(path.join(installed, 'binding.gyp')), false)
  for (const name of ['dependencies', 'optionalDependencies', 'peerDependencies']) {
    assert.equal(manifest[name], undefined)
  }
  assert.deepEqual(fs.readdirSync(path.join(consumer, 'node_modules'))
    .filter((name) => !name.startsWith('.')), ['telar'])
})

test("require('telar') runs a task", () => {
  assert.equal(evaluate(`
    const { Pool } = require('telar')
    const pool = new Pool({ filename: require.resolve('./double.js'), maxThreads: 1 })
    pool.run(21).then((result) => { console.log(result); return pool.close() })
  `), '42')
})

test("import('telar') runs a task and is the same module", () => {
  assert.equal(evaluate(`
    import { createRequire } from 'node:module'
    import { Pool } from 'telar'
    const require = createRequire(process.cwd() + '/')
    const pool = new Pool({ filename: require.resolve('./double.js'), maxThreads: 1 })
    console.log(await pool.run(21), Pool === require('telar').Pool)
    await pool.close()
  `, '--input-type=module'), '42 true')
})

test("require('telar/piscina') and import('telar/piscina') run a task", () => {
  const expected = '42 42 true'
  assert.equal(evaluate(`
    const Piscina = require('telar/piscina')
    const first = new Piscina({ filename: require.resolve('./double.js'), maxThreads: 1 })
    import('telar/piscina').then(async ({ default: Default, Piscina: Named }) => {
      const second = new Named({ filename: require.resolve('./double.js'), maxThreads: 1 })
      const isSame = Default === Piscina && Named === Piscina
      console.log(await first.run(21), await second.run(21), isSame)
      await Promise.all([first.close(), second.close()])
    })
  `), expected)
})

test('under the permission model telar reads only its own files and the program', () => {
  const flag = process.versions.node.startsWith('20.')
    ? '--experimental-permission'
    : '--permission'
  const program = path.join(consumer, 'permission.js')
  fs.writeFileSync(program, `
    const { Pool } = require('telar')
    const pool = new Pool({ filename: __dirname + '/double.js', maxThreads: 1 })
    pool.run(21).then(console.log).then(() => pool.close())
  `)
  const flags = [
    flag, `--allow-fs-read=${path.join(fs.realpathSync(consumer), '*')}`, '--allow-addons',
    '--allow-worker'
  ]
  const { stdout, stderr } = runNode([...flags, program])
  assert.equal(stdout, '42\n', stderr)
})

test('no other path of the package can be required', () => {
  const { status, stderr } = runNode(['--eval', "require('telar/lib/base/errors.js')"])
  assert.equal(status, 1)
  assert.match(stderr, /ERR_PACKAGE_PATH_NOT_EXPORTED/)
})

test('a native library that fails to load is named, with the reason and a remedy', () => {
  const missing = path.join(scratch, 'missing.node')
  const broken = path.join(scratch, 'broken.node')
  fs.writeFileSync(broken, 'no library')
  for (const [file, reason] of [[missing, /does not exist/], [broken, /broken\.node/]]) {
    const { status, stderr } = runNode(['--eval', "require('telar')"], { TELAR_NATIVE: file })
    assert.equal(status, 1)
    assert.match(stderr, /ERR_TELAR_NATIVE_LOAD/)
    assert.ok(stderr.includes(file))
    assert.match(stderr, reason)
    assert.match(stderr, /TELAR_NATIVE/)
  }

  fs.renameSync(path.join(installed, 'prebuilds'), path.join(installed, 'elsewhere'))
  try {
    const { stderr } = runNode(['--eval', "require('telar')"])
    assert.match(stderr, /npx telar build/)
    assert.ok(stderr.includes(path.join(installed, 'prebuilds')), 'each path that was tried')
    assert.ok(stderr.includes(path.join(installed, 'build', 'Release')), 'each path that was tried')
  } finally {
    fs.renameSync(path.join(installed, 'elsewhere'), path.join(installed, 'prebuilds'))
  }
})

test('telar build compiles the library where the package is installed', () => {
  const args = [path.join(installed, 'scripts', 'telar.mjs'), 'build']
  const { status, stdout, stderr } = runNode(args)
  assert.equal(status, 0, stdout + stderr)
  const built = path.join(installed, 'build', 'Release', 'telar.node')
  assert.ok(fs.existsSync(built))
  assert.ok(!fs.existsSync(path.join(installed, 'native', 'build')), 'only the library is left')
  const loaded = evaluate(`
    require('telar')
    console.log(Object.keys(require.cache).find((name) => name.endsWith('.node')))
  `)
  assert.equal(loaded, fs.realpathSync(built))
})

test('telar without a command prints its usage', () => {
  const { status, stderr } = runNode([path.join(installed, 'scripts', 'telar.mjs')])
  assert.equal(status, 2)
  assert.match(stderr, /Usage: telar build/)
})
