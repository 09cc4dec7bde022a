'use strict'

const { test, suite } = require('node:test')
const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const path = require('node:path')
const { MessageChannel } = require('node:worker_threads')
const { Codec, Memory, difference } = require('../fixtures/codec')
const codecMemoryKinds = require('../fixtures/codec-memory')
const { collectGarbage } = require('../fixtures/collect-garbage')
const { Encoder, Decoder } = require('../../lib/codec')

const library = path.resolve(__dirname, '../../lib/codec')

function assertLikePlatform (value, codec = new Codec()) {
  assert.equal(difference(codec.roundTrip(value), structuredClone(value)), null)
}

suite('values', () => {
  test('numbers keep every bit that can be observed', () => {
    const edges = [
      0, -0, NaN, Infinity, -Infinity, 0.1, Number.MAX_VALUE, Number.MIN_VALUE,
      Number.MAX_SAFE_INTEGER
    ]
    for (let bit = 0; bit < 54; bit++) {
      for (const off of [-1, 0, 1]) edges.push(2 ** bit + off, -(2 ** bit) + off)
    }
    const codec = new Codec()
    for (const number of edges) assert.ok(Object.is(codec.roundTrip(number), number), `${number}`)
  })

  test('a bigint of any size keeps its value', () => {
    const codec = new Codec()
    for (let bits = 0n; bits < 200n; bits++) {
      for (const off of [-1n, 0n, 1n]) {
        assert.equal(codec.roundTrip(2n ** bits + off), 2n ** bits + off)
        assert.equal(codec.roundTrip(-(2n ** bits) + off), -(2n ** bits) + off)
      }
    }
    assert.equal(codec.roundTrip(7n ** 9999n), 7n ** 9999n)
  })

  test('strings of every length around the limits of the fast paths stay the same', () => {
    const codec = new Codec()
    for (let length = 0; length < 80; length++) {
      for (const filler of ['a', 'é', '\xff', '\0', 'Ā', 'ж', '\ud800', '\u{1F600}']) {
        const string = filler.repeat(length)
        assert.equal(codec.roundTrip(string), string)
        // With one odd character at either end.
        for (const odd of ['Ā', 'ÿ', '\udc00']) {
          assert.equal(codec.roundTrip(odd + string), odd + string)
          assert.equal(codec.roundTrip(string + odd), string + odd)
        }
      }
    }
  })

  test('a repeated string is not confused with strings that resemble it', () => {
    // Alike where it is cheap to compare: in length, and first, middle and last characters.
    const alike = (i, filler) =>
      `A${String(i).padStart(4, '0')}|${filler}middle${filler}|${String(i).padEnd(4, '-')}Z`
    for (const filler of ['', 'x', 'ж']) {
      const codec = new Codec()
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < 300; i++) {
          const string = alike(i, filler)
          for (let times = 0; times <= i % 3; times++) {
            assert.equal(codec.roundTrip(string), string)
            assert.equal(codec.roundTrip(alike(i, '\xff')), alike(i, '\xff'))
          }
        }
      }
    }
  })

  test('a repeated string survives the overwriting of its last encoding', () => {
    const codec = new Codec()
    for (const string of ['London, Marylebone', 'a second one']) {
      for (let i = 0; i < 3; i++) {
        assert.equal(codec.roundTrip(string), string)
        codec.memory.bytes.fill(0x41)
        codec.memory.reset(64)
      }
    }
  })

  test('a concatenated string and a slice of a string stay the same', () => {
    const codec = new Codec()
    const rope = 'left side of it ' + 'ж'.repeat(20) + String(process.pid)
    assert.equal(codec.roundTrip(rope), rope)
    assert.equal(codec.roundTrip(rope.slice(1, 15)), rope.slice(1, 15))
    assert.equal(codec.roundTrip(rope.slice(17, 50)), rope.slice(17, 50))
  })

  test('keys keep their order, and __proto__ is a key like any other', () => {
    const codec = new Codec()
    for (const json of [
      '{"b":1,"a":2,"2":3,"1":4}', '{"__proto__":{"x":1},"y":2}',
      '{"constructor":1,"toString":2,"hasOwnProperty":3,"valueOf":4}', '{"":1}'
    ]) {
      // Often enough for the decoder to compile code for the shape.
      for (let i = 0; i < 40; i++) {
        const decoded = codec.roundTrip(JSON.parse(json))
        assert.equal(difference(decoded, JSON.parse(json)), null)
        assert.equal(Object.getPrototypeOf(decoded), Object.prototype)
      }
    }
  })

  test('objects with many keys and many objects with new keys keep their keys', () => {
    const codec = new Codec()
    for (let count = 60; count < 70; count++) {
      for (let i = 0; i < 30; i++) {
        const entries = Array.from({ length: count }, (_, n) => [`key${n}`, n])
        assertLikePlatform(Object.fromEntries(entries), codec)
      }
    }
    for (let i = 0; i < 3000; i++) {
      assertLikePlatform({ [`a${i}`]: 1, [`b${i * 7}`]: 2, same: i }, codec)
    }
    assertLikePlatform(Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`key${n}`, n])))
  })

  test('symbol keys and properties that are not enumerable are left out', () => {
    const object = Object.defineProperty({ a: 1, [Symbol('s')]: 2 }, 'hidden', { value: 3 })
    assertLikePlatform(object)
  })

  test('accessors run once each, in order', () => {
    const calls = []
    const make = () => ({
      get first () { calls.push('first'); return 1 },
      list: Object.defineProperty([0, 1], 1,
        { get () { calls.push('element'); return 2 }, enumerable: true }),
      get last () { calls.push('last'); return { a: 1 } }
    })
    assert.deepEqual(new Codec().roundTrip(make()), { first: 1, list: [0, 2], last: { a: 1 } })
    assert.deepEqual(calls, ['first', 'element', 'last'])
  })

  test('an accessor may change its object, with the same effect as on the platform', () => {
    const makers = [
      () => ({ get a () { delete this.b; return 1 }, b: 2, c: 3 }),
      () => ({ get a () { this.z = 2; return 1 }, b: 2, c: 3 }),
      () => ({ get a () { this.b = 'changed'; return 1 }, b: 2 }),
      () => {
        const map = new Map()
        map.set({ get a () { map.clear(); return 1 } }, 2).set(3, 4)
        return map
      },
      () => {
        const set = new Set()
        set.add({ get a () { set.add(5); return 1 } }).add(2)
        return set
      }
    ]
    for (const make of makers) {
      assert.equal(difference(new Codec().roundTrip(make()), structuredClone(make())), null)
    }
  })

  test('a known shape hides no accessor, no other key and no value that cannot be cloned', () => {
    const codec = new Codec()
    const usual = i => ({ a: i, b: String(i), c: { a: 1, b: 2 } })
    for (let i = 0; i < 40; i++) assertLikePlatform(usual(i), codec)
    const calls = []
    const makers = [
      () => ({ a: undefined, b: undefined, c: undefined }),
      () => ({
        get a () { calls.push('a'); return 1 },
        get b () { calls.push('b'); return undefined },
        c: 3
      }),
      () => ({ get a () { this.b = 'changed'; return 1 }, b: 2, c: 3 }),
      () => ({ get a () { this.z = 'more'; return 1 }, b: 2, c: 3 }),
      () => ({ a: 1, b: 2, c: 3, d: 4 }), () => ({ a: 1, b: 2 }),
      () => ({ b: 1, a: 2, c: 3 }), () => ({}),
      () => Object.assign(Object.create(null), { a: 1, b: 2, c: 3 }),
      () => Object.assign([1], { a: 1, b: 2, c: 3 })
    ]
    for (let i = 0; i < 3; i++) {
      for (const make of makers) {
        assert.equal(difference(codec.roundTrip(make()), structuredClone(make())), null)
        assertLikePlatform(usual(i), codec)
      }
    }
    // Three times each for the codec and for the platform.
    assert.equal(calls.join(''), 'ab'.repeat(6))
    // The platform must leave out a property that an accessor has deleted.
    assert.equal(codec.encode({ get a () { delete this.c; return 1 }, b: 2, c: 3 }), -1)
    assert.equal(codec.encode({ a: 1, b: () => {}, c: 3 }), -1)
    assert.throws(() => codec.encode({ a: 1, get b () { throw new RangeError('b') }, c: 3 }),
      RangeError)
    assertLikePlatform(usual(1), codec)
  })

  test('arrays keep their holes, names and accessors, or are left to the platform', () => {
    const codec = new Codec()
    const long = Array.from({ length: 1000 }, (_, i) => i)
    const sparse = new Array(100)
    sparse[50] = 1
    const values = [
      [], [undefined], new Array(3), [1, , 3], sparse, long, // eslint-disable-line no-sparse-arrays
      'abc'.match(/b(c)/), Object.assign([1, 2], { name: 'x', 4294967295: 1 }),
      Object.assign(long.slice(), { name: 'x' }),
      Object.assign(sparse.slice(), { name: 'x' }), Object.freeze([1, 2]),
      Object.assign(new Array(2), { name: 'as many keys', other: 'as elements' })
    ]
    for (const value of values) assertLikePlatform(value, codec)
    const hiding = Object.defineProperty([1, 2, 3], 1, { value: 2, enumerable: false })
    assert.equal(codec.encode(hiding), -1)
    assert.equal(codec.encode(new Array(2 ** 32 - 1)), -1)
    assert.equal(codec.encode(Object.assign(new Array(10 ** 6), { 5: 1 })), -1)
  })

  test('objects of every kind stay shared and may form cycles', () => {
    const objects = [
      {}, [], new Map(), new Set(), new Date(1), /r/, new ArrayBuffer(8),
      new Uint8Array(8), new DataView(new ArrayBuffer(8)), Object(1), Object('s'),
      new Error('e'), Buffer.from('b'), new DOMException('d')
    ]
    const decoded = new Codec().roundTrip([...objects, ...objects])
    for (let i = 0; i < objects.length; i++) {
      assert.equal(decoded[i], decoded[i + objects.length])
      assert.equal(decoded.indexOf(decoded[i]), i)
    }
    const cycle = { map: new Map(), list: [] }
    cycle.map.set(cycle, cycle.list)
    cycle.list.push(cycle, cycle.map, cycle.list)
    assertLikePlatform(cycle)
  })

  test('more references than fit a linear scan stay shared', () => {
    const objects = Array.from({ length: 300 }, (_, i) => ({ i }))
    assertLikePlatform([...objects, ...objects.reverse(), objects])
  })

  test('sets and maps keep the order and the identity of their keys', () => {
    const key = {}
    assertLikePlatform(new Map([[key, 1], [NaN, 2], [0, 3], ['0', new Set([key, NaN])]]))
  })

  test('valid and invalid dates keep their time', () => {
    for (const time of [0, -1, 8.64e15, -8.64e15, NaN, 1e12 + 0.5]) {
      assertLikePlatform(new Date(time))
    }
  })

  test('regular expressions keep their source and every flag', () => {
    const codec = new Codec()
    for (const flags of ['', 'd', 'g', 'i', 'm', 's', 'u', 'v', 'y', 'dgimsuy']) {
      const regExp = new RegExp('a/[b\\]]\\s', flags)
      regExp.lastIndex = 3
      assertLikePlatform(regExp, codec)
    }
    const disguised = Object.defineProperties(/x/g,
      { global: { value: false }, source: { value: 'y' }, flags: { value: '' } })
    assertLikePlatform(disguised, codec)
  })
})

