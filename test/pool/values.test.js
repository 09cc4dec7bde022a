'use strict'

// A task receives and returns what structuredClone() gives, whichever route the value takes. Errors
// and Buffers keep more than that.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { types } = require('node:util')
const fc = require('fast-check')
const { Channel, move } = require('../..')
const { graph, primitive, string } = require('../fixtures/arbitraries')
const { byPort } = require('../fixtures/by-port')
const { difference } = require('../fixtures/difference')
const makeErrors = require('../fixtures/error-values')
const { buffers } = require('../fixtures/tasks/values')
const { usePool } = require('../fixtures/use-pool')

const thereAndBack = (value) => structuredClone(structuredClone(value))

// Tasks that return their own argument, and options that choose the route of the value.
const ways = [
  { name: 'default', options: undefined },
  { name: 'later', options: { name: 'later' } },
  { name: 'by port', get options () { return byPort() } }
]

for (const way of ways) {
  test(`a value comes back as structuredClone returns it: ${way.name}`, async (t) => {
    const pool = usePool(t, 'values.js')
    await fc.assert(fc.asyncProperty(graph, async (value) => {
      assert.equal(difference(await pool.run(value, way.options), thereAndBack(value)), null)
    }), { numRuns: 700 })
  })
}

test('many values in flight, of a thousand sizes, do not affect each other', async (t) => {
  const pool = usePool(t, 'values.js', { maxThreads: 2, minThreads: 2, sharedMemory: 1 << 20 })
  const many = fc.array(graph, { minLength: 100, maxLength: 400 })
  await fc.assert(fc.asyncProperty(many, async (values) => {
    const results = await Promise.all(values.map((value) => pool.run(value)))
    results.forEach((result, i) => assert.equal(difference(result, thereAndBack(values[i])), null))
  }), { numRuns: 8 })
})

test('what a task throws arrives as structuredClone returns it', async (t) => {
  const pool = usePool(t, 'values.js')
  const names = fc.constantFrom('fail', 'failLater')
  await fc.assert(fc.asyncProperty(graph, names, async (value, name) => {
    const reason = await pool.run(value, { name })
      .then(() => assert.fail('resolved'), (reason) => reason)
    const expected = thereAndBack(value)
    if (types.isNativeError(expected)) { // its stack goes on with the callers of run()
      assert.ok(reason.stack.startsWith(expected.stack))
      reason.stack = expected.stack
    }
    assert.equal(difference(reason, expected), null)
  }), { numRuns: 300 })
})

test('primitives arrive as they are', async (t) => {
  const pool = usePool(t, 'values.js')
  await fc.assert(fc.asyncProperty(fc.oneof(primitive, string), async (value) => {
    const result = await pool.run(value)
    assert.ok(Object.is(result, value), `${String(result)} is not ${String(value)}`)
  }), { numRuns: 1000 })
})

test('bigints of any size arrive as they are', async (t) => {
  const pool = usePool(t, 'values.js')
  for (const bits of [63n, 64n, 65n, 1000n, 40_000n, 1_000_000n]) {
    for (const value of [1n << bits, -(1n << bits), (1n << bits) - 1n, -(1n << bits) + 1n]) {
      assert.equal(await pool.run(value), value)
    }
  }
})

test('typed arrays keep their class, offset, length and shared buffer', async (t) => {
  const pool = usePool(t, 'values.js')
  const classes = [
    Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
    globalThis.Float16Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView
  ].filter((Class) => Class !== undefined)
  for (const Class of classes) {
    const buffer = new ArrayBuffer(64)
    new Uint8Array(buffer).forEach((_, i, bytes) => { bytes[i] = i })
    const value = { view: new Class(buffer, 16, 3), other: new Uint8Array(buffer, 8), buffer }
    for (const { options } of ways) {
      const result = await pool.run(value, options)
      assert.equal(difference(result, value), null)
      assert.equal(result.view.buffer, result.buffer)
    }
  }
})

test('resizable buffers stay resizable, and views on them track their length', async (t) => {
  const pool = usePool(t, 'values.js')
  const buffer = new ArrayBuffer(16, { maxByteLength: 64 })
  const result = await pool.run({ buffer, tracking: new Uint8Array(buffer, 4) })
  assert.equal(result.buffer.maxByteLength, 64)
  assert.equal(result.tracking.length, 12)
  result.buffer.resize(32)
  assert.equal(result.tracking.length, 28)
})

