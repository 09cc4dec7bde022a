'use strict'

// Which function a task runs: every way to export a function from a file, and every way to name the
// file. Also how many tasks a worker runs at a time.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { setTimeout: sleep } = require('node:timers/promises')
const { pathToFileURL } = require('node:url')
const { Pool, TelarError } = require('../..')
const Piscina = require('../../lib/piscina')
const { useFolder } = require('../fixtures/use-folder')
const fixtures = require('../fixtures/use-pool')

const file = (name) => path.join(__dirname, '..', 'fixtures', 'handlers', name)

const limit = { timeout: 30_000 }

const usePool = (t, options) => fixtures.usePool(t, null, options)

const exported = [
  ['a function as module.exports', 'function.js', undefined, 'function x'],
  ['a named function', 'named.js', 'first', 'first x'],
  ['a named async function', 'named.js', 'second', 'second x'],
  ['a function with functions: itself', 'both.js', undefined, 'itself x'],
  ['a function with functions: another', 'both.js', 'other', 'other x'],
  ['a property named default', 'default-property.js', undefined, 'default property x'],
  ['exports.default of a transpiled module', 'transpiled.js', undefined, 'transpiled x'],
  ['a named export of a transpiled module', 'transpiled.js', 'named', 'transpiled named x'],
  ['the default export of an ES module', 'module.mjs', undefined, 'module x'],
  ['a named export of an ES module', 'module.mjs', 'named', 'module named x'],
  ['an ES module with top-level await', 'awaits.mjs', undefined, 'awaited x'],
  ['a named export of one with top-level await', 'awaits.mjs', 'named', 'awaited named x'],
  ['a promise as module.exports', 'promise.js', undefined, 'promised x'],
  ['a promise as named export', 'promise-of-exports.js', 'first', 'first promised x']
]

for (const [what, name, handler, expected] of exported) {
  test(`a task can run ${what}`, async (t) => {
    // In the pool's own file, named by the pool or by the task, and in a file that the task names.
    for (const [options, runOptions] of [
      [{ filename: file(name), name: handler }, undefined],
      [{ filename: file(name) }, { name: handler }],
      [{}, { filename: file(name), name: handler }]
    ]) {
      const pool = usePool(t, options)
      assert.equal(await pool.run('x', runOptions), expected)
      assert.equal(await pool.run('x', runOptions), expected)
      await pool.destroy()
    }
  })
}

test('names and files may change from task to task', async (t) => {
  const pool = usePool(t,
    { filename: file('function.js'), maxThreads: 2, minThreads: 2, concurrentTasksPerWorker: 2 })
  const runs = []
  const expected = []
  for (let round = 0; round < 50; round++) {
    for (const [, name, handler, result] of exported) {
      runs.push(pool.run('x', { filename: file(name), name: handler }))
      expected.push(result)
    }
    runs.push(pool.run(round))
    expected.push(`function ${round}`)
  }
  assert.deepEqual(await Promise.all(runs), expected)
})

test("null as a name or a file means the pool's own", async (t) => {
  const pool = usePool(t, { filename: file('named.js'), name: 'first' })
  assert.equal(await pool.run('x', { name: null, filename: null }), 'first x')
  assert.equal(await pool.run('x', { filename: file('both.js'), name: 'default' }), 'itself x')
})

// ---- How a file is named ----

const odd = file('with space, % and é/task.js')
const source = "export default (value) => 'data ' + value\n" +
  "export const named = (value) => 'data named ' + value"
const dataUrl = `data:text/javascript,${encodeURIComponent(source)}`

for (const [what, filename, expected] of [
  ['a path', odd, 'in an odd folder x'],
  ['the text of a file: URL', pathToFileURL(odd).href, 'in an odd folder x'],
  ['a file: URL', pathToFileURL(odd), 'in an odd folder x'],
  ['the text of a file: URL of an ES module', pathToFileURL(file('module.mjs')).href, 'module x'],
  ['the text of a data: URL', dataUrl, 'data x'],
  ['a data: URL', new URL(dataUrl), 'data x']
]) {
  test(`a task file may be named by ${what}`, async (t) => {
    assert.equal(await usePool(t, { filename }).run('x'), expected)
    assert.equal(await usePool(t, {}).run('x', { filename }), expected)
  })
}

