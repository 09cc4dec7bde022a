'use strict'

// Values of another realm (a context of node:vm: a sandbox, a test runner) are what they are in this one, and change
// nothing for what stands beside them.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')
const fc = require('fast-check')
const { Channel, Pool } = require('../..')
const { graph, value } = require('../fixtures/arbitraries')
const { Codec, difference } = require('../fixtures/codec')
const { Realm, TestRunnerRealm } = require('../fixtures/realm')
const { task, usePool } = require('../fixtures/use-pool')

test('a value of another realm comes back as structuredClone returns it', () => {
  const codec = new Codec()
  const realm = new Realm()
  fc.assert(fc.property(graph, (value) => {
    const other = realm.remake(value)
    assert.equal(difference(codec.roundTrip(other), structuredClone(other)), null)
  }), { numRuns: 1000 })
})

test('a value of the objects of several realms comes back as structuredClone returns it', () => {
  const codec = new Codec()
  const realms = [new Realm(), new Realm()]
  fc.assert(fc.property(value, fc.integer({ min: 1 }), (value, bits) => {
    let count = 0
    const mixed = realms.reduce((mixed, realm) => realm.remake(mixed, () => (bits >>> (count++ % 31) & 1) === 1), value)
    assert.equal(difference(codec.roundTrip(mixed), structuredClone(mixed)), null)
  }), { numRuns: 500 })
})

test('a long array, a match and arguments of another realm come back as structuredClone returns them', () => {
  const codec = new Codec()
  const realm = new Realm()
  for (const code of ['Array.from({ length: 100 }, (_, i) => i)', '"year 2024".match(/(?<year>\\d+)/)', '[,1,,]', 'Object.prototype']) {
    const other = realm.run(code)
    assert.equal(difference(codec.roundTrip(other), structuredClone(other)), null, code)
  }
  for (const code of ['(function () { return arguments })(1)', 'globalThis', 'Array.prototype', 'new WeakMap()', 'Promise.resolve()', '(() => {})', 'new Proxy({}, {})']) {
    assert.equal(codec.encode(realm.run(code)), -1, code)
  }
})

test('a class of another realm that only looks like one of the language is left to the platform', () => {
  const codec = new Codec()
  const realm = new Realm()
  for (const code of [
    'new (class Object { x = 1 })()',
    'new (class Map { x = 1 })()',
    'const Fake = (function () {}).bind(); Fake.prototype = Object.setPrototypeOf({ constructor: Fake }, null); Object.setPrototypeOf({ x: 1 }, Fake.prototype)',
    'Object.setPrototypeOf({ x: 1 }, new Proxy({}, { get () { throw new Error("trap") }, getOwnPropertyDescriptor () { throw new Error("trap") }, getPrototypeOf () { throw new Error("trap") } }))',
    'const trap = () => { throw new Error("trap") }; Object.create({ constructor: new Proxy(class {}, { get: trap, getOwnPropertyDescriptor: trap }) })',
    'Object.create(Map.prototype)',
    'Object.create(Error.prototype)'
  ]) assert.equal(codec.encode(realm.run(`(() => { ${code.replace(/(.*; )?/, '$1return ')} })()`)), -1, code)
})

test('a subclass of a class of the language comes as that class, with what stands beside it', () => {
  const codec = new Codec()
  class List extends Array {}
  class Index extends Map {}
  class Time extends Date {}
  class Bytes extends Uint8Array {}
  const values = [
    List.from({ length: 100 }, (_, i) => ({ i })), List.of(), new Index([[1, List.of(2)]]), new (class extends Set {})([3]), new Time(4),
    new Bytes(5), new (class extends RegExp {})('a', 'g'), new (class extends ArrayBuffer {})(6)
  ]
  assert.equal(difference(codec.roundTrip(values), structuredClone(values)), null)
  const [, buffer] = codec.roundTrip([new Index(), Buffer.from('beside')])
  assert.ok(Buffer.isBuffer(buffer))
})

const errors = {
  coded: 'Object.assign(new TypeError("bad"), { code: "E_BAD" })',
  named: 'class NotFound extends Error { constructor (m) { super(m); this.name = "NotFound"; this.code = 404 } }; new NotFound("gone")',
  unnamed: 'class Unnamed extends RangeError {}; new Unnamed("range")',
  aggregate: 'new AggregateError([new Error("one"), Object.assign(new Error("two"), { code: 2 })], "many")',
  caused: 'new Error("outer", { cause: Object.assign(new RangeError("inner"), { code: 7 }) })',
  plain: 'new SyntaxError("plain")'
}

// What an error is to whoever gets it, realms aside.
const shape = (error) => error instanceof Error || Object.prototype.toString.call(error) === '[object Error]'
  ? { name: error.name, message: error.message, stack: error.stack, code: error.code, cause: shape(error.cause), errors: error.errors?.map(shape) }
  : error