test('instances become plain objects of their own enumerable properties', async (t) => {
  const pool = usePool(t, 'values.js')
  class Point {
    #secret = 1
    x = 1
    get secret () { return this.#secret }
  }
  class List extends Array {}
  const getter = { get computed () { return 'now' } }
  const value = [
    new Point(),
    Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true }, hidden: { value: 3 } }),
    List.of(1, 2),
    getter
  ]
  const result = await pool.run(value)
  assert.deepEqual(result, [{ x: 1 }, { own: 2 }, [1, 2], { computed: 'now' }])
  assert.equal(difference(result, thereAndBack(value)), null)
})

test('a getter that throws rejects its task with its error, and later tasks run', async (t) => {
  const pool = usePool(t, 'values.js')
  const reason = new Error('from the getter')
  const value = { before: 1, get broken () { throw reason }, after: 2 }
  for (const { options } of ways) {
    await assert.rejects(pool.run(value, options), (error) =>
      error === reason || error.message === reason.message)
    assert.equal(await pool.run(1, options), 1)
  }
})

test('a value is copied when run() is called', async (t) => {
  const pool = usePool(t, 'values.js')
  for (const { options } of ways) {
    const value = { list: [1] }
    const run = pool.run(value, options)
    value.list.push(2)
    value.late = true
    assert.deepEqual(await run, { list: [1] })
  }
})

test('a getter of the value may itself run tasks', async (t) => {
  const pool = usePool(t, 'values.js')
  let inner
  const value = {
    a: 'a'.repeat(300),
    get nested () { inner = pool.run({ inner: 'b'.repeat(400) }); return 7 },
    c: 'c'.repeat(300)
  }
  assert.deepEqual(await pool.run(value), { a: 'a'.repeat(300), nested: 7, c: 'c'.repeat(300) })
  assert.deepEqual(await inner, { inner: 'b'.repeat(400) })
})

test('a value too deep for the codec travels, one too deep for the stack rejects', async (t) => {
  const pool = usePool(t, 'values.js')
  const nest = (depth) => {
    let value = 'bottom'
    for (let i = 0; i < depth; i++) value = [value]
    return value
  }
  for (const depth of [399, 400, 401, 1000]) {
    let result = await pool.run(nest(depth))
    let levels = 0
    while (Array.isArray(result)) {
      result = result[0]
      levels++
    }
    assert.equal(levels, depth)
    assert.equal(result, 'bottom')
  }
  await assert.rejects(pool.run(nest(100_000)),
    { name: 'RangeError', message: 'Maximum call stack size exceeded' })
  assert.equal(await pool.run(1), 1)
})

test('a polluted Object.prototype adds nothing to an object', async (t) => {
  const pool = usePool(t, 'values.js')
  Object.prototype.polluted = 'yes' // eslint-disable-line no-extend-native
  try {
    const result = await pool.run({ own: 1 })
    assert.deepEqual(Object.keys(result), ['own'])
  } finally {
    delete Object.prototype.polluted
  }
})

test('a Buffer comes back as a Buffer, wherever it is', async (t) => {
  const pool = usePool(t, 'values.js')
  const pooled = Buffer.from('from the pool')
  for (const value of [
    pooled, pooled.subarray(5), Buffer.alloc(0), Buffer.alloc(100_000, 'x'), Buffer.from([0, 255])
  ]) {
    assert.equal(await pool.run(value, { name: 'isBuffer' }), true)
    const result = await pool.run(value)
    assert.ok(Buffer.isBuffer(result))
    assert.equal(Object.getPrototypeOf(result), Buffer.prototype)
    assert.ok(result.equals(value))
  }
  const nested = await pool.run({
    list: [pooled, pooled],
    map: new Map([['key', Buffer.from('b')]]),
    set: new Set([Buffer.from('c')])
  })
  assert.ok(Buffer.isBuffer(nested.list[0]))
  assert.equal(nested.list[0], nested.list[1])
  assert.ok(Buffer.isBuffer(nested.map.get('key')))
  assert.ok([...nested.set].every(Buffer.isBuffer))
  assert.equal(nested.list[0].toString(), 'from the pool')
})

