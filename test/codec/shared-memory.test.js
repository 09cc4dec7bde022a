'use strict'

// Random values with SharedArrayBuffers, there and back between the memory of an owner and that of
// a worker, in one thread. What arrives is what structuredClone() returns, and shares its memory.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const fc = require('fast-check')
const { MessageChannel } = require('node:worker_threads')
const native = require('../../lib/base/native')
const { pack, unpack } = require('../../lib/transport/packet')
const { SharedLine, createCounts, kOwner, kWorker } = require('../../lib/transport/shared-line')
const { OwnerNames, WorkerNames } = require('../../lib/transport/shared-names')
const { SlotMemory, kSlotBytes } = require('../../lib/transport/slot-memory')
const { primitive } = require('../fixtures/arbitraries')
const { difference } = require('../fixtures/difference')

const kSlots = 4
const kBytes = 2 ** 16

// Blocks of a region, one for each slot.
function createCore (blockBytes) {
  return {
    allocate: (slot, size) =>
      size > blockBytes ? -1 : kSlots * kSlotBytes + slot * blockBytes,
    release () {}
  }
}

class Transport {
  byNumber = 0
  byPort = 0
  #channel = new MessageChannel()
  #owner
  #worker
  #slot = 0

  constructor (blockBytes) {
    const buffer = new SharedArrayBuffer(kBytes, { maxByteLength: kBytes })
    const core = createCore(blockBytes)
    const { port1, port2 } = this.#channel
    const counts = createCounts()
    const ownerLines = new Map([[0, new SharedLine(port1, counts, kOwner, {})]])
    const workerLines = new Map([[0, new SharedLine(port2, counts, kWorker, {})]])
    this.#owner = new SlotMemory(buffer, kSlots, core, {
      openNames: () => new OwnerNames(kSlots, ownerLines)
    })
    this.#worker = new SlotMemory(buffer, kSlots, core, {
      openNames: () => new WorkerNames(kSlots, workerLines, 0)
    })
  }

  // What arrives at the worker, and what comes back to the owner.
  carry (value) {
    const slot = this.#slot = (this.#slot + 1) % kSlots
    const there = this.#send(this.#owner, this.#worker, slot, value, true)
    const back = this.#send(this.#worker, this.#owner, slot, there, false)
    this.#worker.forget(slot)
    this.#owner.forget(slot)
    return { there, back }
  }

  #send (from, to, slot, value, isRequest) {
    if (from.write(slot, value, 0, 0)) {
      this.byNumber++
      return to.read(slot)
    }
    this.byPort++
    const packed = from.takePacked()
    assert.notEqual(packed, null, 'the codec left the value to the platform')
    const [content, transfer, named] = pack(value, packed)
    const received = structuredClone({ ...content }, { transfer })
    if (isRequest) from.hold(slot, named)
    from.writePort(slot, 0, 0, 0, 0)
    return unpack(received, to, slot)
  }

  close () { this.#channel.port1.close() }
}

const buffers = [0, 8, 64, 1000].map((length) => new SharedArrayBuffer(length))
buffers.push(new SharedArrayBuffer(16, { maxByteLength: 64 }))
const kFixed = 4 // the first of them cannot grow

const classes = [
  DataView, Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array,
  Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array
]

const buffer = fc.constantFrom(...buffers)
const view = fc.record({
  index: fc.nat(kFixed - 1),
  Class: fc.constantFrom(...classes),
  from: fc.nat(20),
  count: fc.nat(20)
}).map(({ index, Class, from, count }) => {
  const unit = Class.BYTES_PER_ELEMENT ?? 1
  const most = Math.floor(buffers[index].byteLength / unit)
  const start = Math.min(from, most)
  return new Class(buffers[index], start * unit, Math.min(count, most - start))
})

// A tree of parts, in which parts occur several times.
const value = fc.record({
  parts: fc.array(fc.oneof(buffer, view, primitive), { minLength: 1, maxLength: 8 }),
  places: fc.array(fc.tuple(fc.nat(7), fc.nat(4)), { minLength: 1, maxLength: 20 })
}).map(({ parts, places }) => {
  const root = []
  let inner = root
  for (const [at, how] of places) {
    const part = parts[at % parts.length]
    switch (how) {
      case 0: inner.push(part); break
      case 1: inner.push({ part, text: 'beside' }); break
      case 2: inner.push(new Map([[part, part]])); break
      case 3: inner.push(new Set([part, 'x'.repeat(100)])); break
      default: inner.push(inner = [part])
    }
  }
  return root
})

const addressOf = (shared) => native.memoryAddress(new Uint8Array(shared))

function sharedIn (value, found = [], seen = new Set()) {
  if (typeof value !== 'object' || value === null || seen.has(value)) return found
  seen.add(value)
  if (value instanceof SharedArrayBuffer) found.push(addressOf(value))
  else if (ArrayBuffer.isView(value)) sharedIn(value.buffer, found, seen)
  else if (value instanceof Map) for (const pair of value) sharedIn([...pair], found, seen)
  else if (value instanceof Set) for (const member of value) sharedIn(member, found, seen)
  else for (const key of Object.keys(value)) sharedIn(value[key], found, seen)
  return found
}

for (const blockBytes of [8192, 512]) {
  test(`shared memory comes back as structuredClone returns it, blocks of ${blockBytes} bytes`,
    () => {
      const transport = new Transport(blockBytes)
      fc.assert(fc.property(value, (value) => {
        const { there, back } = transport.carry(value)
        const expected = structuredClone(value)
        assert.equal(difference(there, expected), null)
        assert.equal(difference(back, expected), null)
        assert.deepEqual(sharedIn(there), sharedIn(value))
        assert.deepEqual(sharedIn(back), sharedIn(value))
      }), { numRuns: 2000 })
      transport.close()
      assert.ok(transport.byNumber > 0 && transport.byPort > 0)
    })
}

test('a name that stands for nothing is refused', () => {
  const transport = new Transport(8192)
  const { kMemory, kTagBits, kSmallInt, memories } = require('../../lib/codec/tags')
  const { Decoder } = require('../../lib/codec')
  const names = new OwnerNames(kSlots, new Map())
  for (let name = 0; name < 40; name++) {
    const bytes = new Uint8Array(Int32Array.of(
      memories.kByName << kTagBits | kMemory, name << kTagBits | kSmallInt).buffer)
    for (const memory of [
      { bytes }, { bytes, named: (name) => names.find(0, name, 0, null) },
      { bytes, named: (name) => names.find(0, name, 0, []) }
    ]) {
      assert.throws(() => new Decoder(memory).decode(0, 8), { code: 'ERR_TELAR_CORRUPT_PAYLOAD' })
    }
  }
  transport.close()
})