suite('binary data', () => {
  const classes = [
    Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
    Float32Array, Float64Array, BigInt64Array, BigUint64Array
  ].concat(globalThis.Float16Array ?? [])

  test('typed arrays of every class and many sizes arrive, whole and in part', () => {
    const codec = new Codec()
    for (const Class of classes) {
      for (const length of [0, 1, 2, 3, 7, 8, 9, 64, 65, 255, 256, 2048, 2049]) {
        const view = new Class(length)
        new Uint8Array(view.buffer).forEach((_, i, bytes) => { bytes[i] = i * 31 })
        assertLikePlatform(view, codec)
        assertLikePlatform([1, view.subarray(length >> 1), view, view.buffer], codec)
      }
    }
  })

  test('typed arrays of sizes around the limits of the fast paths keep their bytes', () => {
    const codec = new Codec()
    for (const length of [2046, 2047, 2048, 2049, 4095, 4096, 5000, 65536]) {
      const bytes = new Uint8Array(length).map((_, i) => i * 7)
      assertLikePlatform({ bytes, after: 'after' }, codec)
      assertLikePlatform([1, bytes, 'after'], codec)
    }
  })

  test('views of one buffer share it again', () => {
    const buffer = new Uint8Array(32).map((_, i) => i).buffer
    const [a, b, c, d] = new Codec().roundTrip([
      new Uint8Array(buffer, 3, 5), new DataView(buffer, 1, 2), buffer, new Float64Array(buffer, 8)
    ])
    assert.equal(a.buffer, c)
    assert.equal(b.buffer, c)
    assert.equal(d.buffer, c)
    a[0] = 99
    assert.equal(new Uint8Array(c)[3], 99)
  })

  test('a view arrives with memory of its own, which can be transferred', () => {
    const codec = new Codec()
    const lengths = [1, 100, 2047, 2048, 10000]
    for (const value of [
      ...lengths.map((length) => new Uint8Array(length)),
      Buffer.alloc(2048),
      Buffer.alloc(10000)
    ]) {
      const decoded = codec.roundTrip(value)
      assert.ok(decoded.buffer instanceof ArrayBuffer)
      assert.equal(decoded.buffer.byteLength, value.length)
      structuredClone(decoded, { transfer: [decoded.buffer] })
      assert.equal(decoded.byteLength, 0)
    }
  })

  test('a Buffer comes back as a Buffer, with only its own bytes', () => {
    const codec = new Codec()
    const lengths = [0, 1, 7, 8, 100, 2047, 2048, 2049, 5000]
    const buffers = [
      Buffer.from('pooled'),
      Buffer.from('sliced').subarray(1, 3),
      ...lengths.map((length) => Buffer.alloc(length, length + 1))
    ]
    const decoded = buffers.map((buffer) => codec.roundTrip(buffer))
    for (const [i, buffer] of buffers.entries()) {
      assert.ok(Buffer.isBuffer(decoded[i]))
      assert.ok(decoded[i].equals(buffer), 'small Buffers may share memory, but no bytes')
    }
    // To transfer one of them does not detach the others. Node copies it, or throws since Node 21.
    try {
      structuredClone(decoded[0], { transfer: [decoded[0].buffer] })
    } catch (error) {
      assert.equal(error.name, 'DataCloneError')
    }
    for (const [i, buffer] of buffers.entries()) assert.ok(decoded[i].equals(buffer))
  })

  test('more small Buffers than one pool holds keep their bytes', () => {
    const codec = new Codec()
    const make = (i) => Buffer.alloc(i * 37 % 2047, i)
    const decoded = Array.from({ length: 500 }, (_, i) => codec.roundTrip(make(i)))
    for (const [i, buffer] of decoded.entries()) assert.ok(buffer.equals(make(i)))
  })

  test('own properties that shadow the accessors of a view change nothing', () => {
    const view = Object.defineProperties(new Uint8Array([1, 2, 3]),
      { length: { value: 1 }, buffer: { value: null }, byteOffset: { value: 9 } })
    assert.deepEqual([...new Codec().roundTrip(view)], [1, 2, 3])
  })
})

