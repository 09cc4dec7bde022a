'use strict'

// Values of another realm (a context of node:vm, as a sandbox or a test runner has it) are treated
// like values of this one, and do not affect the values beside them.

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

test('a value with objects of several realms comes back as structuredClone returns it', () => {
  const codec = new Codec()
  const realms = [new Realm(), new Realm()]
  fc.assert(fc.property(value, fc.integer({ min: 1 }), (value, bits) => {
    let count = 0
    const isOther = () => (bits >>> (count++ % 31) & 1) === 1
    const mixed = realms.reduce((mixed, realm) => realm.remake(mixed, isOther), value)
    assert.equal(difference(codec.roundTrip(mixed), structuredClone(mixed)), null)
  }), { numRuns: 500 })
})

test('unusual values of another realm come back right or are left to the platform', () => {
  const codec = new Codec()
  const realm = new Realm()
  for (const code of [
    'Array.from({ length: 100 }, (_, i) => i)', '"year 2024".match(/(?<year>\\d+)/)', '[,1,,]',
    'Object.prototype'
  ]) {
    const other = realm.run(code)
    assert.equal(difference(codec.roundTrip(other), structuredClone(other)), null, code)
  }
  for (const code of [
    '(function () { return arguments })(1)', 'globalThis', 'Array.prototype', 'new WeakMap()',
    'Promise.resolve()', '(() => {})', 'new Proxy({}, {})'
  ]) {
    assert.equal(codec.encode(realm.run(code)), -1, code)
  }
})

test('a class of another realm that resembles a built-in one is left to the platform', () => {
  const codec = new Codec()
  const realm = new Realm()
  for (const code of [
    'new (class Object { x = 1 })()',
    'new (class Map { x = 1 })()',
    'const Fake = (function () {}).bind(); ' +
      'Fake.prototype = Object.setPrototypeOf({ constructor: Fake }, null); ' +
      'Object.setPrototypeOf({ x: 1 }, Fake.prototype)',
    'const trap = () => { throw new Error("trap") }; Object.setPrototypeOf({ x: 1 }, ' +
      'new Proxy({}, { get: trap, getOwnPropertyDescriptor: trap, getPrototypeOf: trap }))',
    'const trap = () => { throw new Error("trap") }; Object.create(' +
      '{ constructor: new Proxy(class {}, { get: trap, getOwnPropertyDescriptor: trap }) })',
    'Object.create(Map.prototype)',
    'Object.create(Error.prototype)'
  ]) {
    const value = realm.run(`(() => { ${code.replace(/(.*; )?/, '$1return ')} })()`)
    assert.equal(codec.encode(value), -1, code)
  }
})

test('a subclass of a built-in class arrives as that class and affects no other value', () => {
  const codec = new Codec()
  class List extends Array {}
  class Index extends Map {}
  class Time extends Date {}
  class Bytes extends Uint8Array {}
  const values = [
    List.from({ length: 100 }, (_, i) => ({ i })), List.of(),
    new Index([[1, List.of(2)]]), new (class extends Set {})([3]), new Time(4),
    new Bytes(5), new (class extends RegExp {})('a', 'g'), new (class extends ArrayBuffer {})(6)
  ]
  assert.equal(difference(codec.roundTrip(values), structuredClone(values)), null)
  const [, buffer] = codec.roundTrip([new Index(), Buffer.from('beside')])
  assert.ok(Buffer.isBuffer(buffer))
})

const errors = {
  coded: 'Object.assign(new TypeError("bad"), { code: "E_BAD" })',
  named: `class NotFound extends Error {
    constructor (m) {
      super(m)
      this.name = "NotFound"
      this.code = 404
    }
  }
  new NotFound("gone")`,
  unnamed: 'class Unnamed extends RangeError {}; new Unnamed("range")',
  aggregate: 'new AggregateError(' +
    '[new Error("one"), Object.assign(new Error("two"), { code: 2 })], "many")',
  caused: 'new Error("outer", { cause: Object.assign(new RangeError("inner"), { code: 7 }) })',
  plain: 'new SyntaxError("plain")'
}

