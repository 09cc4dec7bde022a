'use strict'

// select(): receives from the first of several channels that has something. A call that has to wait
// waits in the queue of each channel, as receive() would. The first queue that can settle it does
// so, at once and for good, and takes it out of the others. So no value is taken for a call that is
// settled already.
//
// Fairness: of the channels that have something, the one is chosen that was chosen least recently,
// by any select() of this thread. So a channel that has something is chosen after each other
// channel of the list has been chosen once at most. In hardware this is the least recently served
// arbiter (Dally and Towles, "Principles and Practices of Interconnection Networks", 18.4). The
// random choice of Go's select would be as fair on average only.

const { Promise } = require('../base/globals')
const { listen } = require('../base/abort-signal')
const { TelarError } = require('../base/errors')
const { createAborted, createTimeout } = require('../base/limits')
const { setOwn } = require('../base/own')
const { now, startTimer, stopTimer } = require('../base/time')
const { Receiver } = require('./receivers')
const { kOne } = require('./results')
const { Spin } = require('./spin')
const { chargeTurn, serveAll, sleepUntilBell } = require('./thread')
const { leaveQueues } = require('./wait-queue')

const spin = new Spin()
let turns = 0

// A choice is { channel, receivers }: a channel, and the receiving side of this thread.

function resultOf ({ channel, receivers }, { value, done }) {
  receivers.turn = ++turns
  return { channel, value, done }
}

// The error says which channel failed.
function errorOf ({ channel, receivers }, error) {
  receivers.turn = ++turns
  if (error instanceof TelarError) setOwn(error, 'channel', channel, false)
  return error
}

// Receives from the first of the choices that has something. Returns undefined if none has.
function poll (choices, spinNs) {
  for (const choice of choices) {
    let result
    try {
      result = choice.receivers.tryReceive(kOne, 1, spinNs)
    } catch (error) {
      throw errorOf(choice, error)
    }
    if (result !== undefined) return resultOf(choice, result)
  }
  return undefined
}

// As poll(), but spins before it gives up, as a receive() does.
function pollAndSpin (choices) {
  sortByTurn(choices)
  const spinNs = spin.next()
  let result = poll(choices, choices.length === 1 ? spinNs : 0)
  if (spinNs === 0) return result
  if (choices.length > 1 && result === undefined) {
    const end = now() + spinNs / 1e6
    do result = poll(choices, 0)
    while (result === undefined && now() < end)
  }
  if (result === undefined) spin.miss()
  else spin.hit()
  return result
}

const byTurn = (a, b) => a.receivers.turn - b.receivers.turn
const kFew = 8

// In place: lists are short, so sort() would cost more than all the rest of a call.
function sortByTurn (choices) {
  if (choices.length > kFew) return choices.sort(byTurn)
  for (let i = 1; i < choices.length; i++) {
    const choice = choices[i]
    let at = i
    for (; at > 0 && byTurn(choices[at - 1], choice) > 0; at--) choices[at] = choices[at - 1]
    choices[at] = choice
  }
}

// A call that waits.
class Selection {
  isSettled = false
  #resolve
  #reject
  #choices
  // Its place in each queue: { queue, waiter }.
  #places = []

  constructor (choices, resolve, reject) {
    this.#choices = choices
    this.#resolve = resolve
    this.#reject = reject
  }

  start () {
    for (const choice of this.#choices) {
      const queue = choice.receivers
      const waiter = new Receiver(
        (result) => this.#settle(waiter, this.#resolve, resultOf(choice, result)),
        (error) => this.#settle(waiter, this.#reject, errorOf(choice, error)),
        kOne, 1)
      this.#places.push({ queue, waiter })
      queue.join(waiter)
      if (this.isSettled) return
    }
  }

  // Tries once more, since the bell may have rung already without having been handled yet. Returns
  // whether the call is still waiting.
  expire () {
    for (const { receivers } of this.#choices) {
      if (!this.isSettled) receivers.serve()
    }
    return !this.isSettled
  }

  // The call gives up.
  reject (error) {
    this.#settle(null, this.#reject, error)
  }

  // `waiter`: the place at which it was settled, in a queue that is being served.
  #settle (waiter, settle, outcome) {
    this.isSettled = true
    settle(outcome)
    leaveQueues(this.#places, waiter)
  }
}

function select (choices, limits) {
  const result = pollAndSpin(choices)
  if (result === undefined) {
    return new Promise((resolve, reject) => wait(choices, limits, resolve, reject))
  }
  const nextTurn = chargeTurn(1)
  return nextTurn === null ? Promise.resolve(result) : nextTurn.then(() => result)
}

function wait (choices, limits, resolve, reject) {
  const { signal, timeout } = limits
  let timer = null
  let listeners = null
  const settled = (settle) => (outcome) => {
    stopTimer(timer)
    listeners?.remove(onAbort)
    settle(outcome)
  }
  const selection = new Selection(choices, settled(resolve), settled(reject))
  const onAbort = () => selection.reject(createAborted(signal))
  const onTimeout = () => {
    if (selection.expire()) selection.reject(createTimeout('select()', limits))
  }
  if (signal !== undefined) listeners = listen(signal, onAbort)
  if (selection.isSettled) return // some signals fire when a listener is added
  selection.start()
  if (selection.isSettled || timeout === Infinity) return
  if (timeout === 0) onTimeout()
  else timer = startTimer(onTimeout, timeout)
}

function selectSync (choices, { timeout }) {
  const end = now() + timeout
  let result = pollAndSpin(choices)
  if (result !== undefined) return result
  let error
  const selection = new Selection(choices,
    (value) => { result = value },
    (reason) => { error = reason })
  selection.start()
  while (!selection.isSettled) {
    if (now() < end) block(choices, end)
    else if (selection.expire()) selection.reject(createTimeout('selectSync()', { timeout }))
  }
  if (result === undefined) throw error
  return result
}

// Blocks the thread until one of the channels may have something, and serves the calls that wait,
// since the event loop does not.
function block (choices, end) {
  const searching = choices.find(({ receivers }) => receivers.isSearching)
  if (searching === undefined) sleepUntilBell(end)
  else searching.receivers.pause()
  serveAll()
}

module.exports = { select, selectSync }
