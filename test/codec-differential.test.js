'use strict'

// The contract of the codec is the structured clone algorithm: whatever it takes, comes
// out as structuredClone would return it.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const fc = require('fast-check')
const { Codec, difference } = require('./fixtures/codec')

const unit = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0x20, max: 0x7e }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 0xff }) },
  // Lone surrogates included.
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xffff }) }
).map(code => String.fromCharCode(code))
const string = fc.oneof(
  fc.string({ unit, maxLength: 12 }),
  fc.string({ unit: unit.filter(c => c <= '\xff'), maxLength: 60 }),
  fc.string({ unit, minLength: 20, maxLength: 300 })
)
const key = fc.oneof(
  { weight: 8, arbitrary: fc.string({ unit, maxLength: 8 }) },
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'id', 'name', '__proto__', 'constructor', 'toString', 'length', 'then', '') },
  { weight: 2, arbitrary: fc.constantFrom('0', '1', '7', '01', '-1', '4294967294', '4294967295', '1e3') },
  { weight: 1, arbitrary: fc.string({ unit, minLength: 250, maxLength: 260 }) }
)
const number = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.integer({ min: -100, max: 100 }),
  fc.double(),
  fc.constantFrom(-0, 0, NaN, Infinity, -Infinity, 2 ** 31, -(2 ** 31), 2 ** 26, 2 ** 26 - 1, -(2 ** 26), -(2 ** 26) - 1, 2 ** 53, Number.MIN_VALUE)
)
const bigint = fc.oneof(
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }),
  fc.bigInt({ min: -(2n ** 400n), max: 2n ** 400n }),
  fc.constantFrom(0n, -1n, 2n ** 63n, 2n ** 63n - 1n, -(2n ** 63n), -(2n ** 63n) - 1n, 2n ** 64n)
)
const primitive = fc.oneof(fc.constantFrom(undefined, null, true, false), number, string, bigint)
const date = fc.oneof(fc.date({ noInvalidDate: false }), fc.constantFrom(new Date(0), new Date(-1), new Date(8.64e15)).map(d => new Date(d)))
const regExp = fc.tuple(
  fc.constantFrom('a', '', '/', '\\/', '[/]\\n', '(?<year>\\d+)\\s', '\u{1F600}|é'),
  fc.subarray(['d', 'g', 'i', 'm', 's', 'u', 'y']).map(flags => flags.join('')),
  fc.nat(5)
).map(([source, flags, lastIndex]) => Object.assign(new RegExp(source, flags), { lastIndex }))
const boxed = fc.oneof(number, string, fc.boolean(), bigint).map(Object)

const views = [
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
  Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView, globalThis.Float16Array
].filter(Class => Class !== undefined)
const arrayBuffer = fc.uint8Array({ maxLength: 120 }).map(bytes => bytes.slice().buffer)
const viewsOnOneBuffer = fc.tuple(
  arrayBuffer,
  fc.array(fc.tuple(fc.constantFrom(...views), fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })), { minLength: 1, maxLength: 3 })
).map(([buffer, specs]) => specs.map(([Class, from, size]) => {
  const unit = Class.BYTES_PER_ELEMENT ?? 1
  const units = Math.floor(buffer.byteLength / unit)
  const offset = Math.floor(from * units)
  return new Class(buffer, offset * unit, Math.floor(size * (units - offset)))
}))
const error = fc.tuple(
  fc.constantFrom(Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError), string, fc.option(fc.oneof(primitive, boxed))
).map(([Class, message, cause]) => cause === null ? new Class(message) : new Class(message, { cause }))

