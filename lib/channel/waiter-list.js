'use strict'

// The waiters of a wait queue, in the order of their calls: a linked list. A Set would keep the
// places of those that have left, and skip them each time that the first one is wanted, which takes
// a time quadratic in the number of waiters.

class WaiterList {
  // null: the list is empty.
  first = null
  #last = null

  add (waiter) {
    waiter.isListed = true
    waiter.previous = this.#last
    if (this.#last === null) this.first = waiter
    else this.#last.next = waiter
    this.#last = waiter
  }

  // Nothing happens for a waiter that has left already.
  remove (waiter) {
    if (!waiter.isListed) return
    const { previous, next } = waiter
    if (previous === null) this.first = next
    else previous.next = next
    if (next === null) this.#last = previous
    else next.previous = previous
    waiter.isListed = false
    waiter.previous = waiter.next = null
  }
}

module.exports = { WaiterList }
