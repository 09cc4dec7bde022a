'use strict'

// Buffers of a transfer list. What the receiver gets is fresh memory in any case. So a small buffer
// is copied into the encoding of its value and then detached from the sender, which saves a
// message. A large one is transferred beside the encoding.

const { ArrayBuffer, Object, Set } = require('../base/globals')
const { isArrayBuffer } = require('node:util/types')
const workerThreads = require('node:worker_threads')
const native = require('../base/native')
const { own } = require('../base/own')
const { kAttachBytes } = require('./attach-bytes')

const { MessageChannel } = workerThreads
const isMarkedAsUntransferable = own(workerThreads, 'isMarkedAsUntransferable') // since Node 21
// Lists of up to this many buffers are searched from their beginning.
const kSearched = 8
const byteLength = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength').get

class MovedBuffers {
  #list
  #set // instead of a long list

  constructor (list) {
    this.#list = list
    this.#set = list.length > kSearched ? new Set(list) : null
  }

  has (buffer) {
    return this.#set === null ? this.#list.includes(buffer) : this.#set.has(buffer)
  }

  // Whether to transfer a buffer of `length` bytes.
  isLarge (length) { return length >= kAttachBytes }
}

// Whether the codec can send such a list. Otherwise the platform transfers it.
function areBuffers (list) {
  return list.every(isArrayBuffer)
}

let sink = null

// Detaches the buffers from this thread. Throws what postMessage() throws for such a list, and
// detaches none then.
function detach (list) {
  if (list.length !== 1 || !detachOne(list[0])) drop(list)
}

// The native library takes a tenth of the time, but does not know which buffers are marked. False:
// the buffer is as it was.
function detachOne (buffer) {
  if (isMarkedAsUntransferable === undefined || byteLength.call(buffer) === 0 ||
    isMarkedAsUntransferable(buffer)) return false
  native.detach(buffer)
  return byteLength.call(buffer) === 0
}

// Posts the buffers to a closed port, which drops them.
function drop (list) {
  if (sink === null) {
    sink = new MessageChannel().port1
    sink.close()
  }
  sink.postMessage(undefined, list)
}

// A transfer list for a message, from the two: those of the message, and those of the user, of
// which some may be in the first.
function joined (own, list) {
  const moved = new MovedBuffers(list)
  return [...own.filter((object) => !moved.has(object)), ...list]
}

module.exports = { MovedBuffers, areBuffers, detach, joined }
