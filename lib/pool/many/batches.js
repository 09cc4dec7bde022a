'use strict'

// The batches of one map: takes items from the source, sends them to the workers, and gives the
// results to its consumer. The number of batches that are not consumed is limited, so the source is
// read no faster than that.

const { Map, Math, Promise, Reflect, Set } = require('../../base/globals')
const { recognize } = require('../../base/errors')
const { setOwn } = require('../../base/own')
const { afterTurn, now } = require('../../base/time')
const { BatchWriter, readBatch } = require('../../transport/batch')
const { kBatch } = require('../../transport/function-table')
const { BatchSize, kTargetMs } = require('./batch-size')
const { ofKind } = require('./options')
const { kEnd, kLater, silence } = require('./source')

const { apply } = Reflect
const promiseThen = Promise.prototype.then

// How many tasks there are for each place of a worker, so that none waits for the owner.
const kTasksPerPlace = 3
// Of the batches that were begun and not consumed, for each task that may run.
const kAhead = 2
// While a batch is filled, the time is read for every so many items.
const kItemsPerCheck = 16

class Batch {
  start // the index of its first item
  writer = new BatchWriter()
  task = null
  encodeMs = 0
  // Once it is done: the values that came before the failure, or all.
  values = null
  // `{ error }`: what the item after them failed with. Null: nothing.
  failure = null
  // By index: errors of items, if these do not end the map. Null: there are none.
  errors = null

  constructor (start) {
    this.start = start
  }
}

class Batches {
  #engine
  #given
  #concurrency
  #isOrdered
  #settles
  #onBatch
  #onDone
  #onEnd
  #source
  #size
  #next = 0 // the index of the next item
  #open = null // the batch that is being filled
  #filledFrom = 0
  #running = new Set()
  #unconsumed = 0
  #isOver = false // no more items are taken
  #isFilling = false
  #isFlushDue = false

  // `source`: see source.js. onBatch(batch): it was begun. onDone(batch): its values have come.
  // onEnd(failure): the source has ended; `{ error }` if the next item is an error.
  constructor (engine, source, { given, concurrency, batch, isOrdered, settles }, callbacks) {
    this.#engine = engine
    this.#given = given
    this.#concurrency = concurrency
    this.#isOrdered = isOrdered
    this.#settles = settles
    this.#size = new BatchSize(batch)
    this.#onBatch = callbacks.onBatch
    this.#onDone = callbacks.onDone
    this.#onEnd = callbacks.onEnd
    this.#source = source
    source.onItem = () => this.fill()
  }

  get isRunning () { return this.#running.size > 0 }

  get #maxRunning () {
    return Math.min(this.#concurrency ?? Infinity, kTasksPerPlace * this.#engine.capacity)
  }

  get #mayBegin () {
    const most = this.#maxRunning
    return this.#running.size < most && this.#unconsumed < kAhead * most
  }

