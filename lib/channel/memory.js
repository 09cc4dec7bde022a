'use strict'

// The memory of a channel: the ring, whose layout belongs to C, and the reason of an abort behind
// it (reason.js).

const { SharedArrayBuffer, Uint8Array } = require('../base/globals')
const { types } = require('node:util')
const { createError } = require('../base/errors')
const native = require('../base/native')
const { normalizeChannelOptions } = require('./options')

const {
  OK, kDropNewest, kDropOldest, kSingleConsumer, kSingleProducer
} = native.channelConstants
const kReasonBytes = 4096
const kOverflowFlags = {
  __proto__: null, wait: 0, 'drop-oldest': kDropOldest, 'drop-newest': kDropNewest
}

function createMemory (options) {
  const { capacity, producers, consumers, overflow } = normalizeChannelOptions(options)
  const producerFlag = producers === 'one' ? kSingleProducer : 0
  const consumerFlag = consumers === 'one' ? kSingleConsumer : 0
  const flags = producerFlag | consumerFlag | kOverflowFlags[overflow]
  const memory = new SharedArrayBuffer(native.channelSize(capacity, flags) + kReasonBytes)
  const status = native.createChannel(new Uint8Array(memory), capacity, flags)
  if (status !== OK) {
    const message = `a channel of ${capacity} bytes could not be created (status ${status})`
    throw createError('ERR_TELAR_INVALID_ARGUMENT', message)
  }
  return memory
}

// Whether it may be the memory of a channel. C checks the ring in it.
function isChannelMemory (memory) {
  return types.isSharedArrayBuffer(memory) && memory.byteLength >= kReasonBytes
}

module.exports = { createMemory, isChannelMemory, kReasonBytes }
