'use strict'

// Values as the codec writes and reads them for channels. What the codec leaves to
// the platform goes through structuredClone(): class instances become plain objects
// there, for example. What is outside the codec even then cannot be sent.

const { DOMException, Map, Math, Uint8Array, structuredClone } = require('../base/globals')
const { Decoder, Encoder } = require('../codec')
const { createError, describe } = require('../base/errors')
const native = require('../base/native')
const { dataOf, restore, revive } = require('../shared/registry')
const { bufferRegistry } = require('./buffer-registry')

const kScratchBytes = 256 * 1024
// The codec counts in 32-bit integers.
const kMaxBytes = 2 ** 30
// A record that is too large is measured up to here, or to twice what the channel takes.
const kMeasuredBytes = 4 * 2 ** 20

// Records start at multiples of this, a power of two.
const { kGranule } = native.channelConstants
const alignRecord = (bytes) => (bytes + kGranule - 1) & -kGranule

// Says that a decoder met a memory which this thread does not know.
class MissingMemory {
  id
  length

  constructor (id, length) {
    this.id = id
    this.length = length
  }
}

// What an encoder and a decoder of channels ask for besides memory.
class ValueMemory {
  bytes = null
  limit = 0
  // The memories that the value at hand names, by id; null: none.
  named = null

  identify (buffer) {
    const id = bufferRegistry.identify(buffer)
    if (this.named === null) this.named = new Map()
    this.named.set(id, buffer)
    return id
  }

  find (id, length) {
    const buffer = bufferRegistry.find(id, length)
    if (buffer === undefined) throw new MissingMemory(id, length)
    return buffer
  }

  isShared (object) {
    return dataOf(object) !== undefined
  }

  revive (plain) {
    const data = dataOf(plain)
    if (data === undefined) throw createError('ERR_TELAR_NOT_SHARED', 'object in shared memory', describe(plain))
    return restore(data)
  }

  // What is larger goes another way.
  grow () {
    return -1
  }
}

// Grows as a value needs it, but not without end for one that is refused in the end.
class GrowingMemory extends ValueMemory {
  // In bytes: what the channel at hand takes.
  maxRecord = kMaxBytes
  // Of the value at hand, what was too much; 0: nothing was.
  refused = 0

  constructor (size) {
    super()
    this.replace(new Uint8Array(size))
  }

  replace (bytes) {
    this.bytes = bytes
    this.limit = bytes.length
  }

  grow (start, used, needed) {
    const size = start + alignRecord(needed)
    if (needed > Math.max(kMeasuredBytes, 2 * this.maxRecord)) this.refused = needed
    if (size > kMaxBytes || this.refused > 0) return -1
    let bytes
    try {
      bytes = new Uint8Array(Math.min(kMaxBytes, Math.max(size, 2 * this.bytes.length)))
    } catch { // more than there is
      return -1
    }
    bytes.set(this.bytes.subarray(0, start + used))
    this.replace(bytes)
    return start
  }
}

class Values {
  memory
  #isCloning = false
  #encoder
  #decoder

  constructor (size) {
    this.memory = new GrowingMemory(size)
    this.#encoder = new Encoder(this.memory)
    this.#decoder = new Decoder(this.memory)
  }

  // Encodes at `start` (a multiple of 8) and answers the number of bytes. memory.bytes may
  // be another one afterwards. Throws DataCloneError, RECORD_TOO_LARGE, or what an accessor threw.
  encode (value, start) {
    this.memory.named = null
    const length = this.#encoder.encode(value, start)
    return length >= 0 ? length : this.#encodeClone(value, start)
  }

  // What records may have from now on, in bytes. To encode all of one that has far more would
  // take long, to no use.
  limitTo (maxRecord) {
    this.memory.maxRecord = maxRecord
  }

  // An accessor of a value that is being encoded here has come back.
  get isBusy () { return this.#isCloning || this.#encoder.isBusy }

  // The memories that the value encoded last names, by id; or null.
  get named () { return this.memory.named }

  decode (start, end) {
    return this.#decoder.decode(start, end)
  }

  #encodeClone (value, start) {
    if (!this.#encoder.isFull) {
      const clone = this.#clone(value)
      this.memory.named = null
      const length = this.#encoder.encode(clone, start)
      if (length >= 0) return length
    }
    const { refused, maxRecord } = this.memory
    this.memory.refused = 0
    if (refused > 0) throw createError('ERR_TELAR_RECORD_TOO_LARGE', `at least ${refused}`, maxRecord)
    if (this.#encoder.isFull) throw cloneError('The value takes more memory than there is, or than the 1 GiB that a record may have')
    throw cloneError(kOutside)
  }

  #clone (value) {
    this.#isCloning = true
    try {
      return revive(clonedByPlatform(value))
    } finally {
      this.#isCloning = false
    }
  }
}

const kOutside = 'The value, or a part of it, cannot be sent through a channel, which takes what structured clone takes ' +
  'except host objects (ports, keys, blobs, streams), resizable buffers, sparse arrays of more than 65536 elements and ' +
  'more than 400 levels. Send it with postMessage(), or as a task of pool.run()'

function clonedByPlatform (value) {
  try {
    return structuredClone(value)
  } catch (error) {
    // Older versions of Node say so of a port in a value.
    if (error?.code === 'ERR_MISSING_TRANSFERABLE_IN_TRANSFER_LIST') throw cloneError(kOutside)
    throw error
  }
}

function cloneError (message) {
  return new DOMException(message, 'DataCloneError')
}

module.exports = { MissingMemory, ValueMemory, Values, alignRecord, kScratchBytes }
