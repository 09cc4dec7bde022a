'use strict'

/* eslint-disable no-labels, no-unreachable-loop, no-empty */

// exec() and define(): functions that are given in place.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const vm = require('node:vm')
const { usePool } = require('../fixtures/use-pool')
const { useFolder } = require('../fixtures/use-folder')

const outer = 5
const valueOf = 7

test('functions of every kind run with their arguments', async (t) => {
  const pool = usePool(t, null)
  assert.equal(await pool.exec(() => 1), 1)
  assert.equal(await pool.exec((a, b = 2, ...more) => a + b + more.length, 1), 3)
  assert.equal(await pool.exec(function (a, b) { return a * b }, 3, 4), 12)
  assert.equal(await pool.exec(async (a) => (await a) + 1, 3), 4)
  assert.equal(await pool.exec(async function named (a) { return named.name + a }, 3), 'named3')
  assert.equal(await pool.exec({ method (a) { return a } }.method, 'm'), 'm')
  assert.equal(await pool.exec({ async 'odd name' (a) { return a } }['odd name'], 'm'), 'm')
  assert.equal(await pool.exec({ [Symbol.iterator] (a) { return a } }[Symbol.iterator], 'm'), 'm')
  assert.equal(await pool.exec(class { static twice (a) { return 2 * a } }.twice, 4), 8)
  assert.deepEqual(await pool.exec((a) => ({ a }), 1), { a: 1 })
  // eslint-disable-next-line no-new-func
  assert.equal(await pool.exec(new Function('a', 'b', 'return a - b'), 3, 1), 2)
})

test('a function is strict if it was where it is written', async (t) => {
  const pool = usePool(t, null)
  assert.equal(await pool.exec(function () { return this === undefined }), true)
  // eslint-disable-next-line no-new-func
  assert.equal(await pool.exec(new Function('return this === globalThis')), true)
  const inner = vm.runInThisContext("(function () { 'use strict'; return this === undefined })")
  assert.equal(await pool.exec(inner), true)
})

test('a function keeps its state in its worker, and its source is read once', async (t) => {
  const pool = usePool(t, null)
  const count = () => { globalThis.calls = (globalThis.calls ?? 0) + 1; return globalThis.calls }
  for (let i = 1; i <= 3; i++) assert.equal(await pool.exec(count), i)
  const makeEqual = () => (a) => { globalThis.fn ??= a; return globalThis.fn }
  assert.equal(await pool.exec(makeEqual(), 1), 1)
  assert.equal(await pool.exec(makeEqual(), 2), 1)
})

for (const [names, fn] of [
  ['outer', () => outer],
  ['outer, path', () => { const a = outer; return () => path.join(a) }],
  ['outer', (a = outer) => a],
  ['outer', ({ [outer]: a }) => a],
  ['outer', () => ({ outer })],
  ['outer', () => `${outer}`],
  ['outer', () => { { const outer = 1 } return outer }], // eslint-disable-line no-unused-vars
  ['outer', () => { try { } catch (outer) { } return outer }],
  ['outer', () => class extends outer {}],
  ['outer', () => { for (const a of outer) return a }],
  ['outer', (a = outer) => { var outer = 1; return a + outer }], // eslint-disable-line no-var
  ['outer', (a = () => outer) => { const outer = 1; return a() + outer }],
  ['outer', { [`a${outer}`] () { return 1 } }.a5],
  ['valueOf', () => valueOf], // not what the global object inherits
  ['require', () => require('node:fs')],
  ['this', () => this],
  ['arguments', () => arguments]
]) {
  test(`a function that uses ${names} rejects at once: ${fn}`, async (t) => {
    const pool = usePool(t, null, { minThreads: 0 })
    await assert.rejects(pool.exec(fn), (error) => {
      assert.equal(error.code, 'ERR_TELAR_OUTER_NAME')
      assert.ok(error.message.includes(` uses ${names}, which`), error.message)
      return true
    })
    assert.equal(pool.threads.length, 0)
  })
}