suite('errors', () => {
  const codec = new Codec()

  test('an error of every native class keeps its class, message and stack', () => {
    for (const Class of [
      Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError
    ]) {
      for (const error of [
        new Class('message'),
        new Class(),
        new Class(''),
        new Class('m', { cause: { a: 1 } }),
        new Class('m', { cause: undefined })
      ]) {
        assertLikePlatform(error, codec)
      }
    }
  })

  test('an error keeps its code, own properties and name, which structuredClone drops', () => {
    const error = Object.assign(new TypeError('message'),
      { code: 'E_CODE', list: [1, { a: 2 }], name: 'Renamed' })
    const decoded = codec.roundTrip(error)
    assert.equal(difference(decoded, error), null)
    assert.equal(decoded.name, 'Renamed')
    assert.deepEqual(Object.keys(decoded), Object.keys(error))
  })

  test('properties that cannot be cloned are left out, and the others arrive', () => {
    class Socket {}
    const error = Object.assign(new Error('message'), {
      before: 1,
      request: { headers: { a: 1 }, socket: new Socket() },
      callback () {},
      after: { deep: [1] }
    })
    Object.defineProperty(error, 'broken',
      { get () { throw new Error('from the accessor') }, enumerable: true })
    error.again = error.after
    const decoded = codec.roundTrip(error)
    assert.deepEqual(Object.keys(decoded), ['before', 'after', 'again'])
    assert.deepEqual(decoded.after, { deep: [1] })
    assert.equal(decoded.again, decoded.after)
  })

  test('a property that is left out late withdraws the many objects inside it', () => {
    const many = Array.from({ length: 50 }, (_, i) => ({ i }))
    const error = Object.assign(new Error('message'),
      { lost: [many, () => {}], kept: many.slice(10), first: many[0] })
    const decoded = codec.roundTrip([error, many])
    assert.deepEqual(Object.keys(decoded[0]), ['kept', 'first'])
    assert.equal(decoded[0].kept[0], decoded[1][10])
    assert.equal(decoded[0].first, decoded[1][0])
    assert.deepEqual(decoded[1], many)
  })

  test('an object from a left-out property counts as new when it comes again', () => {
    const before = Array.from({ length: 20 }, (_, i) => ({ i }))
    const again = [{ again: 1 }, { again: 2 }]
    const error = Object.assign(new Error('message'), { lost: [before[3], again, () => {}] })
    const decoded = codec.roundTrip([before, error, again, again[1], before[3]])
    assert.deepEqual(Object.keys(decoded[1]), [])
    assert.deepEqual(decoded[2], again)
    assert.equal(decoded[3], decoded[2][1])
    assert.equal(decoded[4], decoded[0][3])
  })

  test('many left-out properties leave room for depth', () => {
    const lost = new Map([[1, new Set([() => {}])]])
    const error = new Error('message')
    for (let i = 0; i < 500; i++) error[`lost ${i}`] = lost
    error.kept = { a: { b: { c: 1 } } }
    assert.deepEqual({ ...codec.roundTrip(error) }, { kept: error.kept })
  })

  test('the cause and the errors of an AggregateError arrive, even in a cycle', () => {
    const inner = Object.assign(new RangeError('inner'), { code: 1 })
    const error = new AggregateError([inner, 'text', null], 'several', { cause: inner })
    inner.outer = error
    const decoded = codec.roundTrip(error)
    assert.equal(difference(decoded, error), null)
    assert.equal(decoded.errors[0], decoded.cause)
    assert.equal(decoded.cause.outer, decoded)
    const own = new Error('itself')
    own.cause = own
    assert.equal(codec.roundTrip(own).cause.message, 'itself')
  })

  if (globalThis.SuppressedError !== undefined) {
    test('a SuppressedError keeps its message and both of its errors', () => {
      const error = new globalThis.SuppressedError(new TypeError('a'), new Error('b'), 'message')
      assert.equal(difference(codec.roundTrip(error), error), null)
    })
  }

  test('a class of the user becomes the nearest native class and keeps its name', () => {
    class NotFound extends RangeError {}
    class Named extends Error { get name () { return 'OnThePrototype' } }
    class Own extends Error {
      constructor (message) {
        super(message)
        this.name = 'Own'
        this.code = 'E_OWN'
      }
    }
    class Computed extends Error { get message () { return 'computed' } }
    const decoded = codec.roundTrip([
      new NotFound('a'), new Named('b'), new Own('c'), new Computed()
    ])
    assert.deepEqual(decoded.map(error => Object.getPrototypeOf(error)),
      [RangeError, Error, Error, Error].map(Class => Class.prototype))
    assert.deepEqual(decoded.map(error => error.name),
      ['NotFound', 'OnThePrototype', 'Own', 'Computed'])
    assert.deepEqual(decoded.map(error => error.message), ['a', 'b', 'c', 'computed'])
    assert.equal(decoded[2].code, 'E_OWN')
    assert.deepEqual(Object.keys(decoded[0]), [])
  })

  test('errors of Node keep their name, message, stack and properties', () => {
    for (const cause of [
      () => Buffer.alloc('x'),
      () => require('node:fs').readFileSync('/does/not/exist'),
      () => new URL('no url')
    ]) {
      let error
      try { cause() } catch (thrown) { error = thrown }
      const decoded = codec.roundTrip(error)
      assert.equal(decoded.name, error.name)
      assert.equal(decoded.message, error.message)
      assert.equal(decoded.stack, error.stack)
      assert.deepEqual({ ...decoded }, { ...error })
    }
  })

  test('a DOMException keeps its name, message, code and stack', () => {
    const reason = AbortSignal.abort().reason
    const decoded =
      codec.roundTrip([reason, new DOMException('m', 'DataCloneError'), new DOMException()])
    assert.deepEqual(decoded.map(error => Object.getPrototypeOf(error)),
      [DOMException.prototype, DOMException.prototype, DOMException.prototype])
    assert.deepEqual(decoded.map(error => [error.name, error.message, error.code]),
      [[reason.name, reason.message, 20], ['m' && 'DataCloneError', 'm', 25], ['Error', '', 0]])
    assert.equal(decoded[0].stack, reason.stack)
  })

  test('decoding does not change Error.stackTraceLimit', () => {
    const size = codec.encode(new Error('x'))
    const limit = Error.stackTraceLimit
    codec.decode(size)
    assert.equal(Error.stackTraceLimit, limit)
  })
})

