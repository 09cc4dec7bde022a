'use strict'

// Checks what callers pass to a channel.

const { Array, Math, Number, Object } = require('../base/globals')
const { types } = require('node:util')
const native = require('../base/native')
const { argumentError, isObject, ownOptions } = require('../base/arguments')

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
  }
}

const channelOptionNames = Object.keys(channelOptions)

// { capacity, producers, consumers }; the capacity is rounded up to a power of two.
function normalizeChannelOptions (options) {
  if (options !== undefined && !isObject(options)) {
    throw argumentError('options must be an object', options)
  }
  const given = ownOptions(options, channelOptionNames, 'options.')
  const result = { __proto__: null }
  for (const name of channelOptionNames) {
    const { message, isAllowed, fallback } = channelOptions[name]
    const value = given[name] ?? fallback
    if (!isAllowed(value)) throw argumentError(`options.${name} ${message}`, value)
    result[name] = value
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

module.exports = { channelOptionNames, normalizeChannelOptions, readBytes, readCount, readValues }