for (const way of Object.keys(buffers)) {
  test(`a moved Buffer of any size arrives as a Buffer, both ways: ${way}`, async (t) => {
    const pool = usePool(t, 'values.js')
    for (const length of [0, 3, 1000, 3000, 5000, 8192, 40_000, 70_000]) {
      assert.equal(await pool.run(move(buffers[way](length)), { name: 'isText' }), length)
      const result = await pool.run({ way, length }, { name: 'moveBuffer' })
      assert.ok(Buffer.isBuffer(result), `${length} bytes`)
      assert.equal(result.toString(), 'x'.repeat(length))
    }
  })
}

test('a Buffer stays a Buffer with a transfer list and on shared memory', async (t) => {
  const pool = usePool(t, 'values.js')
  const buffer = Buffer.alloc(10_000, 'x')
  assert.equal(await pool.run(buffer, { name: 'isText', transferList: [buffer.buffer] }), 10_000)
  assert.equal(buffer.length, 0)
  const shared = Buffer.from(new SharedArrayBuffer(4)).fill('x')
  assert.equal(await pool.run(shared, { name: 'isText' }), 4)
  const back = await pool.run(shared)
  back[0] = 1
  assert.equal(shared[0], 1)
})

test('a Buffer brings only its own bytes', async (t) => {
  const pool = usePool(t, 'values.js')
  const memory = Buffer.from('secret public secret')
  const buffer = memory.subarray(7, 13)
  assert.equal((await pool.run(buffer)).toString(), 'public')
  const isInMemory = (text) => pool.run({ buffer, text }, { name: 'isInMemory' })
  assert.deepEqual([await isInMemory('public'), await isInMemory('secret')], [true, false])
})

test('a value that arrives shares no memory with any other', async (t) => {
  const pool = usePool(t, 'values.js')
  const value = new Uint8Array([1, 2, 3])
  const [first, second] = [await pool.run(value), await pool.run(value)]
  first[0] = 99
  assert.deepEqual([...second], [1, 2, 3])
  assert.deepEqual([...value], [1, 2, 3])
})

// Large buffers of a result travel beside the rest of the result.
test('large buffers come back as structuredClone returns them, wherever they are', async (t) => {
  const pool = usePool(t, 'values.js')
  const large = () => Uint8Array.from({ length: 600_000 }, (_, i) => i % 251)
  const { buffer } = large()
  const cycle = { bytes: large() }
  cycle.self = cycle
  const values = [
    large(),
    buffer,
    new Float64Array(buffer, 800, 70_000),
    [new Uint8Array(buffer, 1, 2), new DataView(buffer, 5), buffer, new Uint16Array(buffer)],
    { small: new Uint8Array(3), text: 'ж', list: [large(), large()], again: buffer },
    new Map([[buffer, new Set([new Int8Array(buffer)])]]),
    cycle
  ]
  for (const way of ways) {
    for (const value of values) {
      assert.equal(difference(await pool.run(value, way.options), thereAndBack(value)), null)
    }
  }
  const [bytes, again] = await pool.run([Buffer.from(buffer), Buffer.from(buffer)])
  assert.ok(Buffer.isBuffer(bytes) && bytes.equals(Buffer.from(buffer)) && again.equals(bytes))
  const failed = await pool.run(Object.assign(new RangeError('large'), { bytes: large() }),
    { name: 'fail' }).catch((error) => error)
  assert.equal(difference(failed.bytes, large()), null)
})

test('a large buffer that a task returns stays whole in the worker', async (t) => {
  const pool = usePool(t, 'values.js')
  const length = 1_000_000
  assert.equal((await pool.run({ length, fill: 7 }, { name: 'kept' })).length, length)
  assert.deepEqual(await pool.run(undefined, { name: 'describeKept' }),
    { length, first: 7, last: 7, middle: 7 })
})