test('an error that names itself like its native class keeps that name', () => {
  class Own extends TypeError {}
  Own.prototype.name = 'TypeError'
  class Unnamed extends TypeError {}
  const codec = new Codec()
  assert.equal(codec.roundTrip(new Own('m')).name, 'TypeError')
  assert.equal(codec.roundTrip(new Unnamed('m')).name, 'Unnamed')
})

suite('properties of errors that cannot travel', () => {
  // How many objects the encoder reads.
  const reads = (value) => {
    let count = 0
    const counted = (object) =>
      Object.defineProperty(object, 'looked', { enumerable: true, get () { return ++count } })
    new Codec(new Memory(1 << 21)).roundTrip(value(counted))
    return count
  }

  test('a property that many errors share is tried once', () => {
    const errors = (n) => (counted) => {
      const request = { list: Array.from({ length: 50 }, () => counted({})), send () {} }
      return Array.from({ length: n }, () => Object.assign(new Error('x'), { request }))
    }
    assert.equal(reads(errors(200)), reads(errors(1)))
  })

  test('errors that hold each other twice are read once or twice each', () => {
    const nest = (depth) => (counted) => {
      let inner = counted(new Error('innermost'))
      for (let i = 0; i < depth; i++) {
        inner = counted(Object.assign(new Error(`level ${i}`),
          { left: { inner, no () {} }, right: { inner, no () {} } }))
      }
      return inner
    }
    assert.ok(reads(nest(14)) < 100)
  })

  test('the time per error does not grow with the number of errors that share a part', () => {
    const memory = new Memory(1 << 24)
    const encoder = new Encoder({ bytes: memory.bytes, limit: 1 << 24, grow: () => -1 })
    const time = (n) => {
      const shared = {}
      const errors = Array.from({ length: n }, () =>
        Object.assign(new Error('x'), { stack: '', config: shared, retry () {} }))
      const begin = process.cpuUsage()
      assert.ok(encoder.encode(errors, 0) > 0)
      const { user, system } = process.cpuUsage(begin)
      return user + system
    }
    const best = (n) => Math.min(...Array.from({ length: 5 }, () => time(n)))
    time(16_000)
    // The factor is 16 in proportion. It would be 256 if each error cost time for every other one.
    assert.ok(best(16_000) < 80 * best(1000))
  })

  test('the other properties of each error stay as they were', () => {
    const shared = { a: 1 }
    const list = Array.from({ length: 100 }, (_, i) => Object.assign(new Error('x'), {
      before: shared,
      retry () {},
      inside: { deep: [shared, {}], no () {} },
      after: [shared, i]
    }))
    const result = new Codec(new Memory(1 << 20)).roundTrip(list)
    for (const [i, error] of result.entries()) {
      assert.deepEqual(Object.keys(error), ['before', 'after'])
      assert.equal(error.before, result[0].before)
      assert.equal(error.after[0], error.before)
      assert.equal(error.after[1], i)
    }
  })
})

