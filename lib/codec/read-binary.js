'use strict'

const { Buffer } = require('../base/globals')
const { own } = require('../base/own')
const { kBufferView, types, viewClasses } = require('./platform')

function readArrayBuffer (reader) {
  return reader.arrayBuffer(reader.word() >>> 0)
}

function readBuffer (reader) {
  return reader.nodeBuffer(reader.word() >>> 0)
}

function readAttachedArrayBuffer (reader, index) {
  return reader.attached(index)
}

function readAttachedBuffer (reader, index) {
  return Buffer.from(reader.attached(index))
}

function readView (reader, kind) {
  const Class = kind === kBufferView ? Buffer : viewClasses[kind]
  if (Class === undefined) reader.fail('a kind of view', `number ${kind}`)
  const offset = reader.word() >>> 0
  const length = reader.word() >>> 0
  const buffer = reader.value()
  const unit = own(Class, 'BYTES_PER_ELEMENT') ?? 1 // DataView and Buffer have none of their own
  if (!types.isAnyArrayBuffer(buffer)) {
    reader.fail('the ArrayBuffer of a view', `a value of type ${typeof buffer}`)
  }
  if (offset % unit !== 0 || offset + length * unit > buffer.byteLength) {
    reader.fail(`a view in ${buffer.byteLength} bytes`, `${length} elements at ${offset}`)
  }
  return kind === kBufferView
    ? Buffer.from(buffer, offset, length)
    : new Class(buffer, offset, length)
}

module.exports = {
  readArrayBuffer, readAttachedArrayBuffer, readView, readBuffer, readAttachedBuffer
}
