'use strict'

// What a Condition counts, and those that wait for it. Whoever read the count before a notification
// came is notified.
//
// The promises of a thread sleep as one (sleepers.js), so notifyOne() wakes all of them. Only so
// many go on as there have been notifications since the last one did, the oldest first; for the
// others it was none. Not fewer: that sleep may miss the next notification while they look.

const { Atomics } = require('../base/globals')
const { Waiter } = require('./waiter')
const { kState } = require('./memory')

// Counts the calls of notifyAll(), each before the state does: whoever sees the state changed by
// one sees this changed as well.
const kAll = kState + 1

// One for each Condition, and so one in a thread.
class Notifications {
  words
  #waiting = 0
  // The count up to which promises of this thread have gone on.
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

  // For a promise; to be taken back by end().
  begin () {
    const waiter = new SharedNotificationWaiter(this)
    if (this.#waiting++ === 0) this.#used = waiter.expected
    return waiter
  }

  end () {
    this.#waiting--
  }

  // Whether there is a notification for one more promise of this thread.
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

  // A notification that came first counts: the wake-up may have been for this one.
  leave () {
    return this.poll()
  }
}

class SharedNotificationWaiter extends NotificationWaiter {
  #all

  constructor (notifications) {
    const { all } = notifications // before the count, see kAll
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
