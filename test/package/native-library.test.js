'use strict'

// Which native library a thread loads, and the errors if it may not load one. Each case runs in a
// process of its own.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, test } = require('node:test')
require('../..')

const root = path.join(__dirname, '..', '..')
const loaded = Object.keys(require.cache).find((file) => file.endsWith('telar.node'))
// The permission model compares real paths.
const scratch = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'telar-native-'))
const program = path.join(scratch, 'program.js')
const permission = process.versions.node.startsWith('20.')
  ? '--experimental-permission'
  : '--permission'
const mayRead = [root, scratch].map((folder) => `--allow-fs-read=${path.join(folder, '*')}`)

after(() => fs.rmSync(scratch, { recursive: true }))

function runNode (flags, source, env) {
  fs.writeFileSync(program, `
    'use strict'
    const { isMainThread } = require('node:worker_threads')
    const { Pool } = require(${JSON.stringify(root)})
    module.exports = (n) => n * 2
    const print = ({ code, permission, message }) => console.log(code, permission, message)
    if (isMainThread) main().catch(print)
    async function main () { ${source} }
  `)
  const result = spawnSync(process.execPath, ['--no-warnings', ...flags, program],
    { encoding: 'utf8', env: { ...process.env, ...env }, timeout: 60_000 })
  assert.equal(result.error, undefined)
  return { ...result, stdout: result.stdout.trim() }
}

const kRunsOne = `
  const pool = new Pool({ filename: __filename, maxThreads: 1 })
  console.log(await pool.run(21))
  await pool.close()`

test('a worker with an environment of its own loads the library of its process', () => {
  // The same code at another path: for the process it is another library, with other pools.
  const copy = path.join(scratch, 'copy.node')
  fs.copyFileSync(loaded, copy)
  for (const env of ['{}', "{ TELAR_NATIVE: '/nowhere.node' }"]) {
    const { stdout, stderr } = runNode([], `
      const pool = new Pool({ filename: __filename, maxThreads: 1, env: ${env} })
      console.log(await pool.run(21))
      await pool.close()`, { TELAR_NATIVE: copy })
    assert.equal(stdout, '42', stderr)
  }
})

test('a worker that starts after TELAR_NATIVE has changed loads it, too', () => {
  const { stdout, stderr } = runNode([], `process.env.TELAR_NATIVE = '/nowhere.node'\n${kRunsOne}`)
  assert.equal(stdout, '42', stderr)
})

test('the error names the flags that keep a process from loading the library', () => {
  const onlyCode = ['lib', 'package.json'].map((name) => `--allow-fs-read=${path.join(root, name)}`)
  const unreadable = [permission, ...onlyCode, `--allow-fs-read=${program}`, '--allow-addons']
  for (const flags of [['--no-addons'], [permission, ...mayRead], unreadable]) {
    const { status, stderr } = runNode(flags, kRunsOne)
    assert.equal(status, 1)
    assert.match(stderr, /ERR_TELAR_NATIVE_LOAD/)
    assert.match(stderr, /--allow-addons and --allow-fs-read=.*; leave out --no-addons/)
    assert.doesNotMatch(stderr, /npx telar build|unset it/)
  }
})

test('a big-endian processor is refused, by the loader and by the compiler', () => {
  const preload = path.join(scratch, 'preload.js')
  fs.writeFileSync(preload, "require('node:os').endianness = () => 'BE'")
  const { status, stderr } = runNode(['--require', preload], kRunsOne)
  assert.equal(status, 1)
  assert.match(stderr, /ERR_TELAR_UNSUPPORTED_RUNTIME/)
  assert.match(stderr, /does not support big-endian processors/)
  assert.doesNotMatch(stderr, /npx telar build/)
  const source = fs.readFileSync(path.join(root, 'src', 'binding', 'addon.cc'), 'utf8')
  assert.match(source, /__ORDER_BIG_ENDIAN__\n#error "telar does not support big-endian/)
})

test('code that a bundler has taken out of its folder fails with advice', () => {
  const bundle = path.join(scratch, 'bundle')
  fs.cpSync(path.join(root, 'lib'), bundle, { recursive: true })
  fs.rmSync(path.join(bundle, 'worker', 'main.js'))
  const script = `require(${JSON.stringify(path.join(bundle, 'base', 'native.js'))})`
  const { status, stderr } = spawnSync(process.execPath, ['--eval', script],
    { encoding: 'utf8', env: { ...process.env, TELAR_NATIVE: '' } })
  assert.equal(status, 1)
  assert.match(stderr, /ERR_TELAR_NATIVE_LOAD/)
  assert.match(stderr, /mark "telar" as external/)
})

test('a pool works under the permission model with what it needs allowed', () => {
  const { stdout, stderr } = runNode([permission, ...mayRead, '--allow-addons', '--allow-worker'],
    kRunsOne)
  assert.equal(stdout, '42', stderr)
})

test('without permission for workers a pool fails with the error of Node', () => {
  const { stdout } = runNode([permission, ...mayRead, '--allow-addons'], kRunsOne)
  assert.match(stdout, /^ERR_ACCESS_DENIED WorkerThreads /)
})

test('tasks have the permissions of the process unless execArgv leaves them out', () => {
  const outside = `${scratch}-outside`
  fs.writeFileSync(outside, 'x')
  try {
    const task = `data:text/javascript,${encodeURIComponent(`
      import fs from 'node:fs'
      export default (file) => {
        try {
          return fs.readFileSync(file, 'utf8')
        } catch (error) {
          return error.code
        }
      }
    `)}`
    const run = (options) => runNode([permission, ...mayRead, '--allow-addons', '--allow-worker'], `
      const pool = new Pool({ filename: ${JSON.stringify(task)}, maxThreads: 1, ${options} })
      console.log(await pool.run(${JSON.stringify(outside)}))
      await pool.close()`).stdout
    assert.equal(run(''), 'ERR_ACCESS_DENIED')
    assert.equal(run('execArgv: []'), 'x')
  } finally {
    fs.rmSync(outside)
  }
})