test('names of its own and globals are allowed', async (t) => {
  const pool = usePool(t, null)
  const got = await pool.exec(function recurse (n) {
    var hoisted = typeof unknown === 'undefined' && later() // eslint-disable-line no-var
    function later () { return Buffer.from('x').length + arguments.length }
    label: for (const { a, b: [c = a] } of [{ a: 1, b: [] }]) {
      try { throw new TypeError('x') } catch ({ message }) { hoisted += message.length + c }
      break label
    }
    class Local {
      #private = 1
      static make () { return new Local().#private + (new.target?.x ?? 1) }
    }
    const object = { Local, recurse: 1, later () { return this.recurse }, get prop () { return 1 } }
    return n === 0 ? hoisted + object.later() + object.prop : recurse(n - 1) + (Local.name && 1)
  }, 2)
  assert.equal(got, 7)
})

test('what has no source of its own, or is not one call, rejects', async (t) => {
  const pool = usePool(t, null)
  const invalid = { code: 'ERR_TELAR_INVALID_ARGUMENT' }
  for (const fn of [
    Math.max, Math.max.bind(null), new Proxy(() => 1, {}), class A {}, function * () {},
    async function * () {}, Object.getOwnPropertyDescriptor({ get a () { return 1 } }, 'a').get,
    1, null, {}, { fn: 1 }, 'return 1'
  ]) {
    await assert.rejects(pool.exec(fn), invalid)
    assert.throws(() => pool.define('x', fn), invalid)
  }
  await assert.rejects(pool.exec({ fn: () => 1, import: {} }), { code: 'ERR_TELAR_UNKNOWN_OPTION' })
  await assert.rejects(pool.exec({ fn: () => 1, filename: 'x' }), invalid)
  for (const imports of [1, { a: 1 }, { 'a b': 'fs' }]) {
    await assert.rejects(pool.exec({ fn: () => 1, imports }), invalid)
  }
})

test('imports are modules of all kinds, found from the file of the function', async (t) => {
  const pool = usePool(t, null)
  const imports = { fs: 'node:fs', values: '../fixtures/tasks/calls.js', acorn: 'acorn' }
  const fn = (file) => [
    fs.existsSync(file), values.add(1, 2), typeof acorn.parse // eslint-disable-line no-undef
  ]
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(await pool.exec({ fn, imports }, __filename), [true, 3, 'function'])
  }
  await assert.rejects(pool.exec({ fn, imports: { fs: 'fs', acorn: 'acorn' } }), {
    message: /uses values, which/
  })
  await assert.rejects(pool.exec({ fn: () => nothing, imports: { nothing: './nothing' } }), { // eslint-disable-line
    code: 'MODULE_NOT_FOUND'
  })
})

test('ES modules may be imported, and the function may import by itself', async (t) => {
  const folder = useFolder(t)
  const file = path.join(folder, 'caller.js')
  fs.writeFileSync(path.join(folder, 'module.mjs'), 'export const answer = 42')
  fs.writeFileSync(file, `
    exports.one = (pool) => pool.exec({ fn: () => m.answer, imports: { m: './module.mjs' } })
    exports.two = (pool) => pool.exec(async () => (await import('./module.mjs')).answer)`)
  const pool = usePool(t, null)
  const caller = require(file)
  assert.equal(await caller.one(pool), 42)
  assert.equal(await caller.two(pool), 42)
})

