'use strict'

const { Promise, Symbol } = require('../base/globals')
const { inspect } = require('node:util')
const { describe } = require('../base/describe')
const { createError } = require('../base/errors')
const { kNone, readLimits, waitWithin } = require('../base/limits')
const { Received, dataOf, from, share } = require('../shared/registry')
const { createMemory, isChannelMemory } = require('./memory')
const { readBytes, readChannels, readCount, readValues } = require('./options')
const { kBytes, kMany, kOne } = require('./results')

// Most of this room is loaded with the first channel that is used: many programs have none.
const loadEnds = () => require('./end')
let selecting = null
const loadSelect = () => (selecting ??= require('./select'))

// Methods that return a promise never throw. They reject, for invalid arguments too.
const rejecting = (call) => {
  try {
    return call()
  } catch (error) {
    return Promise.reject(error)
  }
}

// Returns the receiving side of this thread, or undefined if it is not a Channel of this copy of
// telar. Set by Channel.
let receiversOf

class Channel {
  static {
    receiversOf = (channel) => #id in channel ? channel.#toReceive() : undefined
  }

  #id
  #memory
  #end = null
  #isReferenced = true
  // The promise of a close() that waits for the sends before it.
  #closing = null

  constructor (options) {
    const data = options instanceof Received ? options : { memory: createMemory(options) }
    share(this, 'Channel', data)
    const { id, memory } = this['telar:shared']
    if (!isChannelMemory(memory) || typeof id !== 'bigint') {
      const found = describe(memory)
      throw createError('ERR_TELAR_CORRUPT_STATE', 'Channel', 'a SharedArrayBuffer', found)
    }
    this.#id = id
    this.#memory = memory
    // This thread may send or receive, so threads that wait for either have to wait for it.
    if (options instanceof Received) this.#open().ring.enter()
  }

  static from (received) {
    return from(Channel, 'Channel', received)
  }

  // ---- sending ----

