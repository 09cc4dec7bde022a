'use strict'

// Values of many parts: the cost to encode one grows in proportion to its size, wherever the
// encoding finds room. The cost is counted in copied bytes where that is possible.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const fc = require('fast-check')
const { PacketMemory, unpack } = require('../../lib/transport/packet')
const { SlotMemory, kSlotBytes } = require('../../lib/transport/slot-memory')
const { usePool } = require('../fixtures/use-pool')

const many = (length, make) => Array.from({ length }, (_, i) => make(i))

// Values of `n` parts.
const shapes = {
  records: (n) => many(n, (i) => ({ id: i, name: `user ${i}` })),
  'records of changing keys': (n) => many(n, (i) => ({ [`key ${i}`]: i })),
  rows: (n) => many(n, (i) => [i, `row ${i}`, i / 7, null]),
  'short strings': (n) => many(n, (i) => `text ${i}`),
  'long strings': (n) => many(n / 50, (i) => `text ${i} `.repeat(40)),
  'two-byte strings': (n) => many(n, (i) => `текст ${i}`),
  integers: (n) => many(n, (i) => i),
  doubles: (n) => many(n, (i) => i + 0.5),
  booleans: (n) => many(n, (i) => i % 2 === 0),
  bigints: (n) => many(n, (i) => BigInt(i) << 70n),
  dates: (n) => many(n, (i) => new Date(i)),
  errors: (n) => many(n / 20, (i) =>
    Object.assign(new TypeError(`error ${i}`), { code: `E${i}`, run () {} })),
  'one error of many properties': (n) => Object.assign(new Error('e'),
    Object.fromEntries(many(n, (i) => [`key ${i}`, { i }]))),
  'a dictionary': (n) => Object.fromEntries(many(n, (i) => [`key ${i}`, i])),
  'a Map': (n) => new Map(many(n, (i) => [`key ${i}`, i])),
  'a Set': (n) => new Set(many(n, (i) => `member ${i}`)),
  'small buffers': (n) => many(n / 4, (i) => Buffer.alloc(i % 50, i)),
  'typed arrays': (n) => many(n / 4, (i) => Float64Array.of(i)),
  'one object many times': (n) => many(n, () => shared),
  'one Buffer and records': (n) => ({
    data: Buffer.alloc(20 * n, 7),
    records: shapes.records(n / 5)
  }),
  'records and one Buffer': (n) => ({
    records: shapes.records(n / 5),
    data: Buffer.alloc(20 * n, 7)
  }),
  'a deep list': (n) =>
    many(n / 50, (i) => many(50, (j) => [j]).reduceRight((rest, item) => [item, rest], i))
}
const shared = { it: 'is one' }

// The slots of a pool whose largest block has `largestBlock` bytes. Counts how often the encoding
// moves, and how many bytes that copies.
class Slots {
  copied = 0
  moves = 0
  released = 0
  #memory
  #next = kSlotBytes

  constructor (largestBlock, attachFrom) {
    const bytes = kSlotBytes + 4 * largestBlock
    this.#memory = new SlotMemory(new SharedArrayBuffer(bytes, { maxByteLength: bytes }), 1, {
      allocate: (slot, size) => {
        if (size > largestBlock || this.#next + size > bytes) return -1
        this.moves++
        const at = this.#next
        this.#next += Math.ceil(size / 8) * 8
        return at
      },
      release: () => { this.released++ }
    }, { attachFrom })
    const { copyWithin } = Uint8Array.prototype
    this.#memory.bytes.copyWithin = (to, from, end) => {
      this.#count(end - from)
      return copyWithin.call(this.#memory.bytes, to, from, end)
    }
  }

  // Returns what arrives, and sets `size` to the size of the encoding.
  roundTrip (value) {
    const { begin } = PacketMemory
    const { grow } = PacketMemory.prototype
    const slots = this
    PacketMemory.begin = (begun, ...sizes) => {
      slots.#count(begun.length)
      slots.moves++
      return begin.call(PacketMemory, begun, ...sizes)
    }
    PacketMemory.prototype.grow = function (start, used, ...sizes) {
      const before = this.bytes.buffer
      const at = grow.call(this, start, used, ...sizes)
      slots.moves++
      if (this.bytes.buffer !== before) slots.#count(used)
      return at
    }
    try {
      return this.#carry(value)
    } finally {
      PacketMemory.begin = begin
      PacketMemory.prototype.grow = grow
    }
  }

  // Fails soon, rather than after minutes: the limits are far above what these values take.
  #count (bytes) {
    this.copied += bytes
    if (this.copied > 2 ** 28 || this.moves > 1000) {
      throw new Error(`It moved ${this.moves} times, and copied ${this.copied} bytes`)
    }
  }

  #carry (value) {
    const memory = this.#memory
    if (memory.write(0, value, 0, 0)) {
      this.size = memory.message(0)
      return memory.read(0)
    }
    const [message] = memory.takePacked()
    this.size = message.length
    return unpack(message)
  }
}