// What a receiver sees of an error, apart from its realm.
const shape = (error) => {
  const isError = error instanceof Error ||
    Object.prototype.toString.call(error) === '[object Error]'
  if (!isError) return error
  const { name, message, stack, code, cause, errors } = error
  return { name, message, stack, code, cause: shape(cause), errors: errors?.map(shape) }
}

for (const [name, code] of Object.entries(errors)) {
  test(`an error of another realm keeps what one of this realm keeps: ${name}`, async (t) => {
    const realm = new Realm()
    // eslint-disable-next-line no-eval
    const [here, there] = [(0, eval)(`{ ${code} }`), realm.run(`{ ${code} }`)]
    const pool = usePool(t, 'values.js')
    const channel = new Channel()
    await channel.send(there)
    const fromHere = await pool.run(here)
    const fromThere = await pool.run(there)
    const { value: byChannel } = await channel.receive()
    const thrown = await pool.run(there, { name: 'fail' }).catch((error) => error)
    assert.ok(thrown.stack.startsWith(there.stack))
    thrown.stack = there.stack // without the callers of run(), with which it goes on
    for (const error of [fromThere, byChannel, thrown]) {
      assert.deepEqual(shape(error), {
        ...shape(fromHere),
        stack: there.stack,
        cause: shape(there.cause),
        errors: there.errors === undefined ? undefined : Array.from(there.errors, shape)
      })
      assert.equal(Object.getPrototypeOf(error), Object.getPrototypeOf(fromHere))
    }
  })
}

test('a value of another realm does not affect the values beside it', async (t) => {
  const pool = usePool(t, 'values.js')
  const realm = new Realm()
  for (const code of [
    '({ a: 1 })', '[1]', 'new Map([[1, 2]])', 'new Set()', 'new Date(5)', '/a/', 'Object(1)',
    'new Float64Array(2)', 'new ArrayBuffer(3)', 'new Error("e")'
  ]) {
    const { other, buffer, error } = await pool.run({
      other: realm.run(code),
      buffer: Buffer.from('beside'),
      error: Object.assign(new Error('beside'), { code: 'E_BESIDE' })
    })
    assert.ok(Buffer.isBuffer(buffer), code)
    assert.equal(error.code, 'E_BESIDE', code)
    assert.equal(other.constructor, globalThis[other.constructor.name], code)
  }
})

test('the codec does not keep a realm alive', () => {
  const program = path.join(__dirname, '..', 'fixtures', 'forgotten-realm.js')
  const { stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', program], {
    encoding: 'utf8', timeout: 60_000
  })
  assert.equal(stdout, 'collected\n', stderr)
})

test('a pool and a channel work when a test runner loads telar in another realm', async (t) => {
  const realm = new TestRunnerRealm()
  const telar = realm.require(path.join(__dirname, '..', '..', 'lib', 'index.js'))
  assert.notEqual(telar.Pool, Pool)
  const pool = new telar.Pool({ filename: task('values.js'), minThreads: 1, maxThreads: 1 })
  t.after(() => pool.destroy())
  Object.assign(realm.context,
    { pool, telar, structuredClone, assert, makeBuffer: (text) => Buffer.from(text) })
  realm.context.systemError = (() => {
    try {
      return require('node:fs').readFileSync('/there/is/no/such/file')
    } catch (error) {
      return error
    }
  })()
  await realm.run(`(async () => {
    const values = {
      object: { a: 1 },
      list: [1],
      map: new Map([[1, 2]]),
      date: new Date(5),
      ints: new Int32Array(2),
      bytes: new Uint8Array(2),
      memory: new Int32Array(1).buffer,
      buffer: makeBuffer('beside')
    }
    const { object, list, map, date, ints, ...rest } = await pool.run(values)
    for (const [value, Class] of [
      [object, Object], [list, Array], [map, Map], [date, Date], [ints, Int32Array]
    ]) {
      assert.equal(value.constructor, Class)
    }
    assert.equal(rest.bytes.length, 2)
    assert.equal(rest.memory.byteLength, 4)
    assert.equal(rest.buffer.toString(), 'beside')

    const foreign = await pool.run({
      error: systemError,
      cloned: structuredClone({ list: [new Map()] }),
      buffer: makeBuffer('beside')
    })
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
    const nested = new Map([[mutex, new Set([mutex])]])
    const shared = await pool.run({ mutex, list: [mutex], map: nested })
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
