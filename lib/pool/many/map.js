'use strict'

// pool.map(): the results of many items, as an async iterable.

const { Promise, Symbol } = require('../../base/globals')
const { argumentError } = require('../../base/arguments')
const { now } = require('../../base/time')
const { failure } = require('../caller-frames')
const { Batches } = require('./batches')
const { isIterable, readBatch, readOptions } = require('./options')
const { Signal } = require('./signal')
const { Source, silence } = require('./source')

const mapNames = ['concurrency', 'ordered', 'batch']
const kNoValues = []

// Not a generator: several calls of next() may wait, and most calls have their value at once.
class MapIterator {
  #batches
  #isOrdered
  #signal
  #hasBegun = false
  #isOver = false
  #waiting = [] // the `resolve` of calls of next()
  #isServing = false
  // The batches whose values come next, done or not; unordered: those that are done.
  #queue = []
  #current = null // the batch that is consumed
  #values = kNoValues // of that
  #at = 0
  #since = 0
  #end = null // `{ failure }`: what comes after the queue

  constructor (engine, source, options) {
    const { isOrdered, given } = options
    this.#isOrdered = isOrdered
    this.#signal = new Signal(given.signal, (error) => this.#fail(error))
    this.#batches = new Batches(engine, source, options, {
      __proto__: null,
      onBatch: (batch) => { if (isOrdered) this.#queue.push(batch) },
      onDone: (batch) => {
        if (!isOrdered && !this.#isOver) this.#queue.push(batch)
        this.#serve()
      },
      onEnd: (failure) => {
        this.#end ??= { failure }
        this.#serve()
      }
    })
    if (options.isEager) this.#begin()
  }

  next () {
    if (this.#at < this.#values.length) {
      return Promise.resolve({ value: this.#values[this.#at++], done: false })
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      if (!this.#hasBegun) this.#begin()
      this.#serve()
    })
  }

  async return (value) {
    await this.#finish()
    return { value, done: true }
  }

  async throw (error) {
    await this.#finish()
    throw error
  }

  [Symbol.asyncIterator] () { return this }

  async [Symbol.asyncDispose] () { await this.#finish() }

  #begin () {
    this.#hasBegun = true
    if (this.#isOver) return
    if (this.#signal.begin()) this.#batches.fill()
  }

  #serve () {
    if (this.#isServing) return
    this.#isServing = true
    try {
      while (this.#waiting.length > 0 && this.#advance()) {
        this.#waiting.shift()({ value: this.#values[this.#at++], done: false })
      }
    } finally {
      this.#isServing = false
    }
  }

  // True: there is a value. False: not yet, or the calls that wait were answered.
  #advance () {
    while (this.#at === this.#values.length) {
      if (this.#current !== null) {
        if (this.#current.failure !== null) return this.#reject(this.#current.failure)
        this.#release()
      }
      if (this.#queue.length > 0 && this.#queue[0].values !== null) this.#enter(this.#queue.shift())
      else if (this.#isOver || (this.#queue.length === 0 && this.#hasEnded)) return this.#reject()
      else return false
    }
    return true
  }

  get #hasEnded () {
    return this.#end !== null && (this.#isOrdered || !this.#batches.isRunning)
  }

  #enter (batch) {
    this.#current = batch
    this.#values = batch.values
    this.#at = 0
    this.#since = now()
  }

  #release () {
    const { length } = this.#values
    this.#current = null
    this.#values = kNoValues
    this.#at = 0
    if (length > 0) this.#batches.release(length, now() - this.#since)
  }

  // The end: rejects one call with the failure, if there is one, and ends all others.
  #reject (failed = this.#end?.failure ?? null) {
    this.#end = null
    const waiting = this.#waiting.splice(0)
    silence(this.#finish())
    if (failed !== null) waiting.shift()(failure(failed.error))
    for (const resolve of waiting) resolve({ value: undefined, done: true })
    return false
  }

  // Ends at once: values that have come are dropped.
  #fail (error) {
    this.#drop()
    silence(this.#batches.close())
    this.#end = { failure: { error } }
    this.#isOver = true
    this.#serve()
  }

  #drop () {
    this.#queue = []
    this.#current = null
    this.#values = kNoValues
    this.#at = 0
    this.#signal.end()
  }

  // Cancels what is left. Returns the promise of the source's end, or null.
  #finish () {
    this.#isOver = true
    this.#drop()
    this.#end = null
    const closed = this.#batches.close()
    for (const resolve of this.#waiting.splice(0)) resolve({ value: undefined, done: true })
    return closed
  }
}

function map (engine, iterable, options = {}) {
  if (!isIterable(iterable)) {
    throw argumentError('map() needs an iterable or an async iterable', iterable)
  }
  const read = readMapOptions(engine, options, mapNames)
  return new MapIterator(engine, new Source(iterable), read)
}

function readMapOptions (engine, options, names) {
  const { own, given } = readOptions(engine, options, names)
  const { concurrency, ordered = true, settle = false } = own
  return {
    own,
    given,
    concurrency,
    batch: readBatch(engine, own, given),
    isOrdered: ordered,
    isEager: false, // true: begins before the first value is asked for
    settles: settle
  }
}

module.exports = { MapIterator, map, mapNames, readMapOptions }
