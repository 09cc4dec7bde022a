'use strict'

// Encodes and decodes values for channels. A value that the codec leaves to the platform is copied
// by structuredClone() first, which makes plain objects of class instances, for example. If the
// codec cannot encode the copy either, the value cannot be sent.

const { DOMException, Map, Math, Uint8Array, structuredClone } = require('../base/globals')
const { Decoder, Encoder } = require('../codec')
const { kMaxRegion } = require('../codec/views')
const { createError } = require('../base/errors')
const native = require('../base/native')
const { isShared, restorePlain, revive } = require('../shared/registry')
const { bufferRegistry } = require('../shared/buffer-registry')

const kScratchBytes = 256 * 1024
// The size of a record that is too large is measured up to this limit, or up to twice what the
// channel takes.
const kMaxMeasuredBytes = 4 * 2 ** 20

// Records start at multiples of this, a power of two.
const { kGranule } = native.channelConstants
const alignRecord = (bytes) => (bytes + kGranule - 1) & -kGranule

// Thrown when a decoder meets a SharedArrayBuffer that this thread does not know.
class MissingMemory {
  id
  length

  constructor (id, length) {
    this.id = id
    this.length = length
  }
}

// The memory of an encoder and a decoder, with the functions that they need for SharedArrayBuffers
// and shared objects.
class ValueMemory {
  bytes = null
  limit = 0
  // The SharedArrayBuffers in the value that is being encoded, by id; null if there are none.
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

  isShared (object) { return isShared(object) }

  revive (plain) { return restorePlain(plain) }

  // The memory does not grow. A larger value has to be encoded elsewhere.
  grow () {
    return -1
  }
}

// Grows as needed, but only up to a limit if the value is too large for the channel.
class GrowingMemory extends ValueMemory {
  // The largest record of the current channel, in bytes.
  maxRecord = kMaxRegion
  // How many bytes the value needs at least, if it needs more than the limit; otherwise 0.
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
    if (needed > Math.max(kMaxMeasuredBytes, 2 * this.maxRecord)) this.refused = needed
    if (size > kMaxRegion || this.refused > 0) return -1
    let bytes
    try {
      bytes = new Uint8Array(Math.min(kMaxRegion, Math.max(size, 2 * this.bytes.length)))
    } catch { // out of memory
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

  // Encodes at `start`, a multiple of 8, and returns the number of bytes. memory.bytes may be
  // another array afterwards. Throws a DataCloneError, ERR_TELAR_RECORD_TOO_LARGE, or what an
  // accessor of the value throws.
  encode (value, start) {
    this.memory.named = null
    const length = this.#encoder.encode(value, start)
    return length >= 0 ? length : this.#encodeClone(value, start)
  }

  // Sets the largest record, in bytes. It would be a waste of time to encode all of a value that is
  // far larger.
  limitTo (maxRecord) {
    this.memory.maxRecord = maxRecord
  }

  // True while a value is being encoded. An accessor of that value may send or receive too.
  get isBusy () { return this.#isCloning || this.#encoder.isBusy }

  // The SharedArrayBuffers in the value that was encoded last, by id, or null.
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
    if (refused > 0) {
      throw createError('ERR_TELAR_RECORD_TOO_LARGE', `at least ${refused}`, maxRecord)
    }
    throw cloneError(this.#encoder.isFull ? kOutOfMemory : kUnsupported)
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

const kOutOfMemory = 'The value needs more memory than is available, or more than 1 GiB, the ' +
  'maximum of a record'
const kUnsupported = 'The value, or a part of it, cannot be sent through a channel, which takes ' +
  'what structured clone takes, except host objects (ports, keys, blobs, streams), resizable ' +
  'buffers, sparse arrays of more than 65536 elements and values of more than 400 levels. Send ' +
  'it with postMessage(), or as a task of pool.run()'

function clonedByPlatform (value) {
  try {
    return structuredClone(value)
  } catch (error) {
    // Older versions of Node throw this for a port in a value.
    if (error?.code === 'ERR_MISSING_TRANSFERABLE_IN_TRANSFER_LIST') throw cloneError(kUnsupported)
    throw error
  }
}

function cloneError (message) {
  return new DOMException(message, 'DataCloneError')
}

module.exports = { MissingMemory, ValueMemory, Values, alignRecord, kScratchBytes }
