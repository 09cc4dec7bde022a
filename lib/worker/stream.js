'use strict'

// In a worker: runs a task that gives many values, and sends them on its channel. This file is
// loaded with the first such task.

const { Promise, Reflect, Symbol } = require('../base/globals')
const { describe } = require('../base/describe')
const { createError } = require('../base/errors')
const { own } = require('../base/own')

const { apply } = Reflect
// The symbols of move.js, a file that few workers need.
const kMovable = Symbol.for('telar.movable')
const kValue = Symbol.for('Piscina.valueOf')
// How many values of the input are received at once.
const kMany = 1024

// The function of a stream, from the generator function that a file exports.
function streamOf (run) {
  return async ({ value, output, input }, task) => {
    if (input !== null) task.input = new Input(input)
    try {
      const values = await (run.length > 1 ? run(value, task) : run(value))
      await sendAll(iteratorOf(values, task.name), output)
    } finally {
      output.detach()
      input?.detach()
    }
  }
}

// `{ iterator, isAsync }`
function iteratorOf (values, name) {
  if (typeof values === 'object' && values !== null) {
    const open = values[Symbol.asyncIterator]
    if (typeof open === 'function') return { iterator: apply(open, values, []), isAsync: true }
    const openSync = values[Symbol.iterator]
    if (typeof openSync === 'function') {
      return { iterator: apply(openSync, values, []), isAsync: false }
    }
  }
  throw createError('ERR_TELAR_INVALID_ARGUMENT', `Expected ${name}() to return an iterator for ` +
    `stream(), as a generator function does, but it returned ${describe(values)}. For a function ` +
    'that returns one value there is run()')
}

async function sendAll ({ iterator, isAsync }, output) {
  for (;;) {
    const step = iterator.next()
    const { done, value } = isAsync ? await step : step
    if (done) return
    try {
      let sent = value
      if (typeof value === 'object' && value !== null) {
        // Nothing is transferred by a channel: what move() has marked is copied.
        if (value[kMovable] === true) sent = value[kValue]
        else if (!isAsync && typeof value.then === 'function') sent = await value
      }
      // At once, so that the generator may use its objects again. This throws when nobody reads
      // any more.
      if (!output.trySend(sent)) await output.send(sent)
    } catch (error) {
      await close(iterator)
      throw error
    }
  }
}

// Runs the `finally` of a generator.
async function close (iterator) {
  const end = iterator.return
  if (typeof end === 'function') await apply(end, iterator, [])
}

// task.input: what the caller gives to the task.
class Input {
  #channel
  #values = []
  #at = 0

  constructor (channel) {
    this.#channel = channel
  }

  next () {
    if (this.#at < this.#values.length) {
      return Promise.resolve({ value: this.#values[this.#at++], done: false })
    }
    return this.#receive()
  }

  // A loop that is left does not end the input, so another one may continue.
  return (value) { return Promise.resolve({ value, done: true }) }

  [Symbol.asyncIterator] () { return this }

  async #receive () {
    let values
    try {
      values = await this.#channel.receiveMany(kMany)
    } catch (error) {
      // The input of the caller has failed: the task gets that error.
      throw error?.code === 'ERR_TELAR_CHANNEL_ABORTED' ? own(error, 'cause') ?? error : error
    }
    if (this.#at < this.#values.length) { // another call has received, too
      this.#values.push(...values)
    } else {
      this.#values = values
      this.#at = 0
    }
    if (this.#at === this.#values.length) return { value: undefined, done: true }
    return { value: this.#values[this.#at++], done: false }
  }
}

module.exports = { streamOf }
