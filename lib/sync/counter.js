'use strict'

const { Atomics, BigInt, BigInt64Array, Boolean, Number, Object } = require('../base/globals')
const { argumentError, ownOptions } = require('../base/arguments')
const { Received, from, share } = require('../shared/registry')
const { Waiter, waitAsync, waitSync } = require('./waiter')
const { checkFunction } = require('./check')
const { createTimeout, readLimits } = require('../base/limits')
const { createCorrupt, kState, open } = require('./memory')

const kBits = 1
// On another cache line than the number, one that hardly changes.
const kEvent = 32 // changes when the number has changed and waiters must be woken
const kHasWaiters = 33

const kRanges = Object.freeze({
  32: { min: -0x8000_0000, max: 0x7fff_ffff, zero: 0, one: 1, minusOne: -1 },
  64: { min: -(2n ** 63n), max: 2n ** 63n - 1n, zero: 0n, one: 1n, minusOne: -1n }
})

const kUnlimited = Object.freeze({ __proto__: null })

class CounterWaiter extends Waiter {
  value
  isOrdered = false
  #counter
  #test

  constructor (words, counter, test) {
    super(words)
    this.#counter = counter
    this.#test = test
    this.index = kEvent
  }

  // In this order. A thread that changes the number after it was read here sees the flag
  // kHasWaiters. Or another thread has cleared the flag since the event was read, and then changes
  // the event.
  poll (register) {
    if (register) {
      this.expected = Atomics.load(this.words, kEvent)
      Atomics.store(this.words, kHasWaiters, 1)
    }
    this.value = this.#counter.value
    return Boolean(this.#test(this.value))
  }

  leave () { return false }
}

class Counter {
  #words
  #numbers
  #at
  #range

  constructor (options = {}) {
    const given = options instanceof Received ? null : readOptions(options)
    const { data, words } = open('Counter', options)
    if (given !== null) words[kBits] = given.bits
    const bits = words[kBits]
    if (bits !== 32 && bits !== 64) throw createCorrupt('Counter', '32 or 64 bits', bits)
    this.#words = words
    this.#range = kRanges[bits]
    this.#numbers = bits === 32 ? words : new BigInt64Array(words.buffer)
    this.#at = bits === 32 ? kState : kState / 2
    if (given !== null) this.#numbers[this.#at] = given.value
    share(this, 'Counter', data)
  }

  static from (received) { return from(Counter, 'Counter', received) }

  get bits () { return this.#words[kBits] === 64 ? 64 : 32 }

  get value () { return Atomics.load(this.#numbers, this.#at) }

  // Returns the sum, which wraps around.
  add (amount) {
    this.#check(amount, 'amount')
    return this.#add(amount)
  }

  increment () { return this.#add(this.#range.one) }

  decrement () { return this.#add(this.#range.minusOne) }

  // False: the sum would be out of the limits, and the number was not changed.
  tryAdd (amount, limits) {
    this.#check(amount, 'amount')
    const given = limits === undefined ? kUnlimited : ownOptions(limits, ['min', 'max'], 'limits.')
    const min = given.min === undefined ? this.#range.min : this.#check(given.min, 'limits.min')
    const max = given.max === undefined ? this.#range.max : this.#check(given.max, 'limits.max')
    for (;;) {
      const value = this.value
      const sum = value + amount
      if (sum < min || sum > max) return false
      if (this.compareExchange(value, sum)) return true
    }
  }

  // Returns the number before.
  exchange (value) {
    const before = Atomics.exchange(this.#numbers, this.#at, this.#check(value, 'value'))
    this.#wakeWaiters()
    return before
  }

  // False: the number is not `expected`, and was not changed.
  compareExchange (expected, value) {
    this.#check(expected, 'expected')
    this.#check(value, 'value')
    if (Atomics.compareExchange(this.#numbers, this.#at, expected, value) !== expected) return false
    this.#wakeWaiters()
    return true
  }

  // Returns the first number that it sees for which test(number) is true.
  waitForSync (test, options) {
    checkFunction(test, 'test')
    const limits = readLimits(options)
    const waiter = new CounterWaiter(this.#words, this, test)
    if (!waitSync(waiter, limits)) throw createTimeout('Counter.waitForSync()', limits)
    return waiter.value
  }

  async waitFor (test, options) {
    checkFunction(test, 'test')
    const limits = readLimits(options)
    const waiter = new CounterWaiter(this.#words, this, test)
    if (!await waitAsync(waiter, limits)) throw createTimeout('Counter.waitFor()', limits)
    return waiter.value
  }

  #add (amount) {
    const before = Atomics.add(this.#numbers, this.#at, amount)
    this.#wakeWaiters()
    return typeof before === 'bigint' ? BigInt.asIntN(64, before + amount) : (before + amount) | 0
  }

  // The waiters poll, and decide by themselves whether to wait on.
  #wakeWaiters () {
    if (Atomics.load(this.#words, kHasWaiters) === 0) return
    Atomics.store(this.#words, kHasWaiters, 0)
    Atomics.add(this.#words, kEvent, 1)
    Atomics.notify(this.#words, kEvent)
  }

  #check (value, name) {
    return checkNumber(value, this.#range, name)
  }
}

function readOptions (options) {
  if (typeof options !== 'object' || options === null) {
    throw argumentError('options must be an object with bits and value', options)
  }
  const given = ownOptions(options, ['bits', 'value'], 'options.')
  const { bits = 32 } = given
  if (bits !== 32 && bits !== 64) throw argumentError('options.bits must be 32 or 64', bits)
  const range = kRanges[bits]
  const { value = range.zero } = given
  return { bits, value: checkNumber(value, range, 'options.value') }
}

function checkNumber (value, { min, max, zero }, name) {
  const isBigInt = typeof zero === 'bigint'
  const isRightType = isBigInt ? typeof value === 'bigint' : Number.isInteger(value)
  if (isRightType && value >= min && value <= max) return value
  const type = isBigInt ? 'a bigint of 64 bits' : 'an integer of 32 bits'
  throw argumentError(`${name} must be ${type}`, value)
}

module.exports = { Counter }