test('errors point to the line and column where the function is written', async (t) => {
  const pool = usePool(t, null)
  const lines = new Error().stack.split('\n')[1].match(/:(\d+):\d+/)[1]
  const placeOf = ({ stack }) => stack.match(/exec\.test\.js:(\d+):(\d+)/).slice(1).map(Number)
  const first = await pool.exec(() => { throw new Error('first') }).catch((error) => error)
  assert.deepEqual(placeOf(first), [Number(lines) + 2, 47])
  const fn = (value) => {
    const inner = value
    return inner.missing.property
  }
  const second = await pool.exec(fn, {}).catch((error) => error)
  assert.deepEqual(placeOf(second), [Number(lines) + 6, 26])
  const third = await pool.exec({ fn: () => os.missing(), imports: { os: 'os' } }) // eslint-disable-line
    .catch((error) => error)
  assert.equal(placeOf(third)[0], Number(lines) + 10)
  assert.doesNotMatch(third.stack, /lib.(pool|worker)/)
})

test('errors point to the function if another file calls exec() with it', async (t) => {
  const folder = useFolder(t)
  const file = path.join(folder, 'wrapper.js')
  fs.writeFileSync(file, 'exports.call = (pool, given) => pool.exec(given)')
  const { call } = require(file)
  const pool = usePool(t, null)
  const line = Number(new Error().stack.split('\n')[1].match(/:(\d+):\d+/)[1])
  const error = await call(pool, () => { throw new Error('wrapped') }).catch((error) => error)
  assert.ok(error.stack.includes(`exec.test.js:${line + 1}:48`), error.stack)
  const imports = { values: '../fixtures/tasks/calls.js' }
  const fn = () => values.add(1, 2) // eslint-disable-line no-undef
  assert.equal(await call(pool, { fn, imports }), 3)
})

test('a function that is made by a program points to the call', async (t) => {
  const pool = usePool(t, null)
  const made = vm.runInThisContext('(() => { throw new Error("made") })')
  await assert.rejects(pool.exec(made), ({ stack }) => /exec\.test\.js:\d+/.test(stack))
})

test('exec() takes the options of run()', async (t) => {
  const pool = usePool(t, null)
  const fn = () => { for (;;); }
  await assert.rejects(pool.exec({ fn, timeout: 20 }), { code: 'ERR_TELAR_TIMEOUT' })
  await assert.rejects(pool.exec({ fn, signal: AbortSignal.abort() }), { name: 'AbortError' })
  assert.equal(await pool.exec({ fn: (a) => a, priority: 3, key: 'k' }, 5), 5)
})

test('define() gives a function a name for run() and runSync()', async (t) => {
  const pool = usePool(t, 'calls.js')
  pool.define('square', (x) => x * x)
  pool.define('exists', (file) => fs.existsSync(file), { imports: { fs: 'fs' } }) // eslint-disable-line
  pool.define('told', (value, task) => [value, task.name, task.key])
  for (let i = 0; i < 3; i++) assert.equal(await pool.run(i, { name: 'square' }), i * i)
  assert.equal(pool.runSync(5, { name: 'square' }), 25)
  assert.equal(await pool.run(__filename, { name: 'exists' }), true)
  assert.deepEqual(await pool.run(1, { name: 'told', key: 'k' }), [1, 'told', 'k'])
  assert.equal(await pool.run([1], { name: 'length' }), 1)
  pool.define('square', (x) => -x)
  assert.equal(await pool.run(5, { name: 'square' }), -5)
  assert.deepEqual(await pool.broadcast(5, { name: 'square' }), [-5])
  assert.deepEqual(await pool.runMany([1, 2], { name: 'square' }), [-1, -2])
  assert.throws(() => pool.define('', () => 1), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
  assert.throws(() => pool.define('x', () => outer), { code: 'ERR_TELAR_OUTER_NAME' })
  assert.throws(() => pool.define('x', () => 1, { import: {} }), {
    code: 'ERR_TELAR_UNKNOWN_OPTION'
  })
})

test('ever new functions are forgotten, and still run', async (t) => {
  const pool = usePool(t, null)
  for (let i = 0; i < 1300; i++) {
    assert.equal(await pool.exec(new Function(`return ${i}`)), i) // eslint-disable-line no-new-func
  }
  assert.equal(await pool.exec(() => 'last'), 'last')
})
