'use strict'

const { Promise } = require('../base/globals')
const { createError } = require('../base/errors')
const { RecordReader, kNothing } = require('./record-reader')
const { endResult, kMany, kOne } = require('./results')
const { MemorySearch } = require('./memory-search')
const { Spin } = require('./spin')
const { WaitQueue, Waiter, isTransient } = require('./wait-queue')
const { chargeTurn, constants, kMissing } = require('./thread')

const { CLOSED, OK, kReceivers } = constants

const noNeed = () => 0

class Receiver extends Waiter {
  kind
  max
  need = 0

  constructor (resolve, reject, kind, max) {
    super(resolve, reject)
    this.kind = kind
    this.max = max
  }
}

// This thread's receiving side of a channel.
class Receivers extends WaitQueue {
  // When select() last chose this channel: see select.js.
  turn = 0
  #reader
  #search
  // What the last #take() received.
  #result = null
  #spin = new Spin()

  constructor (ring) {
    super(ring, kReceivers, 'ERR_TELAR_CHANNEL_NO_SENDER')
    this.#reader = new RecordReader(ring)
    this.#search = new MemorySearch(ring, () => this.serve())
  }

  // Whether the reader has records that were taken from the ring and not delivered yet.
  get hasStash () { return this.#reader.hasStash }

  // Whether the next record has to wait for shared memory.
  get isSearching () { return this.#search.isActive }

  // The approximate length in bytes of what was received last.
  get lastBytes () { return this.#reader.lastBytes }

  // A promise of what `kind` stands for.
  receive (kind, max, limits, call) {
    if (this.isEmpty) {
      try {
        if (this.#take(kind, max, this.#spin.next()) === OK) return this.#deliver()
      } catch (error) {
        return Promise.reject(error)
      }
    }
    return new Promise((resolve, reject) => {
      this.add(new Receiver(resolve, reject, kind, max), limits, call)
    })
  }

  // Returns undefined if there is no record within `spin` nanoseconds.
  tryReceive (kind, max, spin) {
    if (!this.flush()) return undefined
    const status = this.#take(kind, max, spin)
    if (status === kMissing) this.#search.watch()
    return this.#settle(kind, status)
  }

  receiveSync (kind, max, timeout, call) {
    const attempt = () => this.#take(kind, max, this.#spin.next())
    return this.#settle(kind, this.block(attempt, noNeed, timeout, call))
  }

  // ---- for WaitQueue ----

  attempt (receiver) {
    const status = this.#take(receiver.kind, receiver.max, 0)
    if (status === OK) receiver.resolve(this.#result)
    else if (status === kMissing) this.#search.watch()
    return status
  }

  fail (receiver, status) {
    if (status === CLOSED) receiver.resolve(endResult(receiver.kind))
    else super.fail(receiver, status)
  }

  // Replaces a sleep when the status is kMissing: there is a record, but it has to wait for shared
  // memory.
  pause () {
    this.#search.pause()
  }

  // ----

  #settle (kind, status) {
    if (status === OK) return this.#result
    if (status === CLOSED) return endResult(kind)
    if (isTransient(status)) return undefined
    throw this.ring.failure(status, kReceivers)
  }

  #deliver () {
    const nextTurn = chargeTurn(this.#reader.lastBytes)
    const result = this.#result
    return nextTurn === null ? Promise.resolve(result) : nextTurn.then(() => result)
  }

  // Stores in #result what a call of that kind receives, and returns OK; otherwise returns a status
  // that says why there is nothing.
  #take (kind, max, spin) {
    if (this.#search.isLost) this.#dropLostRecord()
    const status = this.#takeKind(kind, max, spin)
    if (status === OK) {
      if (spin !== 0) this.#spin.hit()
      if (this.#search.isActive) this.#search.stop()
    } else if (status === kMissing) {
      this.#search.start(this.#reader.missing)
      if (this.#search.isLost) this.#dropLostRecord()
    } else if (spin !== 0) {
      this.#spin.miss()
    }
    return status
  }

  #takeKind (kind, max, spin) {
    if (kind === kOne) return this.#takeOne(spin)
    return kind === kMany ? this.#takeMany(max, spin) : this.#takeBytes(spin)
  }

  #dropLostRecord () {
    this.#search.stop()
    this.#reader.dropMissing()
    throw createError('ERR_TELAR_MEMORY_LOST')
  }

  #takeOne (spin) {
    const reader = this.#reader
    const value = reader.pull(spin)
    if (value === kNothing) return reader.status
    this.#result = { value, done: false }
    return OK
  }

  #takeMany (max, spin) {
    const reader = this.#reader
    this.#result = reader.pullMany(max)
    if (this.#result !== null) return OK
    if (spin === 0 || !isTransient(reader.status)) return reader.status
    const value = reader.pull(spin)
    if (value === kNothing) return reader.status
    this.#result = [value]
    return OK
  }

  #takeBytes (spin) {
    this.#result = this.#reader.claim(spin)
    return this.#reader.status
  }
}

module.exports = { Receiver, Receivers }
