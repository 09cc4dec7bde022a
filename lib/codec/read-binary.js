'use strict'

const { Buffer } = require('../base/globals')
const { own } = require('../base/own')
const { types, viewClasses } = require('./platform')

function readArrayBuffer (reader) {
  const buffer = reader.arrayBuffer(reader.word() >>> 0)
  reader.remember(buffer)
  return buffer
}

function readBuffer (reader) {
  const buffer = reader.nodeBuffer(reader.word() >>> 0)
  reader.remember(buffer)
  return buffer
}

function readAttachedArrayBuffer (reader, index) {
  const buffer = reader.attached(index)
  reader.remember(buffer)
  return buffer
}

function readAttachedBuffer (reader, index) {
  const buffer = Buffer.from(reader.attached(index))
  reader.remember(buffer)
  return buffer
}

function readView (reader, kind) {
  const Class = viewClasses[kind]
  if (Class === undefined) reader.fail('a kind of view', `number ${kind}`)
  const number = reader.reserveNumber()
  const offset = reader.word() >>> 0
  const length = reader.word() >>> 0
  const buffer = reader.value()
  const unit = own(Class, 'BYTES_PER_ELEMENT') ?? 1
  if (!types.isAnyArrayBuffer(buffer)) {
    reader.fail('the ArrayBuffer of a view', `a value of type ${typeof buffer}`)
  }
  if (offset % unit !== 0 || offset + length * unit > buffer.byteLength) {
    reader.fail(`a view in ${buffer.byteLength} bytes`, `${length} elements at ${offset}`)
  }
  const view = new Class(buffer, offset, length)
  reader.fulfill(number, view)
  return view
}

module.exports = {
  readArrayBuffer, readAttachedArrayBuffer, readView, readBuffer, readAttachedBuffer
}