const block = fc.constantFrom(0, 1 << 12, 1 << 16, 1 << 20, 1 << 24)
const attachFrom = fc.constantFrom(512 * 1024, Infinity)

for (const [name, make] of Object.entries(shapes)) {
  test(`${name}: the bytes copied while encoding are in proportion to the size`, () => {
    const size = fc.integer({ min: 1, max: 40 })
    fc.assert(fc.property(size, block, attachFrom, (thousands, largestBlock, attachFrom) => {
      const value = make(thousands * 1000)
      const slots = new Slots(largestBlock, attachFrom)
      const result = slots.roundTrip(value)
      if (thousands <= 2) assert.deepEqual(result, new Slots(1 << 24).roundTrip(value))
      assert.ok(slots.copied <= 4 * slots.size + kSlotBytes,
        `${slots.copied} bytes were copied to write ${slots.size}`)
      assert.ok(slots.moves <= 3 * Math.log2(slots.size) + 2,
        `it moved ${slots.moves} times to write ${slots.size} bytes`)
    }), { numRuns: 12 })
  })
}

test('a value that moves to a message releases the blocks that it had', () => {
  for (const largestBlock of [1 << 12, 1 << 16, 1 << 20]) {
    const slots = new Slots(largestBlock, Infinity)
    slots.roundTrip(shapes.records(100_000))
    assert.equal(slots.released, 1)
  }
})

// ---- Through a pool ----

// `sharedMemory` decides in which memory the encoding of a task's value and of its result ends: in
// a block or in a message.
for (const sharedMemory of [2 ** 20, 2 ** 24, 2 ** 28]) {
  test(`large values come back whole with ${sharedMemory} bytes of shared memory`, async (t) => {
    const pool = usePool(t, 'values.js', { sharedMemory })
    for (const [name, make] of Object.entries(shapes)) {
      const value = make(20_000)
      const result = await pool.run(value)
      const again = await pool.run(result)
      assert.deepEqual(again, result, name)
      if (!name.includes('error')) assert.deepEqual(result, value, name)
    }
  })
}

// The CPU time of the process for the round trip of a task: the least of some runs.
async function work (pool, value) {
  let least = Infinity
  for (let run = 0; run < 3; run++) {
    const before = process.cpuUsage()
    await pool.run(value)
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, user + system)
  }
  return least
}

// If a value had to move for each word, eight times the parts would take a thousand times as long,
// so noise does not matter. The sizes are around the largest block, which has half a megabyte.
test('the time of a round trip is in proportion to the size of the value', async (t) => {
  const pool = usePool(t, 'values.js', { sharedMemory: 2 ** 20 })
  for (const name of ['records', 'short strings', 'doubles', 'a Map']) {
    const small = await work(pool, shapes[name](10_000))
    const large = await work(pool, shapes[name](80_000))
    assert.ok(large < 100 * small, `${name}: ${small} µs for 10,000 parts, ${large} µs for 80,000`)
  }
})

test('a getter in a value that outgrows the shared memory runs once', async (t) => {
  const pool = usePool(t, 'values.js', { sharedMemory: 2 ** 20 })
  let runs = 0
  const value = {
    get first () { return ++runs },
    rest: shapes.records(60_000),
    get last () { return ++runs }
  }
  const result = await pool.run(value)
  assert.equal(runs, 2)
  assert.equal(result.first, 1)
  assert.equal(result.last, 2)
  assert.equal(result.rest.length, 60_000)
})