const hole = Symbol('hole')
const { value } = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    { weight: 6, arbitrary: primitive },
    { weight: 1, arbitrary: fc.oneof(date, regExp, boxed, arrayBuffer, viewsOnOneBuffer, error) },
    { weight: 2, arbitrary: tie('object') },
    { weight: 2, arbitrary: tie('array') },
    { weight: 1, arbitrary: tie('collection') }
  ),
  object: fc.tuple(fc.array(fc.tuple(key, tie('value')), { maxLength: 8 }), fc.boolean()).map(([entries, bare]) =>
    entries.reduce((object, [key, value]) => define(object, key, value), bare ? Object.create(null) : {})),
  array: fc.tuple(
    fc.array(fc.option(tie('value'), { nil: hole, freq: 6 }), { maxLength: 10 }),
    fc.array(fc.tuple(fc.constantFrom('index', 'input', 'groups', '-1', '01', '4294967295'), tie('value')), { maxLength: 1 })
  ).map(([elements, extras]) => {
    const array = new Array(elements.length)
    elements.forEach((element, i) => { if (element !== hole) array[i] = element })
    return extras.reduce((array, [key, value]) => define(array, key, value), array)
  }),
  collection: fc.oneof(
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 5 }).map(entries => new Map(entries)),
    fc.array(tie('value'), { maxLength: 5 }).map(members => new Set(members))
  )
}))
function define (object, key, value) {
  return Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}

// Adds references between the objects of a tree, so that it becomes a graph with cycles.
const graph = fc.tuple(value, fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 4 })).map(([root, links]) => {
  const objects = []
  const visit = object => {
    if (typeof object !== 'object' || object === null || objects.includes(object)) return
    objects.push(object)
    const parts = object instanceof Map ? [...object].flat() : object instanceof Set ? [...object] : ArrayBuffer.isView(object) ? [] : Object.values(object)
    parts.forEach(visit)
  }
  visit(root)
  links.forEach(([from, to], i) => {
    if (objects.length === 0) return
    const target = objects[to % objects.length]
    const holder = objects[from % objects.length]
    if (holder instanceof Map) holder.set(`link ${i}`, target)
    else if (holder instanceof Set) holder.add(target)
    else if (Array.isArray(holder)) holder.push(target)
    else if (Object.getPrototypeOf(holder) === Object.prototype) holder[`link ${i}`] = target
  })
  return root
})

test('a value comes back as structuredClone returns it', () => {
  const codec = new Codec()
  fc.assert(fc.property(graph, value => {
    assert.equal(difference(codec.roundTrip(value), structuredClone(value)), null)
  }), { numRuns: 3000 })
})

test('one encoder and one decoder serve values one after the other without a trace', () => {
  fc.assert(fc.property(fc.array(graph, { minLength: 2, maxLength: 6 }), values => {
    const codec = new Codec()
    for (const value of [...values, ...values]) assert.equal(difference(codec.roundTrip(value), structuredClone(value)), null)
  }), { numRuns: 200 })
})

test('objects of the same shape, decoded often enough to be compiled for, stay as structuredClone returns them', () => {
  const codec = new Codec()
  const shape = fc.uniqueArray(key, { maxLength: 12 })
  fc.assert(fc.property(shape, fc.array(primitive, { minLength: 12, maxLength: 40 }), (keys, values) => {
    for (let round = 0; round < 24; round++) {
      const object = keys.reduce((object, key, i) => define(object, key, values[(i + round) % values.length]), {})
      if (round % 5 === 0 && keys.length > 0) object[keys[0]] = object
      assert.equal(difference(codec.roundTrip(object), structuredClone(object)), null)
    }
  }), { numRuns: 40 })
})

test('what the platform refuses, the codec does not take', () => {
  const codec = new Codec()
  const refused = fc.constantFrom(
    () => {}, Symbol('s'), new WeakMap(), Promise.resolve(), new Proxy({}, {}), new Proxy([], {}), Object(Symbol('s')), (function * () {})(),
    (function () { return arguments })(1)
  )
  fc.assert(fc.property(fc.array(value, { maxLength: 4 }), refused, fc.array(value, { maxLength: 4 }), fc.boolean(), (before, bad, after, nested) => {
    const list = [...before, nested ? { inner: new Map([[1, bad]]) } : bad, ...after]
    assert.throws(() => structuredClone(list))
    assert.equal(codec.encode(list), -1)
    assert.equal(difference(codec.roundTrip(before), structuredClone(before)), null)
  }), { numRuns: 300 })
})
