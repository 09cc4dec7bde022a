'use strict'

const { Buffer, DataView, Map, Uint8Array } = require('../base/globals')
const tags = require('./tags')
const platform = require('./platform')
const { kMaxRegion } = require('./views')
const { isFixedSharedMemory, writeSharedMemory } = require('./write-shared')

const { kArrayBuffer, kAttachedArrayBuffer, kView, kBuffer, kAttachedBuffer, kRef, kTagBits } = tags
const { kBufferView, types, viewClasses, buffer: bufferSlots, typedArray, dataView } = platform

const kDataView = viewClasses.indexOf(DataView)
const kindOf = new Map(viewClasses.map((Class, kind) => [Class?.name, kind]))
const kUint8Array = kindOf.get('Uint8Array')

// From this many bytes on, Buffer's fill(), which is one memcpy, is faster than set(), which writes
// to shared memory word by word.
const kLargeBytes = 2048

// Whether the codec can copy a buffer. Shared, growable and detached memory is left to structured
// clone, which has rules of its own for it.
function isOrdinary (buffer) {
  if (!types.isArrayBuffer(buffer)) return false
  if (bufferSlots.resizable !== undefined && bufferSlots.resizable.call(buffer)) return false
  if (bufferSlots.immutable !== undefined && bufferSlots.immutable.call(buffer)) return false
  return !isDetached(buffer)
}

function isDetached (buffer) {
  if (bufferSlots.detached !== undefined) return bufferSlots.detached.call(buffer)
  if (bufferSlots.byteLength.call(buffer) !== 0) return false
  try {
    return new Uint8Array(buffer) === null
  } catch {
    return true
  }
}

function writeArrayBuffer (writer, buffer) {
  return isOrdinary(buffer) && writeWhole(writer, buffer)
}

function writeWhole (writer, buffer) {
  if (writer.moved !== null && writer.moved.has(buffer)) {
    const length = bufferSlots.byteLength.call(buffer)
    if (writer.moved.isLarge(length) || writer.attaches(length)) {
      return writer.attach(kAttachedArrayBuffer, buffer)
    }
  }
  return writeBytes(writer, kArrayBuffer, new Uint8Array(buffer))
}

// `bytes`: a Uint8Array or an instance of a subclass.
function writeBytes (writer, tag, bytes) {
  const length = typedArray.length.call(bytes)
  if (length > kMaxRegion) return false
  if (writer.attaches(length)) return attach(writer, tag, bytes, length)
  // Aligned to 8 bytes: unaligned copies from and to shared memory go byte by byte.
  const head = 2 + (writer.pos & 1)
  const count = (length + 3) >>> 2
  if (!writer.reserveBuffer(head + count)) return false
  // The writer may have moved to overflow memory, which takes buffers of this size attached.
  if (writer.attaches(length)) return attach(writer, tag, bytes, length)
  if (!writer.reserve(head + count)) return false
  const { words, pos } = writer
  words[pos] = tag
  words[pos + 1] = length
  words[pos + head - 1] = head === 2 ? length : 0
  if (length > 0) {
    // Set before the bytes are copied, since they may end inside the last word.
    words[pos + head + count - 1] = 0
    const to = (pos + head) * 4
    if (length < kLargeBytes) writer.buffer.set(bytes, to)
    else writer.buffer.fill(bytes, to, to + length)
  }
  writer.pos = pos + head + count
  return true
}

function attach (writer, tag, bytes, length) {
  const copy = Buffer.allocUnsafeSlow(length)
  copy.set(bytes)
  return writer.attach(tag === kBuffer ? kAttachedBuffer : kAttachedArrayBuffer, copy.buffer)
}

// A view is written with its whole buffer, but each buffer only once: views that share a buffer
// share it on the other side too.
function writeView (writer, view, kind) {
  let buffer, offset, length
  if (kind === kDataView) {
    if (!types.isDataView(view)) return false
    // The accessors throw if the buffer is detached.
    try {
      buffer = dataView.buffer.call(view)
      offset = dataView.byteOffset.call(view)
      length = dataView.byteLength.call(view)
    } catch {
      return false
    }
  } else {
    if (kindOf.get(typedArray.name.call(view)) !== kind) return false
    buffer = typedArray.buffer.call(view)
    offset = typedArray.byteOffset.call(view)
    length = typedArray.length.call(view)
  }
  return writePlaced(writer, buffer, offset, length, kind)
}

function writePlaced (writer, buffer, offset, length, kind) {
  const isShared = isFixedSharedMemory(buffer)
  if (!isShared && !isOrdinary(buffer)) return false
  const bytes = isShared ? 0 : bufferSlots.byteLength.call(buffer)
  if (bytes > kMaxRegion || offset > kMaxRegion || length > kMaxRegion) return false
  if (!writer.reserve(3)) return false
  const { words, pos } = writer
  words[pos] = kind << kTagBits | kView
  words[pos + 1] = offset
  words[pos + 2] = length
  writer.pos = pos + 3
  const known = writer.seen.add(buffer)
  if (known >= 0) return writer.word(known << kTagBits | kRef)
  if (isShared) return writeSharedMemory(writer, buffer)
  return writeWhole(writer, buffer)
}

// A Buffer is written without the memory around it, which as a rule is Node's pool and holds
// unrelated data. So Buffers that share memory (or a Buffer and another view) get copies of their
// own on the other side. A Buffer that occurs twice in a value stays one Buffer. But a Buffer whose
// memory is shared or moved has all of that memory there too.
function writeBuffer (writer, view) {
  const buffer = typedArray.buffer.call(view)
  if (writer.moved === null || !writer.moved.has(buffer)) {
    if (isOrdinary(buffer)) return writeBytes(writer, kBuffer, view)
    if (!isFixedSharedMemory(buffer)) return false
  }
  if (kindOf.get(typedArray.name.call(view)) !== kUint8Array) return false
  const offset = typedArray.byteOffset.call(view)
  return writePlaced(writer, buffer, offset, typedArray.length.call(view), kBufferView)
}

module.exports = { writeArrayBuffer, writeView, writeBuffer, kDataView }