for (const [face, Class] of Object.entries({ Pool, Piscina })) {
  test(`a relative path starts at the current folder: ${face}`, async (t) => {
    const relative = path.relative(process.cwd(), odd)
    for (const filename of [relative, `.${path.sep}${relative}`]) {
      const own = new Class({ filename, minThreads: 1, maxThreads: 1 })
      t.after(() => own.destroy())
      assert.equal(await own.run('x'), 'in an odd folder x')
      const none = new Class({ minThreads: 1, maxThreads: 1 })
      t.after(() => none.destroy())
      assert.equal(await none.run('x', { filename }), 'in an odd folder x')
      // The name of a package is still a path.
      await assert.rejects(none.run('x', { filename: 'piscina' }), { code: 'MODULE_NOT_FOUND' })
    }
  })
}

test('a task can run a named export of a data: URL', async (t) => {
  assert.equal(await usePool(t, { filename: dataUrl }).run('x', { name: 'named' }), 'data named x')
})

// Node strips types by default from 22.18 on.
if (process.features.typescript) {
  for (const [name, handler, expected] of [
    ['typed.cts', undefined, 'typed x'],
    ['typed.ts', undefined, 'typed file x'],
    ['typed.mts', undefined, 'typed module x'],
    ['typed.mts', 'named', 'typed named x']
  ]) {
    test(`a task can run TypeScript without a loader: ${name} ${handler ?? ''}`, async (t) => {
      const filename = file(name)
      const run = (options, runOptions) => usePool(t, options).run({ value: 'x' }, runOptions)
      assert.equal(await run({ filename }, { name: handler }), expected)
      assert.equal(await run({}, { filename, name: handler }), expected)
    })
  }
}

// ---- What is missing or broken ----

for (const [name, handler] of [
  ['named.js', 'third'], ['named.js', 'notAFunction'], ['named.js', undefined],
  ['function.js', 'name'], ['module.mjs', 'nothing'], ['module.mjs', 'other'],
  ['named-only.mjs', undefined], ['transpiled.js', 'other'], ['promise.js', 'other'],
  ['promise-of-exports.js', 'empty']
]) {
  test(`a task rejects if ${name} exports no function ${handler ?? 'by default'}`, async (t) => {
    const pool = usePool(t, { filename: file('function.js') })
    for (let i = 0; i < 2; i++) {
      await assert.rejects(pool.run('x', { filename: file(name), name: handler }), (error) => {
        assert.equal(error.code, 'ERR_TELAR_NO_HANDLER')
        const start = `No handler function exported from ${file(name)}: the task asked for`
        assert.ok(error.message.startsWith(start), error.message)
        assert.ok(error instanceof Error)
        return true
      })
    }
    assert.equal(await pool.run('x'), 'function x')
  })
}

// What the error says between the path of the file and its advice.
const asked = (name) => `the task asked for the export "${name}"`
const listed = (names) => `, and the file exports as functions: ${names}. `
const didYouMean = (name) => `Did you mean "${name}"?`
const giveName = 'Give the name of one of them as the option `name`, ' +
  'or export the one that was asked for'

for (const [name, handler, expected] of [
  ['named.js', 'frist', asked('frist') + listed('first, second') + didYouMean('first')],
  [
    'named.js', undefined,
    `the task asked for a default export${listed('first, second')}${giveName}`
  ],
  [
    'named.js', 'notAFunction',
    `${asked('notAFunction')}, which is "text"${listed('first, second')}${giveName}`
  ],
  [
    'promise-of-exports.js', 'empty',
    `${asked('empty')}, which is a promise of something else${listed('first, rejected')}${giveName}`
  ],
  ['function.js', 'defautl', asked('defautl') + listed('default') + didYouMean('default')],
  ['module.mjs', 'nmaed', asked('nmaed') + listed('default, named') + didYouMean('named')],
  ['imported.mjs', 'ohter', asked('ohter') + listed('default, other') + didYouMean('other')],
  [
    'exports-nothing.mjs', undefined,
    'the task asked for a default export, which is 1, and the file exports no function. ' +
      'Export the function of the task from it'
  ],
  [
    'only-values.js', 'settings',
    `${asked('settings')}, which is an object, and the file exports no function, ` +
      'only other values: settings, version. Export the function of the task from it'
  ],
  ['throwing-exports.js', 'some', asked('some') + listed('other') + giveName]
]) {
  test(`the error tells what ${name} exports, asked for ${handler ?? 'a default'}`, async (t) => {
    const run = usePool(t, {}).run('x', { filename: file(name), name: handler })
    await assert.rejects(run,
      { message: `No handler function exported from ${file(name)}: ${expected}` })
  })
}