suite('values left to the platform', () => {
  class User { field = 1 }
  const { port1 } = new MessageChannel()
  port1.close()
  const detached = new ArrayBuffer(8)
  const onDetached = [new Uint8Array(detached), new DataView(detached), Buffer.from(detached)]
  structuredClone(detached, { transfer: [detached] })

  const values = {
    'a function': () => {},
    'a symbol': Symbol('s'),
    'a boxed symbol': Object(Symbol('s')),
    'a proxy of an object': new Proxy({}, {}),
    'a proxy of an array': new Proxy([], {}),
    'a proxy of a Map': new Proxy(new Map(), {}),
    'an instance of a class': new User(),
    'an object with a prototype of its own': Object.create({ a: 1 }),
    arguments: (function () { return arguments })(1),
    'Object.prototype': Object.prototype,
    Math,
    'an object with a toStringTag': { [Symbol.toStringTag]: 'Tag' },
    'a promise': Promise.resolve(),
    'a WeakMap': new WeakMap(),
    'a generator': (function * () {})(),
    'a SharedArrayBuffer': new SharedArrayBuffer(8),
    'a view on a SharedArrayBuffer': new Uint8Array(new SharedArrayBuffer(8)),
    'a Buffer on a SharedArrayBuffer': Buffer.from(new SharedArrayBuffer(8)),
    'a resizable ArrayBuffer': new ArrayBuffer(8, { maxByteLength: 16 }),
    'a view on a resizable ArrayBuffer': new Uint8Array(new ArrayBuffer(8, { maxByteLength: 16 })),
    'a detached ArrayBuffer': detached,
    'a typed array on a detached ArrayBuffer': onDetached[0],
    'a DataView on a detached ArrayBuffer': onDetached[1],
    'a Buffer on a detached ArrayBuffer': onDetached[2],
    'a MessagePort': port1,
    'a URL': new URL('http://localhost'),
    'an AbortSignal': AbortSignal.abort(),
    'a key': require('node:crypto').createSecretKey(Buffer.alloc(16)),
    'a WebAssembly.Module': new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)),
    'a Date in disguise': Object.setPrototypeOf(new Date(), Object.prototype),
    'a Map in disguise': Object.setPrototypeOf(new Map(), Object.prototype),
    'a Map without a prototype': Object.setPrototypeOf(new Map(), null),
    'a buffer in disguise': Object.setPrototypeOf(new ArrayBuffer(1), Object.prototype),
    'an array in disguise': Object.setPrototypeOf([1], Object.prototype),
    'an array dressed as a Map': Object.setPrototypeOf([1], Map.prototype),
    'an object dressed as a Date': Object.create(Date.prototype),
    'an object dressed as an array': Object.create(Array.prototype),
    'an object dressed as an Error': Object.create(Error.prototype),
    'an object dressed as a Uint8Array': Object.create(Uint8Array.prototype),
    'a Uint16Array dressed as a Uint8Array':
      Object.setPrototypeOf(new Uint16Array(1), Uint8Array.prototype),
    'a DataView dressed as a Uint8Array':
      Object.setPrototypeOf(new DataView(new ArrayBuffer(1)), Uint8Array.prototype),
    'an object dressed as a DOMException': Object.create(DOMException.prototype),
    'an error whose message is an object': Object.assign(new Error('x'), { message: {} }),
    'an error whose cause cannot be cloned': new Error('x', { cause: () => {} })
  }

  for (const [name, value] of Object.entries(values)) {
    test(`the encoder leaves ${name} to the platform and goes on`, () => {
      const codec = new Codec()
      assert.equal(codec.encode(value), -1)
      assert.equal(codec.encode({ deep: [new Map([[1, value]])] }), -1)
      assertLikePlatform({ the: 'encoder', goes: ['on'] }, codec)
    })
  }

  test('the encoder finds a typed array in disguise among array-like objects', () => {
    const codec = new Codec()
    for (let i = 0; i < 40; i++) assertLikePlatform({ 0: i, 1: 'two' }, codec)
    for (const prototype of [Object.prototype, null]) {
      assert.equal(codec.encode(Object.setPrototypeOf(new Uint8Array(2), prototype)), -1)
    }
  })

  test('the encoder leaves a module namespace to the platform', async () => {
    assert.equal(new Codec().encode(await import('node:path')), -1)
  })

  test('the encoder leaves a proxy to the platform without running its traps', () => {
    const traps = new Proxy({}, { get (_, trap) { throw new Error(`${trap} was run`) } })
    assert.equal(new Codec().encode([new Proxy({}, traps)]), -1)
  })
})

