'use strict'

// A batch: many small values that go to a worker, or come back, as the value of one task. Each of
// them is encoded when it is added, as if it were sent alone: the sender may change it afterwards,
// and objects of one value are never those of another.
//
// The value of the task is an array:
//   [primitives, lengths, bytes, beside, cloned, note]
//   primitives  the values that need no encoding, in their order
//   lengths     for each value: the bytes of its encoding, kPrimitive or kCloned. Null: all are
//               primitives
//   bytes       an ArrayBuffer with the encodings, or null
//   beside      the objects that the encodings refer to: buffers, shared objects
//   cloned      values that only the platform can copy
//   note        what the sender says of the batch (worker/batch.js)

const { Array, ArrayBuffer, Buffer, Math, Uint8Array, structuredClone } =
  require('../base/globals')
const { kMaxRegion } = require('../codec/views')
const { isShared, isUsed } = require('../shared/registry')
const { kAttachBytes } = require('./attach-bytes')
const { isMovable, kMovable, kTransferable, kValue } = require('./move')
const { MovedBuffers, areBuffers, detach } = require('./moved-buffers')
const { Parts } = require('./packet')
const { besideName, kMaxListed } = require('./shared-names')

const kFirstBytes = 4096
const kPrimitive = 0
const kCloned = -1

// The memory of the encodings of one batch, one after the other.
class BatchMemory {
  bytes = new Uint8Array(new ArrayBuffer(kFirstBytes))
  limit = kFirstBytes
  used = 0
  beside = []
  transferred = []
  #names = 0
  #mark = { beside: 0, transferred: 0, names: 0 }

  // To be called before each value.
  begin () {
    this.#mark.beside = this.beside.length
    this.#mark.transferred = this.transferred.length
    this.#mark.names = this.#names
  }

  grow (start, used, needed, wanted) {
    if (start + needed > kMaxRegion) return -1
    const size = Math.min(kMaxRegion, align8(Math.max(start + wanted, 2 * this.limit)))
    const bytes = new Uint8Array(new ArrayBuffer(size))
    Buffer.from(bytes.buffer).fill(this.bytes.subarray(0, start + used), 0, start + used)
    this.bytes = bytes
    this.limit = size
    return start
  }

  attach (buffer) {
    this.transferred.push(buffer)
    return this.beside.push(buffer) - 1
  }

  nameOf (object) {
    if (this.#names === kMaxListed) return -1
    this.#names++
    return besideName(this.beside.push(object) - 1)
  }

  detach () {
    this.beside.length = this.#mark.beside
    this.transferred.length = this.#mark.transferred
    this.#names = this.#mark.names
  }

  // The sender loses the buffers of the list now, not when the batch is sent.
  take (list) {
    for (let i = this.#mark.transferred; i < this.transferred.length; i++) {
      const buffer = this.transferred[i]
      if (!list.includes(buffer)) continue
      const own = structuredClone(buffer, { __proto__: null, transfer: [buffer] })
      this.transferred[i] = own
      this.beside[this.beside.indexOf(buffer)] = own
    }
    const left = list.filter((buffer) => !buffer.detached && buffer.byteLength > 0)
    if (left.length > 0) detach(left)
  }
}

const align8 = (bytes) => Math.ceil(bytes / 8) * 8

// What the encoder of this thread writes to: the memory of the batch that a value is added to. One
// encoder serves all batches, since it learns the shapes of objects.
class CurrentMemory {
  bytes = null
  limit = 0
  attachFrom = kAttachBytes
  #memory = null
  #encoder = null

  // The number of bytes, or -1.
  encode (memory, value, moved) {
    if (this.#encoder === null) {
      const { Encoder } = require('../codec')
      this.#use(memory)
      this.#encoder = new Encoder(this)
    }
    if (this.#encoder.isBusy) return -1 // a getter of the value that is being encoded adds another
    this.#use(memory)
    memory.begin()
    const length = this.#encoder.encode(value, memory.used, moved)
    this.#use(null)
    return length
  }

  #use (memory) {
    this.#memory = memory
    this.bytes = memory === null ? null : memory.bytes
    this.limit = memory === null ? 0 : memory.limit
  }