test('an error about many exports and a long URL has a moderate length', async (t) => {
  const source = Array.from({ length: 500 }, (_, i) => `export const name${i} = () => ${i}`)
    .join(';')
  const run = usePool(t, {})
    .run('x', { filename: `data:text/javascript,${encodeURIComponent(source)}` })
  await assert.rejects(run, (error) => {
    assert.match(error.message, /exports as functions: name0, .* and 480 more\./)
    assert.ok(error.message.length < 1000, error.message)
    return true
  })
})

test("the pool's own file may lack a default while tasks name its functions", async (t) => {
  const pool = usePool(t, { filename: file('named.js') })
  assert.equal(await pool.run('x', { name: 'first' }), 'first x')
  await assert.rejects(pool.run('x'), { code: 'ERR_TELAR_NO_HANDLER' })
  assert.equal(await pool.run('x', { name: 'second' }), 'second x')
})

for (const [name, expected] of [
  ['throws.js', { name: 'Error', message: 'thrown while loading', code: 'E_LOADING' }],
  [
    'throws.mjs',
    { name: 'RangeError', message: 'thrown while loading a module', code: 'E_LOADING' }
  ],
  ['throws-later.mjs', { name: 'RangeError', message: 'thrown after an await', code: 'E_LOADING' }],
  ['missing-dependency.js', { code: 'MODULE_NOT_FOUND', message: /there-is-no-such-file/ }],
  ['no-such-file.js', { code: 'MODULE_NOT_FOUND', message: /no-such-file\.js/ }]
]) {
  test(`a task rejects with the error of its file: ${name}`, async (t) => {
    const pool = usePool(t, { filename: file('function.js') })
    const runs = Array.from({ length: 5 }, () => pool.run('x', { filename: file(name) }))
    for (const run of runs) await assert.rejects(run, expected)
    assert.equal(await pool.run('x'), 'function x')
  })
}

test('an export that is a rejected promise rejects its task', async (t) => {
  const pool = usePool(t, { filename: file('function.js') })
  await assert.rejects(pool.run('x', { filename: file('promise-of-exports.js'), name: 'rejected' }),
    { message: 'the export was rejected' })
  assert.equal(await pool.run('x', { filename: file('promise-of-exports.js'), name: 'first' }),
    'first promised x')
})

test('a file that does not parse rejects its task', async (t) => {
  const folder = useFolder(t)
  const pool = usePool(t, { filename: file('function.js') })
  for (const name of ['broken.js', 'broken.cjs', 'broken.mjs']) {
    const filename = path.join(folder, name)
    fs.writeFileSync(filename, 'const = 1\n')
    await assert.rejects(pool.run('x', { filename }), (error) => {
      assert.equal(error.name, 'SyntaxError')
      return true
    })
  }
  assert.equal(await pool.run('x'), 'function x')
})

// ---- Once ----

test('each worker evaluates a module once, however many tasks ask for it', async (t) => {
  const counts = new Int32Array(new SharedArrayBuffer(16))
  const pool = usePool(t,
    { workerData: counts.buffer, minThreads: 2, maxThreads: 2, concurrentTasksPerWorker: 4 })
  const runs = []
  for (let i = 0; i < 100; i++) {
    for (const name of ['counts.js', 'counts.mjs']) {
      runs.push(pool.run(null, { filename: file(name) }),
        pool.run(null, { filename: pathToFileURL(file(name)), name: 'named' }))
    }
  }
  assert.deepEqual(new Set(await Promise.all(runs)), new Set([1]))
  assert.ok(counts[0] >= 1 && counts[0] <= 2, `${counts[0]} workers evaluated counts.js`)
  assert.ok(counts[1] >= 1 && counts[1] <= 2, `${counts[1]} workers evaluated counts.mjs`)
})

test("the pool's own file is evaluated once, before the first task", async (t) => {
  const counts = new Int32Array(new SharedArrayBuffer(16))
  const pool = usePool(t, { workerData: counts.buffer, filename: file('counts.js') })
  while (Atomics.load(counts, 0) === 0) await sleep(1)
  assert.deepEqual(await Promise.all(Array.from({ length: 100 }, () => pool.run())),
    new Array(100).fill(1))
  assert.equal(await pool.run(null, { name: 'named' }), 1)
  assert.equal(counts[0], 1)
})

