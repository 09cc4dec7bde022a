'use strict'

// How the file of a task is loaded: files that only import() can load, files for loaders of the
// user, and the errors of files that cannot be loaded at all.

const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const fs = require('node:fs')
const { registerHooks } = require('node:module')
const path = require('node:path')
const { test } = require('node:test')
const { pathToFileURL } = require('node:url')
const { promisify } = require('node:util')
const { useFolder } = require('../fixtures/use-folder')
const { usePool } = require('../fixtures/use-pool')

const folder = path.join(__dirname, '..', 'fixtures', 'loaders')
const file = (name) => path.join(folder, name)
const url = (name) => pathToFileURL(file(name)).href
const tsx = pathToFileURL(require.resolve('tsx')).href

// Runs the files in a process of its own, since a loader is registered for a whole process.
async function runFiles (flags, files, options) {
  const request = JSON.stringify({ files: files.map(file), ...options })
  const args = [...flags, file('run.mjs'), request]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 })
  return JSON.parse(stdout)
}

// ---- Loaders ----

const custom = [
  ['seven.calc', 42],
  ['plain/eight.calc', 48], // in a CommonJS package
  ['needs-calc.mjs', 43],
  ['needs-virtual.mjs', 1007],
  ['not-on-disk.virtual.mjs', 1006],
  ['replaced.js', 18]
]
const names = custom.map(([name]) => name)
const values = custom.map(([, value]) => value)

const ways = [
  ['module.register(), by --import', ['--import', url('register.mjs')]],
  ['--experimental-loader', ['--experimental-loader', url('hooks.mjs')]]
]
if (registerHooks) {
  ways.push(['module.registerHooks(), by --import', ['--import', url('register-sync.mjs')]])
}

for (const [way, flags] of ways) {
  for (const face of ['Pool', 'Piscina']) {
    test(`a loader of the user may load a task file: ${way}, ${face}`, async () => {
      assert.deepEqual(await runFiles(flags, names, { face }), values)
    })
  }
}

test('a loader may be registered for the workers only', async () => {
  const execArgv = ['--import', url('register.mjs')]
  assert.deepEqual(await runFiles([], names, { execArgv }), values)
})

test('without its loader a file rejects with an error that names what is missing', async () => {
  const files = ['needs-virtual.mjs', 'not-on-disk.virtual.mjs']
  const [needsVirtual, virtual] = await runFiles([], files)
  assert.equal(needsVirtual.code, 'ERR_MODULE_NOT_FOUND')
  assert.match(needsVirtual.message, /any\.virtual\.mjs/)
  assert.equal(virtual.code, 'MODULE_NOT_FOUND')
  assert.match(virtual.message, /not-on-disk\.virtual\.mjs/)
  const [needsCalc] = await runFiles([], ['needs-calc.mjs'])
  assert.equal(needsCalc.code, 'ERR_UNKNOWN_FILE_EXTENSION')
  assert.match(needsCalc.message, /seven\.calc/)
})

const typed = ['typed.ts', 'typed.mts', 'plain/typed.ts', 'plain/typed.cts']

for (const flag of ['--import', '--require']) {
  test(`TypeScript that Node cannot run itself runs with tsx by ${flag}`, async () => {
    const flags = flag === '--import' ? [flag, tsx] : [flag, require.resolve('tsx/cjs')]
    assert.deepEqual(await runFiles(flags, typed), [42, 42, 42, 42])
  })
}

test('TypeScript that nothing can run is refused as such, not run as JavaScript', async () => {
  const expected = process.features.typescript
    ? 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'
    : 'ERR_UNKNOWN_FILE_EXTENSION'
  const settled = await runFiles([], typed)
  assert.deepEqual(settled.map(({ code }) => code), [expected, expected, expected, expected])
})

// ---- URLs with a query ----