// The platform keeps the class, message, stack and cause of an error. telar keeps the rest, too.
function assertSameError (actual, expected, path = 'error') {
  assert.equal(Object.prototype.toString.call(actual), '[object Error]', path)
  assert.ok(actual instanceof Error, path)
  assert.equal(actual.name, expected.constructor.name === 'Unnamed' ? 'Unnamed' : expected.name,
    `${path}.name`)
  assert.equal(actual.message, expected.message, `${path}.message`)
  assert.equal(typeof actual.stack, 'string', `${path}.stack`)
  for (const native of [TypeError, RangeError, SyntaxError, AggregateError]) {
    assert.equal(actual instanceof native, expected instanceof native,
      `${path} instanceof ${native.name}`)
  }
  const keys = Object.keys(expected).filter((key) => typeof expected[key] !== 'function')
  assert.deepEqual(Object.keys(actual).sort(), keys.sort(), `${path} keys`)
  for (const key of new Set([...Object.keys(actual), 'cause', 'errors'])) {
    assert.equal(Object.hasOwn(actual, key), Object.hasOwn(expected, key), `${path}.${key}`)
    if (expected[key] === expected) assert.equal(actual[key], actual, `${path}.${key}`)
    else assertSame(actual[key], expected[key], `${path}.${key}`)
  }
}

function assertSame (actual, expected, path) {
  if (expected instanceof Error) {
    assertSameError(actual, expected, path)
  } else if (Array.isArray(expected)) {
    expected.forEach((item, i) => assertSame(actual[i], item, `${path}[${i}]`))
  } else if (typeof expected === 'object' && expected?.constructor === Object) {
    Object.keys(expected).forEach((key) => assertSame(actual[key], expected[key], `${path}.${key}`))
  } else {
    assert.deepEqual(actual, expected, path)
  }
}

for (const name of Object.keys(makeErrors)) {
  test(`an error keeps what it carries: ${name}`, async (t) => {
    const pool = usePool(t, 'values.js')
    const expected = makeErrors[name]()
    assertSame(await pool.run(expected), expected)
    assertSame(await pool.run({ wrapped: [expected] }), { wrapped: [expected] })
    assertSame(await pool.run(name, { name: 'error' }), expected)
    for (const [argument, options] of [
      [name, { name: 'throwError' }],
      [expected, { name: 'fail' }],
      [expected, { name: 'failLater' }]
    ]) {
      const reason = await pool.run(argument, options)
        .then(() => assert.fail('resolved'), (reason) => reason)
      assertSame(reason, expected)
    }
  })
}

test('the stack of an error that a task throws shows where it was thrown', async (t) => {
  const pool = usePool(t, 'values.js')
  await assert.rejects(pool.run('coded', { name: 'throwError' }), (error) => {
    assert.match(error.stack, /^Error: no such file/)
    assert.match(error.stack, /error-values\.js/)
    return true
  })
})

test('DOMExceptions and system errors keep their class, name and code', async (t) => {
  const pool = usePool(t, 'values.js')
  const exception = await pool.run(new DOMException('stopped', 'TimeoutError'))
  assert.ok(exception instanceof DOMException)
  assert.deepEqual([exception.name, exception.message, exception.code],
    ['TimeoutError', 'stopped', 23])
  class TooLate extends DOMException {}
  const tooLate = Object.assign(new TooLate('too late', 'TimeoutError'), { extra: [1] })
  const late = await pool.run(tooLate)
  assert.ok(late instanceof DOMException)
  assert.deepEqual([late.name, late.message, late.code, late.extra],
    ['TimeoutError', 'too late', 23, [1]])
  const system = await pool.run(null, { name: 'missingFile' }).catch((error) => error)
  assert.deepEqual([system.code, system.syscall, system.name], ['ENOENT', 'open', 'Error'])
})

test('a subclass of DOMException keeps what the platform keeps', async (t) => {
  const pool = usePool(t, 'values.js')
  const channel = new Channel()
  // Node has only this subclass so far, and not in all versions.
  const Class = globalThis.QuotaExceededError
  const makers = [
    () => new Class('full', { quota: 10, requested: 12 }),
    () => new Class('full', { quota: 0 }),
    () => new Class()
  ]
  for (const make of Class === undefined ? [] : makers) {
    const expected = structuredClone(make())
    await channel.send(make())
    for (const error of [
      await pool.run(make()),
      await pool.run(make(), { name: 'fail' }).catch((error) => error),
      (await channel.receive()).value
    ]) {
      assert.equal(error.constructor, Class)
      for (const key of ['name', 'message', 'code', 'quota', 'requested']) {
        assert.equal(error[key], expected[key], key)
      }
    }
  }
  const subclasses = Object.getOwnPropertyNames(globalThis).filter((name) =>
    name !== 'DOMException' && globalThis[name]?.prototype instanceof DOMException)
  assert.deepEqual(subclasses, Class === undefined ? [] : ['QuotaExceededError'])
})
