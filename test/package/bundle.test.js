'use strict'

// Code of telar in a bundle: which files it finds beside it, and what it says if they are missing.
// test/ecosystem has each bundler; here one makes the bundles.

const assert = require('node:assert/strict')
const { buildSync } = require('esbuild')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { runProgram } = require('../fixtures/run-program')
const { useFolder } = require('../fixtures/use-folder')
const { library, worker } = require('telar/files')

const root = path.join(__dirname, '..', '..')

const kProgram = `
  const path = require('node:path')
  const { Channel, Pool } = require('telar')
  const channel = new Channel()
  const pool = new Pool({ filename: path.join(__dirname, 'tasks.js'), maxThreads: 1 })
  pool.run(channel).then((result) => {
    console.log(result, channel.tryReceive())
    return pool.close()
  })
`
const kTasks = `
  const { Channel, isWorkerThread } = require('telar')
  module.exports = (channel) => {
    channel.trySend('sent')
    return isWorkerThread
  }
`
const kWorks = "true { value: 'sent', done: false }\n"

function bundle (entryPoint, outfile) {
  buildSync({ entryPoints: [entryPoint], outfile, bundle: true, platform: 'node' })
}

// A folder with the bundles of a program and of its task file, and nothing else of telar.
function useBundle (t) {
  const folder = useFolder(t)
  const bundles = path.join(folder, 'a', 'b', 'dist')
  for (const [name, text] of [['main.js', kProgram], ['tasks.js', kTasks]]) {
    buildSync({
      stdin: { contents: text, resolveDir: root },
      outfile: path.join(bundles, name),
      bundle: true,
      platform: 'node'
    })
  }
  return bundles
}

async function run (bundles, { TELAR_NATIVE = '', ...env } = {}) {
  return runProgram([path.join(bundles, 'main.js')],
    { cwd: bundles, env: { ...process.env, TELAR_NATIVE, ...env } })
}

test('a bundle runs with telar-worker.js and telar.node beside it', async (t) => {
  const bundles = useBundle(t)
  fs.copyFileSync(library, path.join(bundles, 'telar.node'))
  bundle(worker, path.join(bundles, 'telar-worker.js'))
  const { stdout, stderr } = await run(bundles)
  assert.equal(stdout, kWorks, stderr)
})

test('a bundle that is an ES module runs, with functions in place and errors', async (t) => {
  const bundles = useBundle(t)
  fs.copyFileSync(library, path.join(bundles, 'telar.node'))
  bundle(worker, path.join(bundles, 'telar-worker.js'))
  fs.writeFileSync(path.join(bundles, 'fails.js'),
    "module.exports = () => { throw new RangeError('failed') }")
  buildSync({
    stdin: {
      contents: `
        import { Pool } from 'telar'
        const pool = new Pool({ filename: new URL('./fails.js', import.meta.url), maxThreads: 1 })
        await pool.run(1).catch((error) => console.log(error.stack.split('\\n')[0]))
        console.log(await pool.exec((a, b) => a + b, 1, 2))
        await pool.exec(() => { throw new TypeError('here') }).catch(({ stack }) => {
          console.log(/main\\.mjs/.test(stack))
        })
        await pool.close()`,
      resolveDir: root
    },
    outfile: path.join(bundles, 'main.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: {
      js: "import { createRequire } from 'node:module'; " +
        'const require = createRequire(import.meta.url)'
    }
  })
  const { stdout, stderr } = await runProgram([path.join(bundles, 'main.mjs')],
    { cwd: bundles, env: { ...process.env, TELAR_NATIVE: '' } })
  assert.equal(stdout, 'RangeError: failed\n3\ntrue\n', stderr)
})

test('both files may be in a folder above the bundle, the library as in the package', async (t) => {
  const bundles = useBundle(t)
  const above = path.join(bundles, '..')
  const prebuilt = path.join(above, 'prebuilds', `${process.platform}-${process.arch}`)
  fs.mkdirSync(prebuilt, { recursive: true })
  fs.copyFileSync(library, path.join(prebuilt, 'telar.node'))
  bundle(worker, path.join(above, 'telar-worker.cjs'))
  const { stdout, stderr } = await run(bundles)
  assert.equal(stdout, kWorks, stderr)
})

test('TELAR_NATIVE and TELAR_WORKER name the files of a bundle that are elsewhere', async (t) => {
  const bundles = useBundle(t)
  const elsewhere = path.join(bundles, '..', '..', '..', 'elsewhere')
  bundle(worker, path.join(elsewhere, 'w.js'))
  fs.copyFileSync(library, path.join(elsewhere, 'l.node'))
  const env = {
    TELAR_NATIVE: path.join(elsewhere, 'l.node'), TELAR_WORKER: path.join(elsewhere, 'w.js')
  }
  const { stdout, stderr } = await run(bundles, env)
  assert.equal(stdout, kWorks, stderr)
})

test('a worker file of the user is never taken for the one of telar', async (t) => {
  const bundles = useBundle(t)
  fs.copyFileSync(library, path.join(bundles, 'telar.node'))
  const names = ['worker.js', 'worker/main.js', '../worker/main.js', 'main/worker.js']
  for (const name of names) {
    const file = path.join(bundles, name)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, "console.log('a file of the user')")
  }
  const { code, stdout, stderr } = await run(bundles)
  assert.equal(code, 1)
  assert.equal(stdout, '')
  assert.match(stderr, /ERR_TELAR_NO_WORKER_FILE/)
  assert.ok(stderr.includes(path.join(bundles, 'telar-worker.js')))
  assert.match(stderr, /require\("telar\/files"\)\.worker/)
})

test('a TELAR_WORKER that does not exist is named', async (t) => {
  const bundles = useBundle(t)
  fs.copyFileSync(library, path.join(bundles, 'telar.node'))
  bundle(worker, path.join(bundles, 'telar-worker.js'))
  const missing = path.join(bundles, 'missing.js')
  const { stderr } = await run(bundles, { TELAR_WORKER: missing })
  assert.match(stderr, /ERR_TELAR_NO_WORKER_FILE/)
  assert.ok(stderr.includes(missing))
})

test('a bundle without the library says where it was searched for, and what to do', async (t) => {
  const bundles = useBundle(t)
  const { code, stderr } = await run(bundles)
  assert.equal(code, 1)
  assert.match(stderr, /ERR_TELAR_NATIVE_LOAD/)
  assert.ok(stderr.includes(path.join(bundles, 'telar.node')))
  assert.match(stderr, /require\('telar\/files'\)/)
  assert.match(stderr, /mark "telar" as external/)
})
