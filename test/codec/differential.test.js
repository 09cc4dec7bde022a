'use strict'

// The contract of the codec is the structured clone algorithm: whatever it takes comes out as
// structuredClone() would return it.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const fc = require('fast-check')
const { define, graph, key, primitive, value } = require('../fixtures/arbitraries')
const { Codec, difference } = require('../fixtures/codec')

test('a value comes back as structuredClone returns it', () => {
  const codec = new Codec()
  fc.assert(fc.property(graph, value => {
    assert.equal(difference(codec.roundTrip(value), structuredClone(value)), null)
  }), { numRuns: 3000 })
})

test('one encoder and one decoder serve many values in a row without a trace', () => {
  fc.assert(fc.property(fc.array(graph, { minLength: 2, maxLength: 6 }), values => {
    const codec = new Codec()
    for (const value of [...values, ...values]) {
      assert.equal(difference(codec.roundTrip(value), structuredClone(value)), null)
    }
  }), { numRuns: 200 })
})

test('objects of a shape that the decoder has compiled code for stay the same', () => {
  const codec = new Codec()
  const shape = fc.uniqueArray(key, { maxLength: 12 })
  const list = fc.array(primitive, { minLength: 12, maxLength: 40 })
  fc.assert(fc.property(shape, list, (keys, values) => {
    for (let round = 0; round < 24; round++) {
      const object = {}
      for (const [i, key] of keys.entries()) {
        define(object, key, values[(i + round) % values.length])
      }
      if (round % 5 === 0 && keys.length > 0) object[keys[0]] = object
      assert.equal(difference(codec.roundTrip(object), structuredClone(object)), null)
    }
  }), { numRuns: 40 })
})

test('the codec does not take what the platform refuses', () => {
  const codec = new Codec()
  const refused = fc.constantFrom(
    () => {}, Symbol('s'), new WeakMap(), Promise.resolve(), new Proxy({}, {}), new Proxy([], {}),
    Object(Symbol('s')), (function * () {})(), (function () { return arguments })(1)
  )
  const some = fc.array(value, { maxLength: 4 })
  fc.assert(fc.property(some, refused, some, fc.boolean(), (before, bad, after, nested) => {
    const list = [...before, nested ? { inner: new Map([[1, bad]]) } : bad, ...after]
    assert.throws(() => structuredClone(list))
    assert.equal(codec.encode(list), -1)
    assert.equal(difference(codec.roundTrip(before), structuredClone(before)), null)
  }), { numRuns: 300 })
})