for (const [name, code] of Object.entries(errors)) {
  test(`an error of another realm keeps what one of this realm keeps: ${name}`, async (t) => {
    const realm = new Realm()
    const [here, there] = [(0, eval)(`{ ${code} }`), realm.run(`{ ${code} }`)] // eslint-disable-line no-eval
    const pool = usePool(t, 'values.js')
    const channel = new Channel()
    await channel.send(there)
    const [fromHere, fromThere, byChannel] = [await pool.run(here), await pool.run(there), (await channel.receive()).value]
    const thrown = await pool.run(there, { name: 'fail' }).catch((error) => error)
    for (const error of [fromThere, byChannel, thrown]) {
      assert.deepEqual(shape(error), { ...shape(fromHere), stack: there.stack, cause: shape(there.cause), errors: there.errors === undefined ? undefined : Array.from(there.errors, shape) })
      assert.equal(Object.getPrototypeOf(error), Object.getPrototypeOf(fromHere))
    }
  })
}

test('what stands beside a value of another realm keeps what it is', async (t) => {
  const pool = usePool(t, 'values.js')
  const realm = new Realm()
  for (const code of ['({ a: 1 })', '[1]', 'new Map([[1, 2]])', 'new Set()', 'new Date(5)', '/a/', 'Object(1)', 'new Float64Array(2)', 'new ArrayBuffer(3)', 'new Error("e")']) {
    const { other, buffer, error } = await pool.run({ other: realm.run(code), buffer: Buffer.from('beside'), error: Object.assign(new Error('beside'), { code: 'E_BESIDE' }) })
    assert.ok(Buffer.isBuffer(buffer), code)
    assert.equal(error.code, 'E_BESIDE', code)
    assert.equal(other.constructor, globalThis[other.constructor.name], code)
  }
})

test('a realm that is gone is not kept by the codec', () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', path.join(__dirname, '..', 'fixtures', 'forgotten-realm.js')], { encoding: 'utf8', timeout: 60_000 })
  assert.equal(stdout, 'collected\n', stderr)
})

test('loaded by a test runner, in a realm of its own, a pool and a channel treat values alike', async (t) => {
  const realm = new TestRunnerRealm()
  const telar = realm.require(path.join(__dirname, '..', '..', 'lib', 'index.js'))
  assert.notEqual(telar.Pool, Pool)
  const pool = new telar.Pool({ filename: task('values.js'), minThreads: 1, maxThreads: 1 })
  t.after(() => pool.destroy())
  Object.assign(realm.context, { pool, telar, structuredClone, assert, makeBuffer: (text) => Buffer.from(text) })
  realm.context.systemError = (() => {
    try {
      return require('node:fs').readFileSync('/there/is/no/such/file')
    } catch (error) {
      return error
    }
  })()
  await realm.run(`(async () => {
    const values = { object: { a: 1 }, list: [1], map: new Map([[1, 2]]), date: new Date(5), ints: new Int32Array(2), bytes: new Uint8Array(2), memory: new Int32Array(1).buffer }
    const { object, list, map, date, ints, ...rest } = await pool.run({ ...values, buffer: makeBuffer('beside') })
    for (const [value, Class] of [[object, Object], [list, Array], [map, Map], [date, Date], [ints, Int32Array]]) assert.equal(value.constructor, Class)
    assert.equal(rest.bytes.length, 2)
    assert.equal(rest.memory.byteLength, 4)
    assert.equal(rest.buffer.toString(), 'beside')

    const foreign = await pool.run({ error: systemError, cloned: structuredClone({ list: [new Map()] }), buffer: makeBuffer('beside') })
    assert.equal(foreign.error.code, 'ENOENT')
    assert.equal(foreign.error instanceof Error, true)
    assert.equal(foreign.cloned.list[0].constructor, Map)
    assert.equal(foreign.buffer.toString(), 'beside')

    const failure = await pool.run(null, { name: 'missingFile' }).catch((error) => error)
    assert.equal(failure instanceof Error, true)
    assert.equal(failure.code, 'ENOENT')
    const exception = await pool.run(new DOMException('m', 'TimeoutError'))
    assert.equal(exception instanceof DOMException, true)

    const mutex = new telar.Mutex()
    const shared = await pool.run({ mutex, list: [mutex], map: new Map([[mutex, new Set([mutex])]]) })
    assert.equal(shared.mutex, mutex)
    assert.equal(shared.list[0], mutex)
    assert.equal(shared.map.get(mutex).has(mutex), true)
    const channel = new telar.Channel()
    await channel.send({ mutex, list: [new Map()], error: systemError })
    const { value } = await channel.receive()
    assert.equal(value.mutex, mutex)
    assert.equal(value.list[0].constructor, Map)
    assert.equal(value.error.code, 'ENOENT')
  })()`)
})
