'use strict'

// The shared memory of a primitive: words of 32 bits. The first one says what kind of primitive it
// is. C never reads this memory, so the layout is defined here.

const { Atomics, Int32Array, Object, SharedArrayBuffer, String } = require('../base/globals')
const { types } = require('node:util')
const { createError } = require('../base/errors')
const { Received } = require('../shared/registry')

// Word 0. A class that changes its layout gets another number.
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
// Words 1 to 15 never change, or hardly ever. The words for which threads compete begin here. Their
// cache line holds nothing else, although the allocator only aligns memory to 16 bytes.
const kState = 16
const kWords = 48

// Opens the memory of a primitive, new or received. `data` of what it returns is for share().
function open (kind, received, words = kWords) {
  if (received instanceof Received) {
    return { data: received, words: check(kind, received.data, words) }
  }
  const memory = new SharedArrayBuffer(words * 4)
  const view = new Int32Array(memory)
  view[0] = kMagic[kind]
  return { data: { memory }, words: view }
}

function check (kind, { memory }, words) {
  if (!types.isSharedArrayBuffer(memory) || memory.byteLength !== words * 4) {
    const found = 'an object that claims to be one but lacks its memory'
    throw createError('ERR_TELAR_NOT_SHARED', kind, found)
  }
  const view = new Int32Array(memory)
  const magic = Atomics.load(view, 0)
  if (magic !== kMagic[kind]) throw createCorrupt(kind, 'its magic number', magic)
  return view
}

function createCorrupt (kind, expected, found) {
  return createError('ERR_TELAR_CORRUPT_STATE', kind, expected, String(found))
}

module.exports = { createCorrupt, kState, kWords, open }
