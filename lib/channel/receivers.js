'use strict'

const { Promise } = require('../base/globals')
const native = require('../base/native')
const { createError } = require('../base/errors')
const { RecordReader, kNothing } = require('./record-reader')
const { MemorySearch } = require('./memory-search')
const { WaitQueue, Waiter, isTransient } = require('./wait-queue')
const { constants, kMissing, spend } = require('./thread')

const { CLOSED, OK, kReceivers } = constants

// What a call is to get.
const kOne = 0
const kMany = 1
const kBytes = 2

// What it gets at the end of the channel.
const atEnd = (kind) => kind === kOne ? { value: undefined, done: true } : kind === kMany ? [] : null

// Waiting on the spot takes longer than most answers of a thread that is awake. After a few times in
// vain it is done now and then only, to see whether that has changed.
const hasCores = native.cpus() > 1
const kSpinNs = hasCores ? 10_000 : 0
// As long as the other thread takes to wake up and answer: with less, two threads that have once begun to
// sleep would never find each other awake again. A thirtieth of what they sleep anyway.
const kProbeNs = hasCores ? 60_000 : 0
const kMisses = 4
const kProbeMask = 31

const none = () => 0

class Receiver extends Waiter {
  kind
  most
  need = 0

  constructor (resolve, reject, kind, most) {
    super(resolve, reject)
    this.kind = kind
    this.most = most
  }
}

// This thread's receiving side of a channel.
class Receivers extends WaitQueue {
  #reader
  #search
  // What #take() took.
  #result = null
  // How often in a row waiting on the spot brought nothing.
  #misses = 0

  constructor (ring) {
    super(ring, kReceivers, 'ERR_TELAR_CHANNEL_NO_SENDER')
    this.#reader = new RecordReader(ring)
    this.#search = new MemorySearch(ring, () => this.serve())
  }

  // Records that have been taken from the ring, and that the next call gets.
  get hasStash () { return this.#reader.hasStash }

  // A promise of what `kind` says.
  receive (kind, most, limits, call) {
    if (this.isEmpty) {
      try {
        if (this.#take(kind, most, this.#spin()) === OK) return this.#deliver()
      } catch (error) {
        return Promise.reject(error)
      }
    }
    return new Promise((resolve, reject) => {
      this.add(new Receiver(resolve, reject, kind, most), limits, call)
    })
  }

  // undefined: nothing there now.
  tryReceive (kind, most) {
    if (!this.isClear()) return undefined
    const status = this.#take(kind, most, 0)
    if (status === kMissing) this.#search.watch()
    return this.#settle(kind, status)
  }

  receiveSync (kind, most, timeout, call) {
    const status = this.block(() => this.#take(kind, most, this.#spin()), none, timeout, call)
    return this.#settle(kind, status)
  }

  // ---- for WaitQueue ----

  attempt (receiver) {
    const status = this.#take(receiver.kind, receiver.most, 0)
    if (status === OK) receiver.resolve(this.#result)
    else if (status === kMissing) this.#search.watch()
    return status
  }

  fail (receiver, status) {
    if (status === CLOSED) receiver.resolve(atEnd(receiver.kind))
    else super.fail(receiver, status)
  }

  // Instead of sleeping for a record, when one is here that names unknown memory.
  pause () {
    this.#search.pause()
  }

  // ----

  #settle (kind, status) {
    if (status === OK) return this.#result
    if (status === CLOSED) return atEnd(kind)
    if (isTransient(status)) return undefined
    throw this.ring.failure(status, kReceivers)
  }

  #deliver () {
    const rest = spend(this.#reader.spent)
    const result = this.#result
    return rest === null ? Promise.resolve(result) : rest.then(() => result)
  }

  // Leaves in #result what a call of that kind gets, or answers why not.
  #take (kind, most, spin) {
    const reader = this.#reader
    if (this.#search.isLost) this.#giveUpMissing()
    const status = kind === kOne ? this.#takeOne(spin) : kind === kMany ? this.#takeMany(most, spin) : this.#takeBytes(spin)
    if (status === OK) {
      if (spin !== 0) this.#misses = 0
      if (this.#search.isOn) this.#search.end()
    } else if (status === kMissing) {
      this.#search.begin(reader.missing)
      if (this.#search.isLost) this.#giveUpMissing()
    } else if (spin !== 0) {
      this.#misses++
    }
    return status
  }

  #giveUpMissing () {
    this.#search.end()
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

  #takeMany (most, spin) {
    const reader = this.#reader
    this.#result = reader.pullMany(most)
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

  // Nanoseconds to wait on the spot, before the bell is asked for.
  #spin () {
    if (this.#misses < kMisses) return kSpinNs
    return (++this.#misses & kProbeMask) === 0 ? kProbeNs : 0
  }
}

module.exports = { Receivers, kBytes, kMany, kOne }
