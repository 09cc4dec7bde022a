'use strict'

// pool.transform() and pool.transformStream(): a map between a stream that is written and one that
// is read.

const { Math, Promise } = require('../../base/globals')
const { Transform } = require('node:stream')
const { ReadableStream, WritableStream } = require('node:stream/web')
const { AbortError, createError } = require('../../base/errors')
const { MapIterator, mapNames, readMapOptions } = require('./map')
const { PushSource } = require('./push-source')
const { silence } = require('./source')

const transformNames = [...mapNames, 'highWaterMark']
// Enough for batches of small items.
const kHighWaterMark = 64

const kNull = 'A task of transform() returned null, which would end a Node stream. Return ' +
  'another value instead, or use transformStream()'

// A Transform by its class, for those who ask. But its results come from a map, not by the calls of
// its writer, so all its parts are its own.
class PoolTransform extends Transform {
  #source
  #results
  #isReading = false

  constructor (source, results, highWaterMark) {
    super({ __proto__: null, objectMode: true, highWaterMark })
    this.#source = source
    this.#results = results
  }

  _write (chunk, encoding, callback) {
    this.#source.push([chunk], callback)
  }

  _writev (chunks, callback) {
    this.#source.push(chunks.map(({ chunk }) => chunk), callback)
  }

  _final (callback) {
    this.#source.end()
    callback()
  }

  // A Transform calls it when the last chunk was written, and would end the stream when it calls
  // back. This one ends with its results.
  _flush () {}

  _read () {
    if (!this.#isReading) this.#readOn()
  }

  async #readOn () {
    this.#isReading = true
    try {
      for (;;) {
        const { value, done } = await this.#results.next()
        if (done || this.destroyed) return this.push(null)
        if (value === null) throw createError('ERR_TELAR_INVALID_ARGUMENT', kNull)
        if (!this.push(value)) return
      }
    } catch (error) {
      this.destroy(error)
    } finally {
      this.#isReading = false
    }
  }

  _destroy (error, callback) {
    silence(this.#results.return())
    callback(error)
    this.#source.release(error ?? new AbortError(undefined, 'stream'))
  }
}

function open (engine, options) {
  const read = readMapOptions(engine, options, transformNames)
  const { highWaterMark = kHighWaterMark } = read.own
  const source = new PushSource(highWaterMark)
  const results = new MapIterator(engine, source, { ...read, isEager: true })
  return { source, highWaterMark, results }
}

function transform (engine, options = {}) {
  const { source, highWaterMark, results } = open(engine, options)
  return new PoolTransform(source, results, highWaterMark)
}

function transformStream (engine, options = {}) {
  const { source, highWaterMark, results } = open(engine, options)
  let writing // the controller of the writable side
  const writable = new WritableStream({
    __proto__: null,
    start (controller) { writing = controller },
    write: (item) => new Promise((resolve, reject) => {
      source.push([item], (error) => error === undefined ? resolve() : reject(error))
    }),
    close () { source.end() },
    abort (reason) {
      source.fail(reason)
      source.release(reason)
    }
  }, { __proto__: null, highWaterMark: Math.max(1, highWaterMark) }) // with 0 nothing is written
  const readable = new ReadableStream({
    __proto__: null,
    async pull (controller) {
      try {
        const { value, done } = await results.next()
        if (done) controller.close()
        else controller.enqueue(value)
      } catch (error) {
        writing.error(error)
        source.release(error)
        throw error
      }
    },
    async cancel (reason) {
      writing.error(reason)
      source.release(reason)
      await results.return()
    }
  }, { __proto__: null, highWaterMark: 0 })
  return { readable, writable }
}

module.exports = { transform, transformStream }
