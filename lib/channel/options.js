'use strict'

// Checks what callers pass to a channel.

const { Array, Math, Number, Object } = require('../base/globals')
const { types } = require('node:util')
const native = require('../base/native')
const { createError } = require('../base/errors')
const { argumentError, ownOptions } = require('../base/arguments')

const { kCapacityMax, kCapacityMin } = native.channelConstants
const kDefaultCapacity = 2 ** 20

const kMaxItems = 2 ** 32 - 1

const channelOptions = {
  capacity: {
    message: `must be an integer between ${kCapacityMin} and ${kCapacityMax} (bytes)`,
    isAllowed: (value) => Number.isInteger(value) && value >= kCapacityMin && value <= kCapacityMax,
    fallback: kDefaultCapacity
  },
  producers: {
    message: "must be 'many' or 'one'",
    isAllowed: (value) => value === 'many' || value === 'one',
    fallback: 'many'
  },
  consumers: {
    message: "must be 'many' or 'one'",
    isAllowed: (value) => value === 'many' || value === 'one',
    fallback: 'many'
  },
  overflow: {
    message: "must be 'wait', 'drop-oldest' or 'drop-newest'",
    isAllowed: (value) => value === 'wait' || value === 'drop-oldest' || value === 'drop-newest',
    fallback: 'wait'
  }
}

const channelOptionNames = Object.keys(channelOptions)

// { capacity, producers, consumers, overflow }; the capacity is rounded up to a power of two.
function normalizeChannelOptions (options) {
  const given = ownOptions(options, channelOptionNames, 'options.')
  const result = { __proto__: null }
  for (const name of channelOptionNames) {
    const { message, isAllowed, fallback } = channelOptions[name]
    const value = given[name] ?? fallback
    if (!isAllowed(value)) throw argumentError(`options.${name} ${message}`, value)
    result[name] = value
  }
  if (result.overflow === 'drop-oldest' && result.consumers === 'one') {
    throw createError('ERR_TELAR_OPTION_CONFLICT', "options.consumers must be 'many' with " +
      "overflow: 'drop-oldest', because the threads that send take records out too")
  }
  result.capacity = 2 ** Math.ceil(Math.log2(result.capacity))
  return result
}

function readCount (value, name) {
  if (!Number.isInteger(value) || value < 1 || value > kMaxItems) {
    throw argumentError(`${name} must be a positive integer`, value)
  }
  return value
}

function readBytes (bytes) {
  if (!types.isUint8Array(bytes)) throw argumentError('bytes must be a Uint8Array', bytes)
  return bytes
}

function readValues (values) {
  if (!Array.isArray(values)) throw argumentError('values must be an array', values)
  return values
}

// channels: what select() is to receive from.
function readChannels (channels) {
  if (!Array.isArray(channels) || channels.length === 0) {
    throw argumentError('channels must be an array of at least one Channel', channels)
  }
  return channels
}

module.exports = {
  channelOptionNames, normalizeChannelOptions, readBytes, readChannels, readCount, readValues
}