  send (value, options) {
    const end = this.#end ?? this.#open()
    if (options === undefined && this.#closing === null && end.ring.isAttached) {
      return end.senders.send(value, kNone)
    }
    return rejecting(() => this.#toSend().send(value, readLimits(options)))
  }

  trySend (value) {
    return this.#toSend().trySend(value)
  }

  sendSync (value, options) {
    const { timeout } = readLimits(options)
    this.#toSend().sendSync(value, timeout)
  }

  sendMany (values, options) {
    return rejecting(() => this.#toSend().sendMany(readValues(values), readLimits(options)))
  }

  trySendMany (values) {
    return this.#toSend().trySendMany(readValues(values))
  }

  sendManySync (values, options) {
    const { timeout } = readLimits(options)
    this.#toSend().sendManySync(readValues(values), timeout)
  }

  sendBytes (bytes, options) {
    return rejecting(() => this.#toSend().sendBytes(readBytes(bytes), readLimits(options)))
  }

  trySendBytes (bytes) {
    return this.#toSend().trySendBytes(readBytes(bytes))
  }

  sendBytesSync (bytes, options) {
    const { timeout } = readLimits(options)
    this.#toSend().sendBytesSync(readBytes(bytes), timeout)
  }

  reserve (length, options) {
    return rejecting(() => this.#toSend().reserve(readCount(length, 'length'), readLimits(options)))
  }

  tryReserve (length) {
    return this.#toSend().tryReserve(readCount(length, 'length'))
  }

  reserveSync (length, options) {
    const { timeout } = readLimits(options)
    return this.#toSend().reserveSync(readCount(length, 'length'), timeout)
  }

  // ---- receiving ----

  receive (options) {
    const end = this.#end ?? this.#open()
    if (options === undefined && end.ring.isAttached) {
      return end.receivers.receive(kOne, 1, kNone, 'receive()')
    }
    return rejecting(() => this.#toReceive().receive(kOne, 1, readLimits(options), 'receive()'))
  }

  tryReceive () {
    return this.#toReceive().tryReceive(kOne, 1, 0)
  }

  receiveSync (options) {
    const receivers = this.#toReceive()
    const { timeout } = readLimits(options)
    return receivers.receiveSync(kOne, 1, timeout, 'receiveSync()')
  }

  receiveMany (max, options) {
    return rejecting(() => {
      const receivers = this.#toReceive()
      const count = readCount(max, 'max')
      return receivers.receive(kMany, count, readLimits(options), 'receiveMany()')
    })
  }

  tryReceiveMany (max) {
    return this.#toReceive().tryReceive(kMany, readCount(max, 'max'), 0)
  }

  receiveManySync (max, options) {
    const receivers = this.#toReceive()
    const count = readCount(max, 'max')
    const { timeout } = readLimits(options)
    return receivers.receiveSync(kMany, count, timeout, 'receiveManySync()')
  }

  receiveBytes (options) {
    return rejecting(() => {
      const receivers = this.#toReceive()
      return receivers.receive(kBytes, 1, readLimits(options), 'receiveBytes()')
    })
  }

  tryReceiveBytes () {
    return this.#toReceive().tryReceive(kBytes, 1, 0)
  }

  receiveBytesSync (options) {
    const receivers = this.#toReceive()
    const { timeout } = readLimits(options)
    return receivers.receiveSync(kBytes, 1, timeout, 'receiveBytesSync()')
  }

  [Symbol.asyncIterator] () {
    return new ChannelIterator(this)
  }

  // ---- streams ----

  readable (options) {
    return require('./streams').readable(this, options)
  }

  writable (options) {
    return require('./streams').writable(this, options)
  }

  readableStream () {
    return require('./streams').readableStream(this)
  }

  writableStream (options) {
    return require('./streams').writableStream(this, options)
  }

  // ---- closing and leaving ----

  close (options) {
    return rejecting(() => waitWithin(this.#close(), readLimits(options), 'Channel.close()'))
  }

  abort (reason) {
    const end = this.#end ?? this.#open()
    end.ring.abort(reason)
  }

  detach () {
    const end = this.#end
    if (end === null) return
    this.#end = null
    loadEnds().dropEnd(this.#id)
  }

  ref () {
    return this.#setReferenced(true)
  }

  unref () {
    return this.#setReferenced(false)
  }

  // ---- state and statistics ----

  get closed () {
    return this.#closing !== null || !(this.#end ?? this.#open()).ring.isOpen
  }

  get capacity () { return (this.#end ?? this.#open()).ring.capacity }

  get maxRecord () { return (this.#end ?? this.#open()).ring.maxRecord }

  get size () { return this.stats.size }

  get stats () { return (this.#end ?? this.#open()).ring.stats }

  [inspect.custom] (depth, options) {
    const { capacity, size, closed } = this
    return `Channel ${inspect({ capacity, size, closed }, options)}`
  }

  // ---- private ----

  #open () {
    const { bindChannel, openEnd } = loadEnds()
    const end = openEnd(this.#id, this.#memory)
    end.senders.setReferenced(this.#isReferenced)
    end.receivers.setReferenced(this.#isReferenced)
    bindChannel(this, this.#id)
    this.#end = end
    return end
  }

  #close () {
    const end = this.#end ?? this.#open()
    if (this.#closing !== null) return this.#closing
    if (!end.ring.isOpen || end.senders.isEmpty) {
      end.ring.close()
      return Promise.resolve()
    }
    this.#closing = end.senders.whenEmpty().then(() => end.ring.close())
    return this.#closing
  }

  #toSend () {
    const { ring, senders } = this.#end ?? this.#open()
    if (this.#closing !== null) throw createError('ERR_TELAR_CHANNEL_CLOSED')
    ring.attach()
    return senders
  }

  #toReceive () {
    const { ring, receivers } = this.#end ?? this.#open()
    ring.attach()
    return receivers
  }

  #setReferenced (isReferenced) {
    this.#isReferenced = isReferenced
    if (this.#end !== null) {
      this.#end.senders.setReferenced(isReferenced)
      this.#end.receivers.setReferenced(isReferenced)
    }
    return this
  }
}

// Not a generator, because receive() returns what next() has to return already.
class ChannelIterator {
  #channel

  constructor (channel) {
    this.#channel = channel
  }

  next () {
    return this.#channel.receive()
  }

  // A loop that is left does not change the channel, so other loops may continue.
  return () {
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator] () {
    return this
  }
}

// A thread has one object for each channel, and it may be one of another copy of telar.
function receiversOfOtherCopy (channel) {
  const { id, memory } = dataOf(channel)
  const { bindChannel, openEnd } = loadEnds()
  const { ring, receivers } = openEnd(id, memory)
  if (ring.channel !== channel) bindChannel(channel, id)
  ring.attach()
  return receivers
}

// What select.js takes: each channel with the receiving side of this thread.
function toChoices (channels) {
  const { length } = readChannels(channels)
  const choices = []
  for (let i = 0; i < length; i++) {
    const channel = from(Channel, 'Channel', channels[i])
    const receivers = receiversOf(channel) ?? receiversOfOtherCopy(channel)
    choices.push({ channel, receivers })
  }
  return choices
}

function select (channels, options) {
  try {
    return loadSelect().select(toChoices(channels), readLimits(options))
  } catch (error) {
    return Promise.reject(error)
  }
}

function selectSync (channels, options) {
  return loadSelect().selectSync(toChoices(channels), readLimits(options))
}

module.exports = { Channel, select, selectSync }
