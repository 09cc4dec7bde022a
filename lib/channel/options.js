'use strict'

// What callers may pass to a channel. All of it is checked before anything has happened.

const { Array, Math, Number, Object } = require('../base/globals')
const { types } = require('node:util')
const { isAbortSignal } = require('../base/abort-signal')
const { createError, describe } = require('../base/errors')
const native = require('../base/native')
const { ownOptions } = require('../base/arguments')

const { kCapacityMax, kCapacityMin } = native.channelConstants
const kCapacityDefault = 2 ** 20

const kMaxItems = 2 ** 32 - 1

const isObject = (value) => typeof value === 'object' && value !== null

function invalid (message, value) {
  return createError('ERR_TELAR_INVALID_ARGUMENT', `${message}; received ${describe(value)}`)
}

const channelOptions = {
  capacity: {
    message: `must be an integer between ${kCapacityMin} and ${kCapacityMax} (bytes)`,
    isAllowed: (value) => Number.isInteger(value) && value >= kCapacityMin && value <= kCapacityMax,
    fallback: kCapacityDefault
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

// { capacity, producers, consumers }; the capacity is a power of two.
function normalizeChannelOptions (options) {
  const given = readOptions(options, channelOptionNames, 'options.')
  const result = { __proto__: null }
  for (const name of channelOptionNames) {
    const { message, isAllowed, fallback } = channelOptions[name]
    const value = given[name] ?? fallback
    if (!isAllowed(value)) throw invalid(`options.${name} ${message}`, value)
    result[name] = value
  }
  result.capacity = 2 ** Math.ceil(Math.log2(result.capacity))
  return result
}

const kSignalNames = ['signal']
const kTimeoutNames = ['timeout']

// The signal of a call that waits on the event loop, or null. undefined is the common
// case, and its callers do not come here.
function readSignal (options) {
  const { signal } = readOptions(options, kSignalNames, '')
  if (signal === undefined || signal === null) return null
  if (!isAbortSignal(signal)) {
    throw invalid('signal argument must be an object with addEventListener() or once()', signal)
  }
  return signal
}

// The timeout of a call that blocks its thread, in milliseconds.
function readTimeout (options) {
  if (options === undefined) return Infinity
  const { timeout } = readOptions(options, kTimeoutNames, '')
  if (timeout === undefined) return Infinity
  if (typeof timeout !== 'number' || !(timeout >= 0)) {
    throw invalid('timeout argument must be a number of milliseconds from 0, or Infinity', timeout)
  }
  return timeout
}

function readCount (value, what) {
  if (!Number.isInteger(value) || value < 1 || value > kMaxItems) throw invalid(`${what} must be a positive integer`, value)
  return value
}

function readBytes (bytes) {
  if (!types.isUint8Array(bytes)) throw invalid('bytes must be a Uint8Array', bytes)
  return bytes
}

function readValues (values) {
  if (!Array.isArray(values)) throw invalid('values must be an array', values)
  return values
}

function readOptions (options, names, prefix) {
  if (options === undefined) return Object.create(null)
  if (!isObject(options) || Array.isArray(options)) throw invalid('options must be an object', options)
  return ownOptions(options, names, prefix)
}

module.exports = { channelOptionNames, normalizeChannelOptions, readBytes, readCount, readSignal, readTimeout, readValues }
