'use strict'

// When the owner polls for results, and when it lets its event loop turn. The scheduler rings a
// bell for results that nobody polls for; a bell costs ten microseconds, a poll a fraction of one.
// So what is handed over decides which of the two it is, and is handed over here.

const { Promise } = require('../base/globals')

// With at most this many tasks under way the owner polls for results before it
// lets its event loop sleep; with more, the loop has enough to do by itself.
const kPollTasks = 48
const kPollNs = 4000
// After so many polls in a row the event loop gets a turn; a poll that brought
// many results counts for several.
const kPollsInARow = 250

const resolved = Promise.resolve()

class ResultPoller {
  #native
  #state
  #settler
  #afterSettling
  #isPolling = false
  #isAttended = false // a poll is due, or the bell will ring for the next result
  #polls = 0
  #pollBound = () => this.#poll()

  constructor ({ native, state, settler, afterSettling }) {
    this.#native = native
    this.#state = state
    this.#settler = settler
    this.#afterSettling = afterSettling
  }

  // The native pool is gone; the bell of the next one has yet to be attended to.
  reset () { this.#isAttended = false }

  // ---- handing over ----

  // To whichever worker is free first, by the fast path.
  submit (slot) {
    if (this.#isPolling) {
      this.#native.core.submit(slot)
    } else if (this.#mayPoll()) {
      this.#pollSoon()
      this.#native.core.submitAwake(slot)
    } else {
      this.#native.core.submit(slot)
      this.#attend()
    }
  }

  // Likewise, a task that may have waited.
  submitTask (slot, waited) {
    const mayPoll = !this.#isPolling && this.#mayPoll()
    if (mayPoll) this.#pollSoon()
    this.#native.core.submitTask(slot, waited, mayPoll)
    this.#attend()
  }

  // To the worker where places were reserved.
  submitTo (slot, worker, places, waited) {
    this.#native.core.submitTo(slot, worker.index, places, waited)
    this.#attend()
  }

  // A slot that came back unclaimed, its value still in place. `task`: if it has one.
  resubmit (slot, task) {
    if (task === undefined) this.#native.core.submit(slot)
    else this.#native.core.submitTask(slot, task.waited, false)
    this.#attend()
  }

  // ---- polling ----

  #mayPoll () {
    return this.#state.active <= kPollTasks && this.#polls < kPollsInARow
  }

  // Polls before the event loop gets its turn.
  #pollSoon () {
    this.#isPolling = this.#isAttended = true
    resolved.then(this.#pollBound)
  }

  // After a poll the bell stays silent until its callback has run.
  #attend () {
    if (this.#isAttended) return
    this.#isAttended = true
    this.#native.core.ring()
  }

  #poll () {
    this.#isPolling = false
    if (!this.#native.isOpen) return
    const count = this.#native.core.poll(kPollNs)
    this.#polls += 1 + (count >> 2)
    if (count === 0) return // the bell rings for the next one
    this.#isAttended = false
    this.#settler.settle(count)
    this.#afterSettling()
    if (!this.#native.isOpen || this.#state.active === 0 || this.#isPolling) return
    if (this.#mayPoll()) this.#pollSoon()
    else this.#attend()
  }

  // Results that the bell brought, from the event loop.
  deliver (count) {
    this.#polls = 0
    this.#isAttended = true
    if (count > 0) this.#settler.settle(count)
  }

  // All results that there are.
  drain () {
    for (let count; (count = this.#native.core.poll(0)) > 0;) this.#settler.settle(count)
    this.#isAttended = true
  }
}

module.exports = { ResultPoller }
