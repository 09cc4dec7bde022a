'use strict'

// Channels as streams. The chunks are the values: any values with { objectMode: true }, otherwise
// bytes and strings. A readable that is destroyed loses what it has read ahead, so it reads little
// ahead.

const { AbortController } = require('../base/globals')
const { Readable, Writable } = require('node:stream')
const { ReadableStream, WritableStream } = require('node:stream/web')
const { createError } = require('../base/errors')
const { ownOptions } = require('../base/arguments')

const kReadAhead = 16

const kNull = 'null was received, which would end a Node stream. Send another value instead, or ' +
  'use readableStream()'

const readableNames = ['objectMode', 'highWaterMark', 'signal']
const writableNames = ['objectMode', 'highWaterMark', 'signal', 'end']

function readable (channel, options) {
  const given = ownOptions(options, readableNames, 'options.')
  const controller = new AbortController()
  return new Readable({
    __proto__: null,
    highWaterMark: given.objectMode ? 1 : undefined,
    ...given,
    async read () {
      try {
        const values = await channel.receiveMany(kReadAhead, { signal: controller.signal })
        if (values.length === 0) return this.push(null)
        for (const value of values) {
          if (value === null) throw createError('ERR_TELAR_INVALID_ARGUMENT', kNull)
          this.push(value)
        }
      } catch (error) {
        this.destroy(error)
      }
    },
    destroy (error, callback) {
      controller.abort()
      callback(error)
    }
  })
}

// `end`: whether the channel is closed when the stream ends, and aborted when the stream fails.
function writable (channel, options) {
  const given = ownOptions(options, writableNames, 'options.')
  const { end = true } = given
  delete given.end
  const controller = new AbortController()
  const { signal } = controller
  const settle = (promise, callback) => promise.then(() => callback(), callback)
  const writeMany = (chunks, callback) => {
    settle(channel.sendMany(chunks.map(({ chunk }) => chunk), { signal }), callback)
  }
  return new Writable({
    __proto__: null,
    decodeStrings: false,
    ...given,
    write (chunk, encoding, callback) {
      settle(channel.send(chunk, { signal }), callback)
    },
    writev: given.objectMode ? writeMany : undefined,
    final (callback) {
      if (end) settle(channel.close(), callback)
      else callback()
    },
    destroy (error, callback) {
      controller.abort()
      if (end && error !== null) channel.abort(error)
      callback(error)
    }
  })
}

function readableStream (channel) {
  const controller = new AbortController()
  return new ReadableStream({
    __proto__: null,
    async pull (stream) {
      const { value, done } = await channel.receive({ signal: controller.signal })
      if (done) stream.close()
      else stream.enqueue(value)
    },
    cancel () {
      controller.abort()
    }
  }, { __proto__: null, highWaterMark: 0 })
}

function writableStream (channel, options) {
  const { end = true } = ownOptions(options, ['end'], 'options.')
  const controller = new AbortController()
  return new WritableStream({
    __proto__: null,
    write (value) {
      return channel.send(value, { signal: controller.signal })
    },
    close () {
      return end ? channel.close() : undefined
    },
    abort (reason) {
      controller.abort()
      if (end) channel.abort(reason)
    }
  })
}

module.exports = { readable, readableStream, writable, writableStream }
