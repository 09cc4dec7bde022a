'use strict'

// The shared memory of a primitive: 32-bit words, the first of which says what
// it is. C never sees it, so JavaScript owns this layout.

const { Atomics, Int32Array, Object, SharedArrayBuffer, String } = require('../base/globals')
const { types } = require('node:util')
const { createError } = require('../base/errors')
const { Received } = require('../shared/registry')

// Word 0. A kind that changes its layout gets another number.
const kMagic = Object.freeze({
  Mutex: 0x54_4c_01_01,
  RwLock: 0x54_4c_02_01,
  Semaphore: 0x54_4c_03_01,
  Condition: 0x54_4c_04_01,
  Barrier: 0x54_4c_05_01,
  Latch: 0x54_4c_06_01,
  Once: 0x54_4c_07_01,
  Counter: 0x54_4c_08_01
})
// Words 1 to 15 never change, or hardly ever. What threads fight over begins
// here, with nothing of others on its cache line: the allocator aligns to 16 bytes.
const kState = 16
const kWords = 48

// The memory of a primitive, new or received: `data` is what share() takes.
function open (kind, received, words = kWords) {
  if (received instanceof Received) return { data: received, words: check(kind, received.data, words) }
  const memory = new SharedArrayBuffer(words * 4)
  const view = new Int32Array(memory)
  view[0] = kMagic[kind]
  return { data: { memory }, words: view }
}

function check (kind, { memory }, words) {
  if (!types.isSharedArrayBuffer(memory) || memory.byteLength !== words * 4) {
    throw createError('ERR_TELAR_NOT_SHARED', kind, 'an object that says it is one and lacks its memory')
  }
  const view = new Int32Array(memory)
  if (Atomics.load(view, 0) !== kMagic[kind]) throw createCorrupt(kind, 'its mark', Atomics.load(view, 0))
  return view
}

function createCorrupt (kind, expected, found) {
  return createError('ERR_TELAR_CORRUPT_STATE', kind, expected, String(found))
}

module.exports = { createCorrupt, kState, kWords, open }