suite('depth', () => {
  const nest = (levels, wrap) => {
    let value = 'bottom'
    for (let i = 0; i < levels; i++) value = wrap(value)
    return value
  }
  const wraps = {
    objects: inner => ({ inner }),
    arrays: inner => [inner],
    maps: inner => new Map([[1, inner]]),
    sets: inner => new Set([inner]),
    causes: cause => new Error('e', { cause })
  }
  for (const [name, wrap] of Object.entries(wraps)) {
    test(`nested ${name} arrive, and those that are too deep are left to the platform`, () => {
      const codec = new Codec(new Memory(1 << 20))
      codec.roundTrip(nest(300, wrap))
      assert.equal(codec.encode(nest(100_000, wrap)), -1)
      assertLikePlatform([1, { a: 2 }], codec)
    })
  }

  test('a worker with the smallest stack decodes whatever the encoder takes', async () => {
    const { Worker } = require('node:worker_threads')
    const codec = new Codec(new Memory(1 << 20))
    let levels = 0
    while (codec.encode(nest(levels + 1, wraps.causes)) !== -1 &&
      codec.encode(nest(levels + 1, wraps.objects)) !== -1) {
      levels++
    }
    assert.ok(levels >= 300)
    for (const wrap of Object.values(wraps)) {
      const size = codec.encode(nest(levels, wrap))
      const { bytes } = codec.memory
      const { start } = codec.encoder
      const worker = new Worker(`
        const { workerData, parentPort } = require('node:worker_threads')
        const { library, bytes, start, size } = workerData
        const { Decoder } = require(library)
        new Decoder({ bytes }).decode(start, start + size)
        parentPort.postMessage('decoded')
      `, {
        eval: true,
        workerData: { library, bytes, start, size },
        resourceLimits: { stackSizeMb: 1 }
      })
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
      await worker.terminate()
    }
  })
})