test('a file: URL with a query or a fragment is a module of its own', async (t) => {
  const counts = new Int32Array(new SharedArrayBuffer(16))
  const pool = usePool(t, null, { workerData: counts.buffer })
  const counting = path.join(__dirname, '..', 'fixtures', 'handlers', 'counts.mjs')
  const run = (suffix) => pool.run(null, { filename: `${pathToFileURL(counting)}${suffix}` })
  assert.deepEqual([await run(''), await run('?v=1'), await run('?v=1')], [1, 2, 2])
  assert.deepEqual([await run('?v=2'), await run('#v=2'), await run('?')], [3, 4, 4])
  assert.equal(counts[1], 4)
})

test('a CommonJS file by a URL with a query exports what require() returns', async (t) => {
  const filename = `${url('plain/default.cjs')}?v=1`
  const pool = usePool(t, null, { filename })
  assert.equal(await pool.run('x'), 'default x')
  assert.equal(await pool.run('x', { name: 'named' }), 'named x')
  await assert.rejects(pool.run('x', { name: 'none' }), { code: 'ERR_TELAR_NO_HANDLER' })
})

// ---- Files that fail ----

const counting = "Atomics.add(new Int32Array(require('node:worker_threads').workerData), 0, 1)\n"
const countingModule = `import { workerData } from 'node:worker_threads'
Atomics.add(new Int32Array(workerData), 0, 1)\n`

const failing = [
  [
    'throws an error',
    'own.cjs',
    `${counting}throw new RangeError('own')`,
    { name: 'RangeError', message: 'own' }
  ],
  ['throws what is no error', 'odd.js', `${counting}throw null`, null],
  ['throws a SyntaxError', 'syntax.js', `${counting}JSON.parse('{')`, { name: 'SyntaxError' }],
  [
    'throws what looks like an error of the loader',
    'looks.js',
    `${counting}throw Object.assign(new Error('own'), { code: 'ERR_REQUIRE_ESM' })`,
    { message: 'own', code: 'ERR_REQUIRE_ESM' }
  ],
  [
    'requires a file that is not there',
    'missing.js',
    `${counting}require('./none')`,
    { code: 'MODULE_NOT_FOUND', message: /none/ }
  ],
  [
    'requires a file that does not parse',
    'dependency.js',
    `${counting}require('./broken.js')`,
    { name: 'SyntaxError' }
  ],
  [
    'requires a module with top-level await',
    'awaiting.js',
    `${counting}require('./awaits.mjs')`,
    { code: /^ERR_REQUIRE_(ESM|ASYNC_MODULE)$/ }
  ],
  [
    'has an unknown extension',
    'own.unknown',
    `${counting}throw new RangeError('own')`,
    { name: 'RangeError', message: 'own' }
  ],
  [
    'is an ES module',
    'own.mjs',
    `${countingModule}throw new RangeError('own')`,
    { name: 'RangeError', message: 'own' }
  ],
  [
    'is an ES module by its syntax',
    'own.js',
    `${countingModule}throw new RangeError('own')`,
    { name: 'RangeError', message: 'own' }
  ]
]
if (process.features.typescript) {
  failing.push([
    'is TypeScript',
    'own.ts',
    `${counting}const one: number = 1; throw new RangeError('own' + one)`,
    { name: 'RangeError', message: 'own1' }
  ])
}

for (const [what, name, source, expected] of failing) {
  test(`a file that fails runs once and rejects with its own error: it ${what}`, async (t) => {
    const made = useFolder(t)
    fs.writeFileSync(path.join(made, 'broken.js'), 'const = 1')
    fs.writeFileSync(path.join(made, 'awaits.mjs'), 'await null')
    fs.writeFileSync(path.join(made, name), source)
    const counts = new Int32Array(new SharedArrayBuffer(4))
    const pool = usePool(t, null, { workerData: counts.buffer })
    const run = pool.run(null, { filename: path.join(made, name) })
    if (expected === null) {
      assert.equal(await run.then(() => assert.fail('fulfilled'), (reason) => reason), null)
    } else {
      await assert.rejects(run, expected)
    }
    assert.equal(counts[0], 1)
  })
}

