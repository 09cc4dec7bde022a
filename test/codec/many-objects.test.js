'use strict'

// Values of many objects. The encoder remembers the first objects one by one. It takes later
// objects for new ones that nothing else refers to, until that proves wrong. What arrives must not
// depend on this.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const fc = require('fast-check')
const { Decoder, Encoder } = require('../../lib/codec')
const { PacketMemory, encode, unpack } = require('../../lib/transport/packet')

const BYTES = 1 << 25

class Codec {
  #memory = { bytes: new Uint8Array(new SharedArrayBuffer(BYTES)), limit: BYTES, grow: () => -1 }
  #encoder = new Encoder(this.#memory)
  #decoder = new Decoder(this.#memory)

  encode (value) {
    return this.#encoder.encode(value, 0)
  }

  roundTrip (value) {
    const size = this.encode(value)
    assert.ok(size >= 0)
    return this.#decoder.decode(0, size)
  }
}

// The memory for small encodings, which is used again.
const kTextBytes = 16 * 1024

const many = (length, make) => Array.from({ length }, (_, i) => make(i))

// For each object of a list, the index at which the same object comes first.
function firsts (list) {
  const known = new Map()
  return list.map((object, i) => {
    if (!known.has(object)) known.set(object, i)
    return known.get(object)
  })
}

test('an object met twice arrives as one, however many come before and between', () => {
  const position = fc.integer({ min: 0, max: 40_000 })
  // One codec for all, since it remembers the previous value.
  const codec = new Codec()
  const links = fc.array(fc.tuple(position, position), { maxLength: 4 })
  fc.assert(fc.property(links, position, (pairs, length) => {
    const list = many(length + 1, (i) => ({ i }))
    for (const [from, to] of pairs) list[to % list.length] = list[from % list.length]
    const result = codec.roundTrip(list)
    assert.deepEqual(firsts(result), firsts(list))
    assert.deepEqual(result.map(({ i }) => i), list.map(({ i }) => i))
  }), { numRuns: 60 })
})

for (const before of [0, 1000, 1030, 10_000, 150_000]) {
  test(`a cycle after ${before} objects stays a cycle`, () => {
    const a = { name: 'a' }
    a.b = { name: 'b', a }
    const result = new Codec().roundTrip([many(before, (i) => [i]), a])
    assert.equal(result[1].b.a, result[1])
  })

  test(`an object that 2^60 paths lead to arrives as one after ${before} others`, () => {
    let value = ['the end']
    for (let i = 0; i < 60; i++) value = [value, value]
    let [, result] = new Codec().roundTrip([many(before, (i) => [i]), value])
    for (let i = 0; i < 60; i++) {
      assert.equal(result[0], result[1])
      result = result[0]
    }
    assert.deepEqual(result, ['the end'])
  })
}

test('an object from a left-out property of an error stays shared elsewhere', () => {
  const shared = { it: 'is one' }
  const error = Object.assign(new Error('e'),
    { bad: [shared, shared, () => {}], good: [shared, shared] })
  const [, result] = new Codec().roundTrip([many(5000, (i) => ({ i })), error])
  assert.equal(Object.hasOwn(result, 'bad'), false)
  assert.deepEqual(result.good, [shared, shared])
  assert.equal(result.good[0], result.good[1])
})

test('an error in a cycle after many objects keeps its properties', () => {
  const error = Object.assign(new Error('e'), { code: 'E' })
  error.self = { error }
  const [, result] = new Codec().roundTrip([many(5000, (i) => ({ i })), error])
  assert.equal(result.code, 'E')
  assert.equal(result.self.error, result)
})

test('views of one buffer after many objects share it', () => {
  const { buffer } = new Float64Array(4)
  const views = many(3000, (i) => new Uint8Array(buffer, i % 8))
  const [, result] = new Codec().roundTrip([many(3000, (i) => ({ i })), views])
  assert.equal(new Set(result.map((view) => view.buffer)).size, 1)
})

test('a value that is encoded again does not attach its buffers twice', () => {
  const shared = { it: 'is one' }
  const value = [Buffer.alloc(600_000, 7), many(20_000, (i) => ({ i })), shared, shared]
  const memory = PacketMemory.begin(new Uint8Array(0), 4096, 4096)
  const encoder = new Encoder(memory)
  const size = encoder.encode(value, 0)
  const [message, transferList] = encoder.memory.toMessage(size)
  assert.equal(transferList.length, 2)
  const result = unpack(message)
  assert.deepEqual(result, value)
  assert.equal(result[2], result[3])
})

test('a message keeps its value while others are encoded', () => {
  const values = [1, 2, 3].flatMap((n) => [many(5000, (i) => ({ i, n })), { n }])
  const messages = values.map((value) => encode(value)[0])
  assert.deepEqual(messages.map((message) => unpack(message)), values)
})

test('new and known strings of each length stay the same after other values', () => {
  const codec = new Codec()
  for (let run = 0; run < 5; run++) {
    const list = many(30_000, (i) => ({
      text: `${run}${i}`.padEnd(i % 30, 'abc').slice(0, i % 30),
      kind: `kind ${i % 3}`
    }))
    assert.deepEqual(codec.roundTrip(list), list)
  }
})

test('accessors run once in a large value in which no object repeats', () => {
  let runs = 0
  const value = many(20_000, (i) => ({ get i () { return runs++ } }))
  assert.deepEqual(new Codec().roundTrip(value).map(({ i }) => i), many(20_000, (i) => i))
  assert.equal(runs, 20_000)
})

test('a large value moves a few times at most, and frees the memory that it leaves', () => {
  const value = many(100_000, (i) => ({ i }))
  const memory = PacketMemory.begin(new Uint8Array(0), 4096, 4096)
  const moves = []
  memory.grow = (...args) => {
    const { bytes } = memory
    const from = bytes.length
    const start = PacketMemory.prototype.grow.apply(memory, args)
    moves.push({ from, to: memory.bytes.length, isLeft: bytes.buffer.byteLength === 0 })
    return start
  }
  const encoder = new Encoder(memory)
  const size = encoder.encode(value, 0)
  const [message] = encoder.memory.toMessage(size)
  assert.deepEqual(unpack(message), value)
  assert.ok(moves.length > 0)
  for (const { from, to, isLeft } of moves) {
    const isFreed = isLeft || from === kTextBytes
    assert.ok(to >= 2 * from && isFreed, `from ${from} to ${to} bytes, ${isLeft}`)
  }
  assert.equal(message.packet.byteLength, 0)
})