  grow (start, used, needed, wanted) {
    const at = this.#memory.grow(start, used, needed, wanted)
    this.bytes = this.#memory.bytes
    this.limit = this.#memory.limit
    return at
  }

  attach (buffer) { return this.#memory.attach(buffer) }

  nameOf (object) { return this.#memory.nameOf(object) }

  isShared (object) { return isShared(object) }

  detach () { this.#memory.detach() }

  free () { this.#memory.detach() }
}

const current = new CurrentMemory()

class BatchWriter {
  count = 0
  #primitives = []
  #lengths = null
  #memory = null
  #cloned = []
  #transferred = []

  // Throws if the value cannot be sent, and what a getter of it throws. Then it is not added.
  add (value) {
    switch (typeof value) {
      case 'object':
        if (value === null) break
        this.#addObject(value)
        this.count++
        return
      case 'function':
      case 'symbol':
        structuredClone(value) // throws
    }
    this.#primitives.push(value)
    this.#lengths?.push(kPrimitive)
    this.count++
  }

  #addObject (value) {
    if (this.#memory === null) this.#open()
    if (isMovable(value)) return this.#addMoved(value[kValue], [].concat(value[kTransferable]))
    const length = this.#encode(value, null)
    if (length > 0) this.#lengths.push(length)
    else this.#addCloned(value)
  }

  #open () {
    this.#memory = new BatchMemory()
    this.#lengths = new Array(this.count).fill(kPrimitive)
  }

  // The number of bytes, or -1.
  #encode (value, moved) {
    const memory = this.#memory
    const length = current.encode(memory, value, moved)
    if (length < 0) return -1
    memory.used = align8(memory.used + length)
    return length
  }

  #addMoved (value, list) {
    const length = areBuffers(list) ? this.#encode(value, new MovedBuffers(list)) : -1
    if (length > 0) {
      this.#lengths.push(length)
      this.#memory.take(list)
    } else {
      // The list is checked when the batch is sent.
      for (const object of list) this.#transferred.push(object)
      this.#cloned.push(value)
      this.#lengths.push(kCloned)
    }
  }

  // For a value that the codec leaves to the platform. Its clone can mostly be encoded.
  #addCloned (value) {
    const clone = structuredClone(value)
    const length = isUsed() ? -1 : this.#encode(clone, null)
    if (length < 0) this.#cloned.push(clone)
    this.#lengths.push(length < 0 ? kCloned : length)
  }

  // What is transferred with the batch.
  get transferList () {
    const memory = this.#memory
    return memory === null ? this.#transferred : [...memory.transferred, ...this.#transferred]
  }

  finish (note) {
    const memory = this.#memory
    if (memory === null) return [this.#primitives, null, null, null, null, note]
    const { beside, bytes, used } = memory
    const encoded = used === 0 ? null : bytes.buffer.slice(0, used)
    return [this.#primitives, this.#lengths, encoded, beside, this.#cloned, note]
  }

  // The same as the result of a task, marked for what is transferred.
  finishResult (note) {
    const value = this.finish(note)
    const { transferList } = this
    if (transferList.length === 0) return value
    return {
      __proto__: null, [kMovable]: true, [kTransferable]: transferList, [kValue]: value
    }
  }
}

// Returns `{ values, note }`.
function readBatch ([primitives, lengths, bytes, beside, cloned, note]) {
  if (lengths === null) return { values: primitives, note }
  const parts = new Parts(bytes, beside)
  const values = new Array(lengths.length)
  let primitive = 0
  let clone = 0
  let at = 0
  for (let i = 0; i < lengths.length; i++) {
    const length = lengths[i]
    if (length === kPrimitive) {
      values[i] = primitives[primitive++]
    } else if (length === kCloned) {
      values[i] = cloned[clone++]
    } else {
      values[i] = parts.decode(at, at + length)
      at = align8(at + length)
    }
  }
  return { values, note }
}

module.exports = { BatchWriter, readBatch }
