'use strict'

// A payload is in memory that other JavaScript can write to. Whatever is there, decoding ends soon,
// with a value or with the coded error, and takes no disproportionate memory.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { Worker } = require('node:worker_threads')
const { Codec, Memory, difference } = require('../fixtures/codec')
const { createRandom } = require('../fixtures/random')
const { Decoder } = require('../../lib/codec')

const CODE = 'ERR_TELAR_CORRUPT_PAYLOAD'
// A hang fails the test instead of stopping the run.
const bounded = { timeout: 120_000 }

function samples () {
  const shared = { name: 'shared' }
  const cycle = [shared, shared]
  cycle.push(cycle)
  const buffer = new Uint8Array(64).map((_, i) => i).buffer
  return [
    42, -1, 2 ** 30, 1.5, 'short', 'a longer string than those that are interned',
    'zwei Bytes: жжж', 2n ** 80n, -5n,
    { id: 42, name: 'John Smith', nested: { x: 1, y: [1, 2, 3], z: null } },
    cycle,
    [1, , 3], // eslint-disable-line no-sparse-arrays
    Object.assign([1, 2], { index: 1 }),
    new Map([[{ a: 1 }, new Set([1, 'two', shared])], ['date', new Date(5)]]),
    [new Uint16Array(buffer, 2, 3), new DataView(buffer, 8), buffer, new Float64Array(buffer)],
    Buffer.from('a buffer of bytes'),
    /a(b)c/gi,
    Object.assign(new RangeError('message', { cause: shared }), { code: 'E_CODE' }),
    new AggregateError([new Error('one'), shared], 'several'),
    new DOMException('gone', 'AbortError'),
    ...(globalThis.QuotaExceededError === undefined
      ? []
      : [new QuotaExceededError('full', { quota: 1, requested: 2 })]),
    [Object(1), Object('boxed'), Object(true), Object(7n)],
    Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`key ${i} ${'ж'.repeat(i % 3)}`, i])),
    Array.from({ length: 40 }, (_, i) => ({ i, s: `v${i % 3}`, d: i / 3 })),
    Array.from({ length: 40 }, (_, i) => `text number ${i} of a run of many texts`)
  ]
}

// Whether it decodes to a value. Any error but the coded one fails the test.
function decodes (decode) {
  try {
    decode()
    return true
  } catch (error) {
    assert.equal(error.code, CODE, error.stack)
    assert.ok(error instanceof TypeError)
    return false
  }
}

// The encoding of each sample as it lies in memory, to be damaged and restored.
function encodings () {
  return samples().map(value => {
    const codec = new Codec(new Memory(1 << 15))
    const size = codec.encode(value)
    assert.notEqual(size, -1)
    const { start } = codec.encoder
    const bytes = codec.memory.bytes.subarray(start, start + size)
    return {
      codec,
      size,
      bytes,
      intact: bytes.slice(),
      words: new Int32Array(bytes.buffer, start, size / 4)
    }
  })
}

test('a missing or wrong attachment is refused with the coded error', () => {
  const bytes = new Uint8Array(8)
  for (const tag of [26, 27]) {
    new Int32Array(bytes.buffer)[0] = 1 << 5 | tag
    for (const attachments of [undefined, [], [new ArrayBuffer(8)]]) {
      assert.equal(decodes(() => new Decoder({ bytes, attachments }).decode(0, 4)), false)
    }
  }
})

for (const seed of [1, 2, 3, 4]) {
  test(`flipped bits decode to a value or the coded error, seed ${seed}`, bounded, () => {
    const { word: next } = createRandom(seed)
    let refused = 0
    for (const { codec, size, bytes, intact } of encodings()) {
      for (let run = 0; run < 400; run++) {
        for (let flips = 1 + next() % 3; flips > 0; flips--) bytes[next() % size] ^= 1 << next() % 8
        if (!decodes(() => codec.decode(size))) refused++
        bytes.set(intact)
      }
    }
    assert.ok(refused > 0)
  })

  test(`extreme words decode to a value or the coded error, seed ${seed}`, bounded, () => {
    const { word: next } = createRandom(seed)
    const extremes = [0, -1, 1, 0x7fffffff, -0x80000000, 0x7fffffe0, 0xffff, 0x10000]
    for (const { codec, size, bytes, words, intact } of encodings()) {
      for (let at = 0; at < words.length; at++) {
        for (const extreme of extremes) {
          // Half of the time the tag stays, and only its count or length changes.
          words[at] = next() % 2 === 0 ? extreme : (extreme & ~31) | (words[at] & 31)
          decodes(() => codec.decode(size))
          bytes.set(intact)
        }
      }
    }
  })

  test(`random words decode to a value or the coded error, seed ${seed}`, bounded, () => {
    const { word: next } = createRandom(seed)
    const memory = { bytes: new Uint8Array(new SharedArrayBuffer(4096)) }
    const words = new Int32Array(memory.bytes.buffer)
    const decoder = new Decoder(memory)
    for (let run = 0; run < 4000; run++) {
      const length = 1 + next() % 60
      for (let i = 0; i < length; i++) {
        const payload = next() % 3 === 0 ? next() : next() % 8
        words[i] = payload << 5 | (i === 0 ? run % 32 : next() % 32)
      }
      decodes(() => decoder.decode(0, 4 * length))
    }
  })
}