test('a broken ES module rejects with its own error, not one of its loading', async (t) => {
  const made = useFolder(t)
  const pool = usePool(t, null)
  for (const [name, source, expected] of [
    [
      'parses.mjs',
      'export default 1; const = 1',
      { name: 'SyntaxError', message: /Unexpected token/ }
    ],
    ['links.mjs', "import { none } from './other.mjs'", { name: 'SyntaxError', message: /none/ }],
    ['finds.mjs', "import './none.mjs'", { code: 'ERR_MODULE_NOT_FOUND', message: /none\.mjs/ }],
    ['other.mjs', 'export default 1', { code: 'ERR_TELAR_NO_HANDLER' }]
  ]) {
    fs.writeFileSync(path.join(made, 'other.mjs'), 'export default 1')
    fs.writeFileSync(path.join(made, name), source)
    await assert.rejects(pool.run(null, { filename: path.join(made, name) }), expected)
  }
})

test('a JavaScript file with an unknown extension is CommonJS, as for require()', async (t) => {
  const filename = path.join(useFolder(t), 'task.unknown')
  fs.writeFileSync(filename, 'module.exports = (x) => x + 1; module.exports.named = (x) => x + 2')
  const pool = usePool(t, null, { filename })
  assert.deepEqual([await pool.run(1), await pool.run(1, { name: 'named' })], [2, 3])
})

test('a file that is an ES module by its syntax may use top-level await', async (t) => {
  const made = useFolder(t)
  fs.writeFileSync(path.join(made, 'deep.mjs'), 'export const add = await 2')
  const exported = 'export default (x) => x + add; export const named = (x) => x + 2 * add'
  for (const [name, source] of [
    ['awaits.js', 'const add = await 2'], ['imports.js', "import { add } from './deep.mjs'"]
  ]) {
    const filename = path.join(made, name)
    fs.writeFileSync(filename, `${source}; ${exported}`)
    const pool = usePool(t, null, { filename })
    assert.deepEqual([await pool.run(1), await pool.run(1, { name: 'named' })], [3, 5])
  }
})

test('the nearest package.json decides whether a .js file is an ES module', async (t) => {
  const made = useFolder(t)
  const write = (name, text) => {
    fs.mkdirSync(path.dirname(path.join(made, name)), { recursive: true })
    fs.writeFileSync(path.join(made, name), text)
  }
  const source = 'globalThis.kind = typeof module === "object" ? "commonjs" : "module"\n'
  write('package.json', '{ "type": "module" }')
  write('a.js', `${source}export default () => globalThis.kind`)
  write('inner/package.json', '{}')
  write('inner/a.js', `${source}module.exports = () => globalThis.kind`)
  write('inner/module/package.json', '{ "type": "module" }')
  write('inner/module/a.js', `${source}export default () => globalThis.kind`)
  write('node_modules/a.js', `${source}module.exports = () => globalThis.kind`)
  write('node_modules/inner/deep/a.js', `${source}module.exports = () => globalThis.kind`)
  const pool = usePool(t, null)
  for (const [name, kind] of [
    ['a.js', 'module'], ['inner/a.js', 'commonjs'], ['inner/module/a.js', 'module'],
    ['node_modules/a.js', 'commonjs'], ['node_modules/inner/deep/a.js', 'commonjs']
  ]) {
    assert.equal(await pool.run(null, { filename: path.join(made, name) }), kind, name)
  }
})

test('a file name may lack its extension and lead through a symbolic link', async (t) => {
  const made = useFolder(t)
  fs.writeFileSync(path.join(made, 'real.mjs'), 'await null; export default (x) => x + 1')
  fs.symlinkSync(path.join(made, 'real.mjs'), path.join(made, 'link.js'))
  const pool = usePool(t, null)
  assert.equal(await pool.run(1, { filename: path.join(made, 'link') }), 2)
})