  // Sends as many batches as may be begun now. To be called when that may have changed.
  fill () {
    if (this.#isFilling) return // called by the iterator of the source
    this.#isFilling = true
    try {
      while (!this.#isOver && this.#mayBegin && this.#fillOne());
    } finally {
      this.#isFilling = false
    }
  }

  // False: there is no further item now.
  #fillOne () {
    let item
    try {
      item = this.#source.take()
    } catch (error) {
      this.#end({ error })
      return false
    }
    if (this.#isOver) return false // the iterator has called close()
    if (item === kLater) {
      if (this.#open !== null) this.#flushSoon()
      return false
    }
    if (item === kEnd) {
      this.#end(null)
      return false
    }
    this.#add(item)
    return true
  }

  #add (item) {
    const batch = this.#open ??= this.#begin()
    try {
      batch.writer.add(item)
    } catch (error) {
      this.#refuse(batch, error)
      return
    }
    this.#next++
    const { count } = batch.writer
    if (count >= this.#size.items || (!this.#size.isFixed && this.#isLate(count))) this.#send()
  }

  #begin () {
    this.#filledFrom = now()
    return new Batch(this.#next)
  }

  // A slow source gets smaller batches.
  #isLate (count) {
    const isChecked = count % kItemsPerCheck === 0 || (count & (count - 1)) === 0
    return isChecked && now() - this.#filledFrom > kTargetMs
  }

  // The item cannot be sent, or a getter of it has thrown.
  #refuse (batch, error) {
    const index = this.#next++
    const failure = { error: withIndex(error, index) }
    if (!this.#settles) return this.#end(failure, true)
    // In its place goes a value that the function is not called with.
    this.#send()
    const refused = new Batch(index)
    refused.values = [undefined]
    refused.errors = new Map([[0, error]])
    this.#unconsumed++
    this.#onBatch(refused)
    this.#onDone(refused)
  }

  // For a source that waits: what it has given is sent when the event loop has turned.
  #flushSoon () {
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    afterTurn(() => {
      this.#isFlushDue = false
      if (!this.#isOver) this.#send()
      this.fill()
    })
  }

  #send () {
    const batch = this.#open
    this.#open = null
    if (batch === null || batch.writer.count === 0) return
    this.#unconsumed++
    this.#running.add(batch)
    this.#onBatch(batch)
    const { writer } = batch
    const start = now()
    try {
      const value = writer.finish(!this.#settles)
      const given = ofKind(this.#given, kBatch, writer.transferList)
      batch.task = this.#engine.start(value, given)
    } catch (error) {
      this.#fail(batch, error)
      return
    }
    batch.encodeMs = now() - start
    // A getter, or a signal, has ended the map.
    if (!this.#running.has(batch)) this.#engine.cancel(batch.task)
    apply(promiseThen, batch.task.promise, [
      (result) => this.#finish(batch, result),
      (error) => this.#fail(batch, error)
    ])
  }

  #end (failure, closes = false) {
    this.#send()
    this.#isOver = true
    if (closes) silence(this.#source.close())
    this.#onEnd(failure)
  }

  #finish (batch, result) {
    if (!this.#running.delete(batch)) return
    const start = now()
    const { count } = batch.writer
    batch.writer = null
    const { values, note: [ms, failed] } = readBatch(result)
    batch.values = values
    if (failed.length > 0) this.#takeErrors(batch, failed)
    this.#size.ran(count, ms + batch.encodeMs + now() - start)
    this.#onDone(batch)
    this.fill()
  }

  #takeErrors (batch, failed) {
    const { start, values } = batch
    if (this.#settles) {
      batch.errors = new Map(failed.map((i) => [i, withIndex(recognize(values[i]), start + i)]))
      return
    }
    const [i] = failed
    batch.failure = { error: withIndex(recognize(values[i]), start + i) }
    values.length = i
    this.#stop(batch)
  }

  // The whole batch has failed: its worker has ended, for example.
  #fail (batch, error) {
    if (!this.#running.delete(batch) && batch.task !== null) return
    const { count } = batch.writer
    batch.writer = null
    batch.values = []
    if (this.#settles) {
      batch.values.length = count
      batch.errors = new Map()
      for (let i = 0; i < count; i++) batch.errors.set(i, error)
    } else {
      batch.failure = { error }
      this.#stop(batch)
    }
    this.#onDone(batch)
    this.fill()
  }

  // To be called when a batch was consumed. `ms`: how long that took.
  release (count, ms) {
    this.#unconsumed--
    this.#size.consumed(count, ms)
    this.fill()
  }

  // After a failure. No more items are taken. Batches are cancelled whose values would come after
  // those of this one.
  #stop (batch) {
    silence(this.#close((other) => !this.#isOrdered || other.start > batch.start))
  }

  // Cancels all that is not done. Returns the promise of Source#close(), or null.
  close () { return this.#close(() => true) }

  #close (isCancelled) {
    const wasOver = this.#isOver
    this.#isOver = true
    this.#open = null
    for (const batch of this.#running) {
      if (!isCancelled(batch)) continue
      this.#running.delete(batch)
      if (batch.task !== null) this.#engine.cancel(batch.task)
    }
    return wasOver ? null : this.#source.close()
  }
}

// Says which item an error is of. The errors of a worker are copies, so nobody else's are changed.
function withIndex (error, index) {
  if (typeof error === 'object' && error !== null) {
    try {
      setOwn(error, 'itemIndex', index, false)
    } catch {} // it is frozen
  }
  return error
}

module.exports = { Batches }