test('a file that throws while loading is evaluated once for its task', async (t) => {
  const counts = new Int32Array(new SharedArrayBuffer(16))
  const pool = usePool(t, { workerData: counts.buffer })
  await assert.rejects(pool.run(null, { filename: file('counts-and-throws.js') }),
    { name: 'SyntaxError' })
  assert.equal(counts[2], 1)
})

test('a file that was loaded may be deleted', async (t) => {
  const filename = path.join(useFolder(t), 'passing.js')
  fs.writeFileSync(filename, 'module.exports = (value) => value + 1')
  const pool = usePool(t, {})
  assert.equal(await pool.run(1, { filename }), 2)
  fs.rmSync(filename)
  assert.equal(await pool.run(2, { filename }), 3)
})

test('a pool runs more functions than a worker keeps at hand', async (t) => {
  const pool = usePool(t, {})
  const url = (i) => `data:text/javascript,export default () => ${i}`
  const numbers = Array.from({ length: 1200 }, (_, i) => i)
  assert.deepEqual(await Promise.all(numbers.map((i) => pool.run(null, { filename: url(i) }))),
    numbers)
  assert.equal(await pool.run(null, { filename: url(0) }), 0)
})

// ---- At a time ----

function useGate (t, options) {
  const gate = new Int32Array(new SharedArrayBuffer(8))
  const pool = usePool(t, { filename: file('concurrency.js'), workerData: gate.buffer, ...options })
  const isRunning = async (count) => { while (Atomics.load(gate, 1) !== count) await sleep(1) }
  return { pool, isRunning, open: () => Atomics.store(gate, 0, 1) }
}

for (const each of [1, 2, 5]) {
  for (const threads of [1, 2]) {
    test(`${threads} workers run ${each} tasks each at a time, and no more`, limit, async (t) => {
      const { pool, isRunning, open } = useGate(t,
        { concurrentTasksPerWorker: each, minThreads: threads, maxThreads: threads })
      const places = threads * each
      const runs = Array.from({ length: 3 * places }, () => pool.run())
      await isRunning(places)
      assert.equal(pool.queueSize, 2 * places)
      open()
      const results = await Promise.all(runs)
      assert.equal(Math.max(...results.map(({ most }) => most)), each)
      assert.equal(pool.queueSize, 0)
    })
  }
}

test('a task with a signal has its worker to itself', limit, async (t) => {
  const { pool, isRunning, open } = useGate(t, { concurrentTasksPerWorker: 4 })
  const { signal } = new AbortController()
  const alone = pool.run({ isAlone: true }, { signal })
  const others = Array.from({ length: 6 }, () => pool.run())
  await isRunning(1)
  // The worker is awake and would take more tasks if it were allowed to.
  await sleep(20)
  await isRunning(1)
  open()
  const results = await Promise.all([alone, ...others])
  assert.deepEqual(results.map(({ isCrowded }) => isCrowded), new Array(7).fill(false))
})

test('a task with a signal waits until its worker is free', limit, async (t) => {
  const { pool, isRunning, open } = useGate(t, { concurrentTasksPerWorker: 4 })
  const others = Array.from({ length: 2 }, () => pool.run())
  await isRunning(2)
  const alone = pool.run({ isAlone: true }, { signal: new AbortController().signal })
  open()
  assert.equal((await alone).isCrowded, false)
  await Promise.all(others)
})

test('among hundreds of tasks, those with a signal run alone', async (t) => {
  const { pool } = useGate(t, { concurrentTasksPerWorker: 4, minThreads: 2, maxThreads: 2 })
  const runs = Array.from({ length: 600 }, (_, i) => {
    const isAlone = i % 3 === 0
    const options = isAlone
      ? { name: 'short', signal: new AbortController().signal }
      : { name: 'short' }
    return pool.run({ isAlone, turns: i % 7 }, options)
  })
  const results = await Promise.all(runs)
  assert.equal(results.filter(({ isCrowded }) => isCrowded).length, 0)
  assert.ok(Math.max(...results.map(({ most }) => most)) <= 4)
  assert.equal(pool.completed, 600)
})

test('an error of telar from a worker is a TelarError in the owner', async (t) => {
  const pool = usePool(t, { filename: file('named.js') })
  await assert.rejects(pool.run('x', { name: 'third' }), (error) => error instanceof TelarError)
})
