'use strict'

// The items of a map, from an iterable or an async iterable. An iterable of promises is read as an
// async one, as by `for await`.

const { Promise, Reflect, Symbol } = require('../../base/globals')
const { argumentError } = require('../../base/arguments')

const { apply } = Reflect
const promiseThen = Promise.prototype.then

// Returned by take(): there is no item now, or none any more.
const kLater = Symbol('telar.later')
const kEnd = Symbol('telar.end')

class Source {
  // Called when take() has something, after it has returned kLater.
  onItem = null
  #iterator = null
  #iterable
  #isAsync = false
  #isPending = false // the promise of the next item is not settled
  #arrived = kLater
  #failure = null // `{ error }`
  #isOver = false

  constructor (iterable) {
    this.#iterable = iterable
  }

  // Returns an item, kLater or kEnd. Throws what the iterator throws. Then it is over.
  take () {
    if (this.#arrived !== kLater) {
      const item = this.#arrived
      this.#arrived = kLater
      return item
    }
    if (this.#failure !== null) throw this.#fail().error
    if (this.#isOver) return kEnd
    if (this.#isPending) return kLater
    try {
      return this.#next()
    } catch (error) {
      this.#isOver = true
      throw error
    }
  }

  #fail () {
    const failure = this.#failure
    this.#failure = null
    return failure
  }

  #next () {
    if (this.#iterator === null) this.#open()
    const step = this.#iterator.next()
    if (this.#isAsync) {
      this.#await(step, (step) => this.#accept(step))
      return kLater
    }
    const { done, value } = step
    if (done) return this.#end()
    if (value === undefined) checkStep(step)
    if (typeof value === 'object' && value !== null && typeof value.then === 'function') {
      this.#await(value, (value) => { this.#arrived = value })
      return kLater
    }
    return value
  }

  #open () {
    const iterable = this.#iterable
    const open = iterable[Symbol.asyncIterator]
    this.#isAsync = open !== undefined && open !== null
    this.#iterator = this.#isAsync
      ? apply(open, iterable, [])
      : iterable[Symbol.iterator]()
    if (typeof this.#iterator?.next !== 'function') {
      throw argumentError('The iterator of the items must have a method next()', this.#iterator)
    }
  }

  #await (thenable, accept) {
    this.#isPending = true
    const promise = thenable instanceof Promise ? thenable : adopt(thenable)
    apply(promiseThen, promise, [
      (value) => {
        this.#isPending = false
        if (this.#isOver) return
        try {
          accept(value)
        } catch (error) {
          this.#reject(error)
        }
        this.onItem()
      },
      (error) => {
        this.#isPending = false
        if (this.#isOver) return
        if (!this.#isAsync) silence(this.#return())
        this.#reject(error)
        this.onItem()
      }
    ])
  }

  #accept (step) {
    const { done, value } = step
    if (done) return this.#end()
    if (value === undefined) checkStep(step)
    this.#arrived = value
  }

  #reject (error) {
    this.#isOver = true
    this.#failure = { error }
  }

  #end () {
    this.#isOver = true
    return kEnd
  }

  // Tells the iterator that no more items are wanted. Returns a promise that rejects if that fails;
  // null: there was nothing to tell. An async generator ends only when the item that it waits for
  // has come, which may be never: that is not waited for.
  close () {
    if (this.#isOver || this.#iterator === null) {
      this.#isOver = true
      return null
    }
    this.#isOver = true
    this.#arrived = kLater
    const closed = this.#return()
    if (!this.#isPending) return closed
    silence(closed)
    return null
  }

  async #return () {
    const iterator = this.#iterator
    const close = iterator.return
    if (close !== undefined && close !== null) await apply(close, iterator, [])
  }
}

// For a step without a value: as in a `for` loop it has to be an object. A source that gives
// anything else would never end.
function checkStep (step) {
  if (typeof step === 'object' || typeof step === 'function') return
  throw argumentError('next() of the items must return an object with value and done', step)
}

async function adopt (thenable) { return thenable }

// For a promise, or null, whose rejection concerns nobody: another error is the reason.
function silence (promise) {
  if (promise !== null) apply(promiseThen, promise, [undefined, () => {}])
}

module.exports = { Source, kEnd, kLater, silence }