suite('the encoder', () => {
  test('the encoder throws the error of an accessor, and goes on afterwards', () => {
    const codec = new Codec()
    const error = new RangeError('from the accessor')
    assert.throws(() => codec.encode({ a: [1, { get b () { throw error } }] }),
      thrown => thrown === error)
    assertLikePlatform({ a: 1 }, codec)
  })

  test('an accessor that recurses forever leaves the value to the platform', () => {
    const endless = { get a () { return this.a } }
    assert.equal(new Codec().encode(endless), -1)
  })

  test('an accessor that uses the same encoder gets -1 and disturbs nothing', () => {
    const codec = new Codec()
    const inner = []
    const value = {
      before: { list: [1, 2] },
      get re () {
        for (const value of [1, 'text', { a: 1 }]) inner.push(codec.encoder.encode(value, 64))
        return 'entered'
      },
      after: 'after'
    }
    assert.deepEqual(codec.roundTrip(value),
      { before: { list: [1, 2] }, re: 'entered', after: 'after' })
    assert.deepEqual(inner, [-1, -1, -1])
  })

  test('a small value stays where it is, and a larger one moves once', () => {
    const codec = new Codec()
    codec.encode({ id: 1 })
    assert.deepEqual(codec.memory.grown, [])
    assert.equal(codec.encoder.start, 64)
    for (const large of [Buffer.alloc(10000), 'x'.repeat(10000), 'ж'.repeat(5000)]) {
      const size = codec.encode(large)
      assert.deepEqual(codec.memory.grown, [size])
      assert.equal(codec.encoder.start, codec.memory.start)
      codec.encode({ before: 1, large, after: 'after' })
      assert.equal(codec.memory.grown.length, 1)
    }
  })

  test('a value of many small parts moves a logarithmic number of times', () => {
    const codec = new Codec()
    codec.encode(Array.from({ length: 2000 }, (_, i) => ({ i, s: `string ${i}` })))
    assert.ok(codec.memory.grown.length <= 12, `${codec.memory.grown}`)
  })

  test('a block of the needed size is enough when none of twice the size is left', () => {
    const bytes = 4096
    const codec = new Codec(new Memory(bytes))
    const value = Array.from({ length: 300 }, (_, i) => i)
    const size = codec.encode(value)
    assert.ok(size > 1200)
    assert.deepEqual(codec.decode(size), value)
  })

  test('the encoder leaves a value without room to the platform and goes on', () => {
    const codec = new Codec(new Memory(1024))
    for (const large of [
      'x'.repeat(2000),
      Buffer.alloc(2000),
      Array.from({ length: 600 }, (_, i) => i),
      2n ** 20000n,
      { a: { b: 'ж'.repeat(2000) } },
      Object.assign(new Error('x'), { big: 'x'.repeat(2000) })
    ]) {
      assert.equal(codec.encode(large), -1)
      assertLikePlatform({ small: [1] }, codec)
    }
  })

  test('the encoder writes nothing outside its area', () => {
    const bytes = new Uint8Array(new SharedArrayBuffer(1024))
    const memory = { bytes, limit: 0, grow: () => -1 }
    const encoder = new Encoder(memory)
    const record = (i) => ({
      double: i + 0.5,
      int: i + 2 ** 30,
      text: `text ${i}`,
      known: 'as long as this',
      wide: 'ж',
      yes: true,
      last: i
    })
    // Often enough for the encoder to compile a writer for the shape.
    memory.limit = 1024
    for (let i = 0; i < 40; i++) assert.ok(encoder.encode(record(i), 0) > 0)
    for (const value of [
      0.5, 2 ** 30, 1, 'text', 'as long as this', 'ж', [0.5, 0.5], [1, 'text'], record(0),
      new Date(1.5e12), 5n
    ]) {
      memory.limit = 1024
      const size = encoder.encode(value, 0)
      assert.ok(size > 0)
      for (memory.limit = 0; memory.limit < size; memory.limit += 4) {
        bytes.fill(0xee)
        assert.equal(encoder.encode(value, 0), -1, `${value} in ${memory.limit} bytes`)
        assert.ok(bytes.subarray(memory.limit).every((byte) => byte === 0xee),
          `${value} in ${memory.limit} bytes`)
      }
      assert.equal(encoder.encode(value, 0), size, `${value} in all that it takes`)
    }
  })

  test('a value arrives whatever the size of the first area', () => {
    const value = {
      id: 1,
      list: [1.5, 'text', null],
      date: new Date(1),
      nested: { map: new Map([[1, new Uint8Array(5)]]), error: new Error('e') }
    }
    for (let inline = 0; inline < 700; inline += 8) {
      const codec = new Codec(new Memory(1 << 16, { inline }))
      assert.equal(difference(codec.roundTrip(value), value), null)
    }
  })

  test('the memory may be replaced between two values', () => {
    const codec = new Codec()
    codec.roundTrip({ a: 1 })
    const memory = new SharedArrayBuffer(1 << 16, { maxByteLength: 1 << 18 })
    codec.memory.bytes = new Uint8Array(memory, 64, 1 << 12)
    codec.memory.untouched = codec.memory.untouched.subarray(0, 1 << 12)
    assertLikePlatform({ a: 'b'.repeat(300), bytes: new Float64Array(9) }, codec)
  })

  test('encoder and decoder refuse memory of a wrong type', () => {
    for (const bytes of [undefined, [], new Uint8Array(new SharedArrayBuffer(64), 4)]) {
      assert.throws(() => new Encoder({ bytes, limit: 64 }).encode(1, 0),
        /Expected memory\.bytes to be a Uint8Array/)
      assert.throws(() => new Decoder({ bytes }).decode(0, 8), TypeError)
    }
  })

  test('neither encoder nor decoder keeps a value alive', async () => {
    const codec = new Codec()
    const references = []
    const use = value => {
      references.push(new WeakRef(value))
      const size = codec.encode(value)
      if (size !== -1) references.push(new WeakRef(codec.decode(size)))
    }
    use({ a: 1 })
    use(Array.from({ length: 100 }, (_, i) => ({ i })))
    use({ a: {}, refused: () => {} })
    use(Object.assign(new Error('e'), { dropped: [{}, () => {}] }))
    use(new Map([[{}, new Uint8Array(10)]]))
    try { codec.encode({ a: {}, get b () { throw new Error('x') } }) } catch {}
    for (let i = 0; i < 10 && references.some(reference => reference.deref() !== undefined); i++) {
      await new Promise(resolve => setImmediate(resolve))
      collectGarbage()
    }
    assert.deepEqual(references.map(reference => reference.deref()),
      references.map(() => undefined))
  })
})

