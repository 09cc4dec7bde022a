'use strict'

// pool.stream(): the values that a task gives one after the other. They come by a channel, whose
// capacity bounds how far the task is ahead.

const { Promise, Reflect, Symbol } = require('../../base/globals')
const { Channel } = require('../../channel/channel')
const { isMovable, kTransferable, kValue } = require('../../transport/move')
const { kStream } = require('../../transport/function-table')
const { failure } = require('../caller-frames')
const { Feed } = require('./feed')
const { ofKind, readOptions } = require('./options')
const { Signal } = require('./signal')
const { silence } = require('./source')

const { apply } = Reflect
const promiseThen = Promise.prototype.then

const streamNames = ['input', 'capacity']
// Those of run() that make no sense for each of many tasks, but do for this one.
const ofOneTask = ['transferList', 'queueTimeout']
// How many values are received at once.
const kMany = 1024
const kNoValues = []
const kEndings = { __proto__: null, producers: 'one', consumers: 'one' }

class ValueStream {
  #engine
  #value
  #given
  #input
  #capacity
  #signal
  #channel = null
  #task = null
  #feed = null
  #outcome = null // of the task: `{ error }`, or `{ error: null }` once it has ended
  #hasEnded
  #setEnded
  #hasBegun = false
  #isOver = false
  #failed = null // `{ error }` for the next call, after the end
  #isReading = false
  #waiting = [] // the `resolve` of calls of next()
  #values = kNoValues
  #at = 0

  constructor (engine, value, { own, given }) {
    this.#engine = engine
    this.#value = value
    this.#given = given
    this.#input = own.input
    this.#capacity = own.capacity
    this.#signal = new Signal(given.signal, (error) => this.#finish({ error }))
    this.#hasEnded = new Promise((resolve) => { this.#setEnded = resolve })
  }

  next () {
    if (this.#at < this.#values.length) {
      return Promise.resolve({ value: this.#values[this.#at++], done: false })
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      if (!this.#hasBegun) this.#begin()
      if (this.#isOver) this.#answer()
      else if (!this.#isReading) this.#read()
    })
  }

  async return (value) {
    this.#finish(null)
    return { value, done: true }
  }

  async throw (error) {
    this.#finish(null)
    throw error
  }

  [Symbol.asyncIterator] () { return this }

  async [Symbol.asyncDispose] () { this.#finish(null) }

  #begin () {
    this.#hasBegun = true
    if (!this.#signal.begin()) return
    try {
      this.#start()
    } catch (error) { // thrown by a getter of the value, or the pool is closing
      this.#finish({ error })
    }
  }

  #start () {
    const capacity = this.#capacity
    const options = capacity === undefined ? kEndings : { ...kEndings, capacity }
    const output = this.#channel = new Channel(options)
    const input = this.#input === undefined ? null : new Channel(options)
    let value = this.#value
    let { transferList } = this.#given
    if (isMovable(value)) {
      transferList = [].concat(transferList ?? [], value[kTransferable])
      value = value[kValue]
    }
    const given = ofKind(this.#given, kStream, transferList)
    this.#value = undefined
    this.#task = this.#engine.start({ value, output, input }, given)
    if (input !== null) this.#feed = new Feed(this.#input, input)
    apply(promiseThen, this.#task.promise, [
      () => this.#endTask({ error: null, hasFailed: false }),
      (error) => this.#endTask({ error, hasFailed: true })
    ])
    this.#feed?.send()
  }

  // What the task has sent is in the channel by now.
  #endTask (outcome) {
    this.#outcome = outcome
    this.#feed?.stop()
    if (!this.#isOver) silence(this.#channel.close())
    this.#setEnded()
  }

  async #read () {
    this.#isReading = true
    while (this.#waiting.length > 0 && !this.#isOver) {
      if (this.#at < this.#values.length) {
        this.#waiting.shift()({ value: this.#values[this.#at++], done: false })
        continue
      }
      try {
        const values = await this.#channel.receiveMany(kMany)
        if (this.#isOver) break
        this.#values = values
        this.#at = 0
        if (values.length === 0) await this.#end()
      } catch (error) {
        if (this.#isOver) break
        if (error?.code === 'ERR_TELAR_CHANNEL_NO_SENDER') await this.#end()
        else this.#finish({ error })
      }
    }
    this.#isReading = false
  }

  // All values were received. The task has ended, or is about to.
  async #end () {
    await this.#hasEnded
    const { error, hasFailed } = this.#outcome
    this.#finish(hasFailed ? { error } : null)
  }

  // Ends the task if it runs. `failed`: `{ error }` for the next call of next().
  #finish (failed) {
    if (this.#isOver) return
    this.#isOver = true
    this.#signal.end()
    this.#values = kNoValues
    this.#at = 0
    if (this.#task !== null) this.#engine.cancel(this.#task)
    this.#feed?.stop()
    if (this.#channel !== null) {
      this.#channel.abort()
      this.#channel.detach()
    }
    this.#failed = failed
    this.#answer()
  }

  // The calls that wait, and those that come after the end.
  #answer () {
    for (const resolve of this.#waiting.splice(0)) {
      if (this.#failed === null) {
        resolve({ value: undefined, done: true })
      } else {
        resolve(failure(this.#failed.error))
        this.#failed = null
      }
    }
  }
}

// `pinned`: the function, if the caller has chosen it.
function stream (engine, value, options = {}, pinned = null) {
  const read = readOptions(engine, options, streamNames, ofOneTask, pinned)
  return new ValueStream(engine, value, read)
}

module.exports = { stream }
