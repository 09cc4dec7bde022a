'use strict'

// pool.runMany(): the results of many items, as an array.

const { Promise } = require('../../base/globals')
const { argumentError } = require('../../base/arguments')
const { failure, withoutFrames } = require('../caller-frames')
const { Batches } = require('./batches')
const { readMapOptions } = require('./map')
const { isIterable } = require('./options')
const { Signal } = require('./signal')
const { Source, silence } = require('./source')

const runManyNames = ['concurrency', 'batch', 'settle']

class Collection {
  #batches
  #settles
  #signal
  #results = []
  #running = 0
  #hasEnded = false
  #resolve

  constructor (engine, source, options) {
    this.#settles = options.settles
    this.#signal = new Signal(options.given.signal, (error) => this.#fail(error))
    this.#batches = new Batches(engine, source, { ...options, isOrdered: false }, {
      __proto__: null,
      onBatch: () => this.#running++,
      onDone: (batch) => this.#take(batch),
      onEnd: (failed) => this.#end(failed)
    })
  }

  run () {
    return new Promise((resolve) => {
      this.#resolve = resolve
      if (this.#signal.begin()) this.#batches.fill()
    })
  }

  #take ({ start, values, failure, errors }) {
    if (this.#resolve === null) return
    if (failure !== null) return this.#fail(failure.error)
    this.#running--
    for (let i = 0; i < values.length; i++) {
      this.#results[start + i] = this.#settles ? settled(values[i], errors, i) : values[i]
    }
    this.#batches.release(values.length, 0)
    this.#check()
  }

  #end (failed) {
    if (failed !== null) return this.#fail(failed.error)
    this.#hasEnded = true
    this.#check()
  }

  #check () {
    if (this.#hasEnded && this.#running === 0) this.#finish(this.#results)
  }

  #fail (error) {
    silence(this.#batches.close())
    this.#finish(this.#resolve === null ? undefined : failure(error))
  }

  #finish (result) {
    const resolve = this.#resolve
    this.#resolve = null
    this.#signal.end()
    resolve?.(result)
  }
}

// As Promise.allSettled() says it.
function settled (value, errors, index) {
  return errors !== null && errors.has(index)
    ? { status: 'rejected', reason: withoutFrames(errors.get(index)) }
    : { status: 'fulfilled', value }
}

async function runMany (engine, iterable, options = {}) {
  if (!isIterable(iterable)) throw argumentError('runMany() needs an array', iterable)
  const read = readMapOptions(engine, options, runManyNames)
  return new Collection(engine, new Source(iterable), read).run()
}

module.exports = { runMany }