suite('what encoder and decoder remember', () => {
  for (const kind of codecMemoryKinds) {
    test(`they keep a few MiB at most after many values: ${kind}`, () => {
      const program = path.join(__dirname, '..', 'fixtures', 'codec-memory.js')
      const args = ['--expose-gc', program, kind]
      const mebibytes = execFileSync(process.execPath, args, { encoding: 'utf8' })
      assert.match(mebibytes, /^-?\d+\n$/)
      assert.ok(Number(mebibytes) < 12, `${mebibytes} MiB`)
    })
  }
})

suite('a realm that other code has altered', () => {
  // In a process of its own, since the changes there affect everything.
  const script = body => `
    const { Codec, difference } = require(${JSON.stringify(require.resolve('../fixtures/codec'))})
    const codec = new Codec()
    const check = make => {
      for (let i = 0; i < 40; i++) {
        const value = make()
        const found = difference(codec.roundTrip(value), structuredClone(value))
        if (found !== null) throw new Error(found)
      }
    }
    ${body}
  `
  const run = (body, ...flags) => execFileSync(process.execPath, [...flags, '-e', script(body)],
    { stdio: 'pipe', encoding: 'utf8' })
  const values = `
    check(() => ({ id: 1, nested: { a: 1, b: [1, { c: 2 }] }, toString: 1, constructor: 2 }))
    check(() => JSON.parse('{"__proto__":1,"a":{"__proto__":{}}}'))
    check(() => [
      new Map([[1, { a: 1 }]]), new Set([1]), new Date(1), /x/g, new Uint8Array(5), new Error('e')
    ])
  `

  test('the codec works without code generation from strings', () => {
    run(values, '--disallow-code-generation-from-strings')
  })

  test('the codec works with a frozen Object.prototype', () => {
    run(`Object.freeze(Object.prototype); Object.freeze(Array.prototype)\n${values}`)
  })

  test('the codec works with enumerable properties on Object.prototype', () => {
    run(`Object.prototype.polluted = 1
    Object.prototype.other = { a: 1 }
    ${values}
    check(() => ({ polluted: 2, other: 3 }))
    check(() => ({ polluted: 2 }))
    check(() => ({}))`)
  })

  test('the codec works with accessors on Object.prototype', () => {
    // Node's own loader fails with these, so everything must be loaded before.
    run(`codec.roundTrip([new Map(), new Error('e')])
    for (const key of ['id', 'a', 'index']) {
      const get = () => { throw new Error('got') }
      const set = () => { throw new Error('set') }
      Object.defineProperty(Object.prototype, key, { get, set, configurable: true })
    }
    ${values}
    const index = { value: 1, enumerable: true, configurable: true, writable: true }
    check(() => Object.defineProperty([1], 'index', index))`)
  })

  test('the codec works with methods of collections that were replaced later', () => {
    run(`const filledMap = new Map([[1, 2]])
    const filledSet = new Set([3])
    codec.roundTrip([filledMap, filledSet])
    const keys = ['forEach', 'set', 'add', 'entries', 'values', Symbol.iterator]
    for (const Class of [Map, Set]) {
      for (const key of keys) Class.prototype[key] = () => { throw new Error('run') }
    }
    const [map, set] = codec.roundTrip([filledMap, filledSet])
    if (map.size !== 1 || map.get(1) !== 2 || !set.has(3)) throw new Error('other members')`)
  })

  test('the codec works with a read-only Error.stackTraceLimit', () => {
    run(`Object.defineProperty(Error, 'stackTraceLimit', { value: 5, writable: false })\n${values}`)
  })
})