test('a payload that is cut off or too long is refused', () => {
  for (const { codec, size } of encodings()) {
    for (let cut = 0; cut < size; cut += 4) assert.throws(() => codec.decode(cut), { code: CODE })
    assert.throws(() => codec.decode(size + 4), { code: CODE })
  }
})

test('an area outside the memory is refused', () => {
  const codec = new Codec()
  codec.encode(1)
  const { length } = codec.memory.bytes
  for (const [start, end] of [
    [-8, 8], [64, 60], [length, length + 4], [0, length + 4], [0, 3], [2, 6], [NaN, 8],
    [0, 2 ** 40]
  ]) {
    assert.throws(() => codec.decoder.decode(start, end), { code: CODE })
  }
})

test('a length that the payload cannot hold is refused before memory is taken', bounded, () => {
  const memory = { bytes: new Uint8Array(new SharedArrayBuffer(1 << 16)) }
  const words = new Int32Array(memory.bytes.buffer)
  const decoder = new Decoder(memory)
  const before = process.memoryUsage()
  for (let tag = 0; tag < 32; tag++) {
    for (const payload of [2 ** 27 - 1, 2 ** 26, 2 ** 20, 65536]) {
      for (const second of [-1, 2 ** 31 - 1, 2 ** 28, 1 << 16]) {
        words.fill(second, 0, 16)
        words[0] = payload << 5 | tag
        decodes(() => decoder.decode(0, 64))
      }
    }
  }
  const after = process.memoryUsage()
  const taken = after.heapTotal + after.external - before.heapTotal - before.external
  assert.ok(taken < 64 * 1024 * 1024)
})

test('nesting without end is refused', bounded, () => {
  const memory = { bytes: new Uint8Array(new SharedArrayBuffer(1 << 20)) }
  const words = new Int32Array(memory.bytes.buffer)
  const codec = new Codec()
  const size = codec.encode([[]])
  assert.equal(size, 8)
  const { start } = codec.encoder
  words.fill(new Int32Array(codec.memory.bytes.buffer)[start / 4])
  assert.throws(() => new Decoder(memory).decode(0, 1 << 20), { code: CODE })
})

test('an error leaves the decoder ready for the next payload', () => {
  const good = new Codec()
  const value = samples()[9]
  for (const { codec, words } of encodings()) {
    words[0] = 0
    assert.throws(() => codec.decode(words.length * 4), { code: CODE })
    const size = codec.encode(value)
    assert.equal(difference(codec.decode(size), value), null)
  }
  assert.equal(difference(good.roundTrip(value), value), null)
})

test('damage to one payload does not show in the next', () => {
  const codec = new Codec()
  const value = { first: 'interned', second: ['interned', 'again'] }
  const { word: next } = createRandom(9)
  for (let run = 0; run < 2000; run++) {
    const size = codec.encode(value)
    const { start } = codec.encoder
    codec.memory.bytes[start + next() % size] ^= 1 << next() % 8
    decodes(() => codec.decode(size))
    const intact = codec.encode(value)
    assert.equal(difference(codec.decode(intact), value), null)
  }
})

test('memory that changes during decoding leaves no trace in later values', bounded, async () => {
  const codec = new Codec(new Memory(1 << 15))
  const value = samples()[9]
  const size = codec.encode(value)
  const intact = codec.memory.bytes.slice()
  const { start } = codec.encoder
  const worker = new Worker(`
    const { bytes, start, size } = require('node:worker_threads').workerData
    for (let i = 0;; i++) bytes[start + (i * 7919) % size] ^= 1 << (i * 31) % 8
  `, { eval: true, workerData: { bytes: codec.memory.bytes, start, size } })
  try {
    await new Promise((resolve, reject) => worker.once('online', resolve).once('error', reject))
    for (let run = 0; run < 20000; run++) {
      if (run % 4 === 0) codec.memory.bytes.set(intact)
      decodes(() => codec.decode(size))
    }
  } finally {
    await worker.terminate()
  }
  codec.memory.bytes.set(intact)
  assert.equal(difference(codec.decode(size), value), null)
})

test('every tag has its own number, and all thirty-two are listed', () => {
  const tags = require('../../lib/codec/tags')
  const isBound = (name) => /^k(Tag|Kind|Max|Min)[A-Z]/.test(name)
  const { kinds, memories, ...rest } = tags
  const numbers = Object.entries(rest)
    .filter(([name]) => !isBound(name)).map(([, number]) => number)
  assert.deepEqual(numbers.sort((a, b) => a - b),
    Array.from({ length: tags.kTagMask + 1 }, (_, i) => i))
  const kindNumbers = Object.values(kinds)
  assert.equal(new Set(kindNumbers).size, kindNumbers.length)
  assert.ok(kindNumbers.every((number) => number >= 1 && number <= tags.kKindMask))
  assert.equal(new Set(Object.values(memories)).size, Object.keys(memories).length)
})

test('tags of records and the tag reserved for later kinds are refused as values', () => {
  const { kEscape, kBytesRecord, kNamedRecord, kTagBits } = require('../../lib/codec/tags')
  for (const tag of [kEscape, kBytesRecord, kNamedRecord]) {
    for (const payload of [0, 1, 2 ** 27 - 1]) {
      const words = new Int32Array([payload << kTagBits | tag, 0, 0, 0])
      const decoder = new Decoder({ bytes: new Uint8Array(words.buffer) })
      assert.equal(decodes(() => decoder.decode(0, 16)), false, `tag ${tag}`)
    }
  }
})
