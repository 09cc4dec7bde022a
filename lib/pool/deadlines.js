'use strict'

// Knows when tasks are over a limit of their terms. There is one timer for all tasks of a pool. The
// scheduler has the limits of tasks that were handed over, and since when each of them runs
// (sched_limits.c). It is asked when a limit may have ended, which is as rare as the shortest limit
// is long. So a limit costs next to nothing if it is not reached.

const { Math } = require('../base/globals')
const { now, startTimer, stopTimer } = require('../base/time')
const { TimerQueue } = require('../base/timer-queue')
const { kSteered } = require('../transport/slot-memory')
const { timerDelay } = require('./options')
const { isLimited } = require('./terms')

class Deadlines {
  #native
  #slots
  #onLate
  #onLateWaiting
  #afterSettling
  #waiting = new TimerQueue() // the tasks that wait in JavaScript and may not wait forever
  // What the native pool was told last.
  #queueTimeout = Infinity
  #timeout = Infinity
  #timer = null
  #delay = Infinity // that of the timer, when it was set; Infinity: there is none
  #checkBound = () => this.#check()

  // onLate(slot, limit): a task is over a limit. onLateWaiting(task): one that waits in JavaScript.
  constructor ({ native, slots, onLate, onLateWaiting, afterSettling }) {
    this.#native = native
    this.#slots = slots
    this.#onLate = onLate
    this.#onLateWaiting = onLateWaiting
    this.#afterSettling = afterSettling
  }

  // To be called before a slot without a Task, but with limits, is submitted.
  begin (slot, terms) {
    this.#native.words.begin(slot, 0, terms.timeout)
    this.#slots.setTerms(slot, terms)
    this.prepare(terms, 0)
  }

  // To be called before a task with limits is submitted. `waited`: how long it has waited.
  prepare ({ queueTimeout, timeout }, waited) {
    if (queueTimeout !== this.#queueTimeout || timeout !== this.#timeout) {
      this.#queueTimeout = queueTimeout
      this.#timeout = timeout
      this.#native.core.setLimits(queueTimeout, timeout)
    }
    this.expireIn(Math.min(queueTimeout - waited, timeout))
  }

  // The same for a slot that has come back and is submitted again. False: it has no limits.
  renew (slot, task) {
    const terms = task === undefined ? this.#termsOf(slot) : task.terms
    if (terms === null || !isLimited(terms)) return false
    this.prepare(terms, task === undefined ? 0 : task.waited)
    return true
  }

  // To be called when the native pool was closed.
  reset () { this.#queueTimeout = this.#timeout = Infinity }

  // Of a slot without a Task. Only those with limits have the flag.
  #termsOf (slot) {
    return (this.#native.memory.form(slot) & kSteered) === 0 ? null : this.#slots.termsOf(slot)
  }

  // Some limit ends after `milliseconds`. If the timer was set earlier and with no longer delay, it
  // expires before that. After the longest delay of a timer the scheduler is asked too early, and
  // again.
  expireIn (milliseconds) {
    if (milliseconds >= this.#delay) return
    stopTimer(this.#timer)
    this.#delay = milliseconds
    this.#timer = startTimer(this.#checkBound, timerDelay(milliseconds))
  }

  // A task begins to wait in JavaScript.
  enter (task) {
    if (task.terms.queueTimeout === Infinity || task.place >= 0) return
    task.due = task.created + task.terms.queueTimeout
    this.#waiting.add(task)
    this.expireIn(task.due - now())
  }

  // It is handed over, or settled.
  leave (task) {
    if (task.place >= 0) this.#waiting.remove(task)
  }

  #check () {
    this.#timer = null
    this.#delay = Infinity
    const waitMs = this.#native.isOpen ? this.#checkSlots() : Infinity
    const time = now()
    while (this.#waiting.due <= time) {
      const task = this.#waiting.first
      this.#waiting.remove(task)
      this.#onLateWaiting(task)
    }
    this.expireIn(Math.min(waitMs, this.#waiting.due - time))
    this.#afterSettling()
  }

  // Returns after what time to ask again.
  #checkSlots () {
    const { late, waitMs } = this.#native.overdue()
    // User code that is called meanwhile may settle other tasks and reuse their slots.
    for (const entry of late) entry.holder = this.#slots.holderOf(entry.slot)
    for (const { slot, limit, holder } of late) {
      if (this.#slots.holderOf(slot) === holder) this.#onLate(slot, limit)
    }
    return waitMs
  }
}

module.exports = { Deadlines }
