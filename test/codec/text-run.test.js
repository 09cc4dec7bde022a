'use strict'

// Arrays of many strings, which the codec writes as one piece.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const fc = require('fast-check')
const { Decoder } = require('../../lib/codec')
const { kEscape, kKindBits, kTagBits, kinds } = require('../../lib/codec/tags')
const { primitive, value } = require('../fixtures/arbitraries')
const { Codec, Memory, difference } = require('../fixtures/codec')
const { collectGarbage } = require('../fixtures/collect-garbage')

const kSeveral = 2000

const text = fc.oneof(
  { weight: 6, arbitrary: fc.string({ minLength: 13, maxLength: 80 }) },
  { weight: 2, arbitrary: fc.string({ maxLength: 14 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 13, maxLength: 50 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', 'the same text comes again', 'é'.repeat(20), '\ud800 lone')
  }
)
const other = fc.oneof(primitive, value, fc.constant(new Array(3)))

// One array that repeats a pattern, so that it gets long.
const array = fc.record({
  pattern: fc.array(fc.oneof({ weight: 9, arbitrary: text }, { weight: 1, arbitrary: other }),
    { minLength: 1, maxLength: 40 }),
  length: fc.integer({ min: 0, max: 1200 }),
  hole: fc.option(fc.nat(1200))
}).map(({ pattern, length, hole }) => {
  const list = Array.from({ length }, (_, i) => {
    const element = pattern[i % pattern.length]
    return typeof element === 'string' && i % 3 > 0 ? `${element}${i}` : element
  })
  if (hole !== null) delete list[hole]
  return list
})

test('an array of many strings comes back as structuredClone() returns it', () => {
  const codec = new Codec(new Memory(1 << 22))
  fc.assert(fc.property(array, (list) => {
    for (const whole of [list, { list, again: list }, [list, 1, [...list]]]) {
      assert.equal(difference(codec.roundTrip(whole), structuredClone(whole)), null)
    }
  }), { numRuns: 300 })
})

test('strings of 64 KB and more beside short ones come back whole', () => {
  const codec = new Codec(new Memory(1 << 25))
  const list = Array.from({ length: 60 }, (_, i) => `${i}`.padEnd(i % 7 === 0 ? 70_000 : 20, 'ab'))
  const wide = list.map((text) => `${text}€`)
  for (const value of [list, wide, [...list, ...wide]]) {
    assert.deepEqual(codec.roundTrip(value), value)
  }
})

test('elements that are accessors are asked once each and in order, whatever they do', () => {
  const make = (log, act) => {
    const list = Array.from({ length: 100 }, (_, i) => `a text that is long enough, ${i}`)
    for (const i of [0, 20, 21, 50, 99]) {
      Object.defineProperty(list, i, {
        enumerable: true,
        configurable: true,
        get () {
          log.push(i)
          return act(list, i)
        }
      })
    }
    return list
  }
  const after = (change) => (list, i) => {
    change(list, i)
    return `given at ${i}, by the accessor`
  }
  const acts = {
    'give a text': after(() => {}),
    'give a number': (_, i) => i,
    'give nothing': () => undefined,
    'shorten the array': after((list) => { list.length = Math.min(list.length, 60) }),
    'lengthen the array': after((list) => list.push('more text behind the end')),
    'delete what comes next': after((list, i) => delete list[i + 2])
  }
  for (const [name, act] of Object.entries(acts)) {
    const codec = new Codec()
    const logs = [[], []]
    const expected = structuredClone(make(logs[0], act))
    assert.equal(difference(codec.roundTrip(make(logs[1], act)), expected), null, name)
    assert.deepEqual(logs[1], logs[0], name)
  }
})

test('an array that outgrows the memory is left to the platform, and the next one is not', () => {
  const codec = new Codec(new Memory(1 << 16))
  const small = Array.from({ length: 100 }, (_, i) => `text number ${i}, of some length`)
  for (let length = 1000; length < 4000; length += 100) {
    const large = Array.from({ length }, (_, i) => `text number ${i}, of some length`)
    if (codec.encode(large) === -1) length += 1000
    assert.deepEqual(codec.roundTrip(small), small)
  }
  assert.equal(codec.encode(Array.from({ length: 5000 }, () => 'x'.repeat(50))), -1)
})

test('strings that come again are noticed after many that did not', () => {
  const codec = new Codec(new Memory(1 << 22))
  for (let round = 0; round < 5; round++) {
    const fresh = Array.from({ length: kSeveral }, (_, i) => `a text of its own ${round} ${i}`)
    const same = Array.from({ length: kSeveral }, (_, i) => `one text in ${i % 4} of four`)
    for (const list of [fresh, same, [...fresh, ...same]]) {
      assert.deepEqual(codec.roundTrip(list), list)
    }
  }
})

test('a string that is kept keeps at most a few of the strings beside it in memory', () => {
  const codec = new Codec(new Memory(1 << 22))
  const list = Array.from({ length: 20_000 }, (_, i) => `a text of forty characters or so, ${i}`)
  const kept = [codec.roundTrip(list)[0]]
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < 50; i++) kept.push(codec.roundTrip(list)[i])
  collectGarbage()
  const each = (process.memoryUsage().heapUsed - before) / 50
  assert.ok(each < 16_384, `${each} bytes for each string`) // the whole array has 800,000
  assert.equal(kept.at(-1), list[49])
})

// ---- what no encoder writes ----

const run = (isWide = 0) => (isWide << kKindBits | kinds.kTextRun) << kTagBits | kEscape
const kArrayOf = (length) => length << kTagBits | require('../../lib/codec/tags').kArray

function decode (...words) {
  const memory = new Int32Array(words)
  return new Decoder({ bytes: new Uint8Array(memory.buffer) }).decode(0, memory.byteLength)
}

test('a run that no encoder writes is refused with the coded error', () => {
  const text = 0x61616161
  assert.deepEqual(decode(kArrayOf(2), run(), 2, 3, 1, text), ['aaa', 'a'])
  assert.deepEqual(decode(kArrayOf(1), run(1), 1, 2, text), ['慡慡'])
  const corrupt = { code: 'ERR_TELAR_CORRUPT_PAYLOAD' }
  for (const words of [
    [run(), 1, 4, text], // outside of an array
    [kArrayOf(1), run(), 2, 1, 1, text], // more than the array has
    [kArrayOf(1), run(), 0, text],
    [kArrayOf(1), run(), -1, text],
    [kArrayOf(2), run(), 2, 4, 1, text], // runs past the end
    [kArrayOf(1), run(1), 1, 3, text],
    [kArrayOf(1), run(), 1, -1, text],
    [kArrayOf(1), run(), 1, 2 ** 31 - 1, text],
    [kArrayOf(1), run(), 1], // cut off
    [kArrayOf(1), run()],
    [kArrayOf(1), run() + (7 << kTagBits), 1, 4, text], // of another kind
    [kArrayOf(1), run(), 1, 2, text, 0] // followed by more
  ]) {
    assert.throws(() => decode(...words), corrupt, JSON.stringify(words))
  }
})
