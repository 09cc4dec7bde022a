'use strict'

// The number of notifications of a Condition, and the waiters for them. A notification is for every
// waiter that read the number before it.
//
// The promises of a thread share one sleep (sleepers.js), so notifyOne() wakes all of them. Only as
// many of them go on, the oldest first, as there were notifications since the last one went on. The
// others wait on. It must be as many as that, not just one: their sleep may miss the next
// notification while they poll.

const { Atomics } = require('../base/globals')
const { Waiter } = require('./waiter')
const { kState } = require('./memory')

// Counts the calls of notifyAll(). It changes before the state does: a thread that sees the new
// state sees this changed too.
const kAll = kState + 1

// Each thread has one for each Condition.
class Notifications {
  words
  #waiting = 0
  // The notifications up to this number have let promises of this thread go on.
  #used = 0

  constructor (words) {
    this.words = words
  }

  get count () { return Atomics.load(this.words, kState) }

  get all () { return Atomics.load(this.words, kAll) }

  notifyOne () {
    Atomics.add(this.words, kState, 1)
    Atomics.notify(this.words, kState, 1)
  }

  notifyAll () {
    Atomics.add(this.words, kAll, 1)
    Atomics.add(this.words, kState, 1)
    Atomics.notify(this.words, kState)
  }

  // For a promise. end() must be called when it no longer waits.
  begin () {
    const waiter = new SharedNotificationWaiter(this)
    if (this.#waiting++ === 0) this.#used = waiter.expected
    return waiter
  }

  end () {
    this.#waiting--
  }

  // Uses up a notification for one more promise of this thread. False: none is left.
  use (count) {
    if (this.#used === count) return false
    this.#used = (this.#used + 1) | 0
    return true
  }
}

// For a thread that blocks.
class NotificationWaiter extends Waiter {
  notifications

  constructor (notifications) {
    super(notifications.words)
    this.notifications = notifications
    this.index = kState
    this.expected = notifications.count
  }

  poll () {
    return this.notifications.count !== this.expected
  }

  // True if a notification came before the call gave up: the wake-up may have been for this call.
  leave () {
    return this.poll()
  }
}

class SharedNotificationWaiter extends NotificationWaiter {
  #all

  constructor (notifications) {
    const { all } = notifications // read before the count: see kAll
    super(notifications)
    this.#all = all
  }

  poll () {
    const { count } = this.notifications
    if (count === this.expected) return false
    if (this.notifications.all !== this.#all || this.notifications.use(count)) return true
    this.expected = count
    return false
  }
}

module.exports = { Notifications, NotificationWaiter }
