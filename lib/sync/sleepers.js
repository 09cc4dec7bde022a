'use strict'

// The promises of this thread that sleep on the same word. They are in one queue and share one call
// of Atomics.waitAsync(). When that is woken, only the first wait in the queue polls. If it has to
// wait on, so do the others. If it leaves the queue, the next one polls. (If the order of the waits
// does not matter in this way, waiter.isOrdered is false, and all of them poll.)
//
// A sleep that has begun remains valid whatever the word has become: any thread that notifies the
// word wakes it. So one sleep is enough for waits that join the queue later: before they joined,
// they told the other threads that they wait.
//
// A wait does not poll just because time passes: ten thousand promises would keep the thread busy.
// Wake-ups are lost only with threads that end, and when any thread has ended, all queues poll
// (onThreadEnd() in ../base/time.js). To be safe, each queue also polls from time to time, less and
// less often (../base/slices.js).
//
// Atomics.waitAsync() cannot be canceled: if its queue becomes empty, it goes on until its time is
// over, and serves waits that join in the meantime. It may be older than the sleep that they would
// have begun, and so be woken instead of the waiter of another thread. Then it passes the wake-up
// on.

const { Atomics, Map, Set, WeakMap } = require('../base/globals')
const { nextSleep } = require('../base/slices')
const { afterTurn, now, onThreadEnd } = require('../base/time')

// A sleep does not begin if the word has changed. After this many in a row the event loop gets a
// turn.
const kTriesInARow = 16

// words → index → SleepQueue
const queues = new WeakMap()
// The queues that are not empty.
const nonEmpty = new Set()

class SleepQueue {
  #words
  #index
  #first = null
  #last = null
  // When the first wait joined the empty queue.
  #since = 0
  // The last sleep that began: its number, when it ends by itself (-1: it has ended), and whether
  // the queue has been empty since.
  #sleep = 0
  #end = -1
  #isLeftOver = false
  #isServing = false

  constructor (words, index) {
    this.#words = words
    this.#index = index
  }

  // False: the word has changed since the wait polled.
  add (wait) {
    if (this.#first === null) this.#since = now()
    // If there are other waits, their sleep has begun already, or is about to begin.
    const needsSleep = this.#first === null && !this.#isServing
    if (needsSleep && !this.#fallAsleep(wait.waiter)) return false
    wait.queue = this
    wait.previous = this.#last
    wait.next = null
    if (this.#last === null) {
      this.#first = wait
      nonEmpty.add(this)
    } else {
      this.#last.next = wait
    }
    this.#last = wait
    return true
  }

  // After the first one the next wait polls: it may get what the first was woken for.
  remove (wait) {
    this.#unlink(wait)
    if (wait.previous === null && this.#first !== null) this.serve()
  }

  #unlink (wait) {
    const { previous, next } = wait
    if (previous === null) this.#first = next
    else previous.next = next
    if (next === null) this.#last = previous
    else next.previous = previous
    wait.queue = null
    if (this.#first !== null) return
    nonEmpty.delete(this)
    this.#isLeftOver = true
  }

  // Lets the waits poll, and sleeps for those that have to wait on.
  serve () {
    if (this.#isServing) return // the call under way serves waits that join meanwhile
    this.#isServing = true
    try {
      for (let tries = 0; tries < kTriesInARow; tries++) {
        const first = this.#serveQueue()
        if (first === null || this.#fallAsleep(first.waiter)) return
      }
    } finally {
      this.#isServing = false
    }
    afterTurn(() => this.serve())
  }

  // Returns the first wait that has to wait on in this queue, or null.
  #serveQueue () {
    for (let first; (first = this.#first) !== null;) {
      if (!this.#isStaying(first)) continue
      if (!first.waiter.isOrdered) this.#serveRest()
      if (this.#first === first) return first
    }
    return null
  }

  #serveRest () {
    const rest = []
    let wait = this.#first
    while ((wait = wait.next) !== null) rest.push(wait)
    for (const wait of rest) {
      if (wait.queue === this) this.#isStaying(wait)
    }
  }

  // Lets the wait poll. False: it is no longer in this queue.
  #isStaying (wait) {
    if (!wait.poll()) {
      const { words, index } = wait.waiter
      if (words === this.#words && index === this.#index) return true
      if (wait.queue === this) this.#unlink(wait)
      wait.sleep()
    } else if (wait.queue === this) {
      this.#unlink(wait)
    }
    return false
  }

  // False: the word is not what the waiter expects.
  #fallAsleep ({ expected, maxSleep }) {
    const time = now()
    const milliseconds = nextSleep(maxSleep, time - this.#since)
    const isAsleep = this.#end > time && this.#end <= time + milliseconds
    if (isAsleep) return true
    const { async, value } = Atomics.waitAsync(this.#words, this.#index, expected, milliseconds)
    if (!async) return false
    const sleep = this.#sleep + 1
    value.then((outcome) => this.#wake(sleep, outcome))
    this.#sleep = sleep // not before then(), which throws when the stack overflows
    this.#end = time + milliseconds
    this.#isLeftOver = false
    return true
  }

  #wake (sleep, outcome) {
    const isLeftOver = sleep !== this.#sleep || this.#isLeftOver
    if (sleep === this.#sleep) this.#end = -1
    else if (outcome !== 'ok') return
    const first = this.#first
    if (first !== null) this.serve()
    // The wake-up was of no use here. It is passed on only if the sleep was left over from earlier
    // waits. Otherwise two threads in which no wait can succeed would wake each other forever.
    if (outcome === 'ok' && isLeftOver && this.#first === first) {
      Atomics.notify(this.#words, this.#index, 1)
    }
  }
}

// Puts an AsyncWait (waiter.js) to sleep on the word that its waiter names. False: the word has
// changed since the wait polled. The queue calls its poll() and sleep(), and keeps its own links in
// its fields `queue`, `previous` and `next`.
function fallAsleep (wait) {
  const { words, index } = wait.waiter
  let byIndex = queues.get(words)
  if (byIndex === undefined) queues.set(words, byIndex = new Map())
  let queue = byIndex.get(index)
  if (queue === undefined) byIndex.set(index, queue = new SleepQueue(words, index))
  return queue.add(wait)
}

onThreadEnd(() => {
  for (const queue of [...nonEmpty]) queue.serve()
})

module.exports = { fallAsleep }
