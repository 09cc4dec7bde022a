'use strict'

// Decides when the owner polls for results, and when it lets its event loop turn. The scheduler
// rings the owner's bell for results only if the owner does not poll for them. A ring costs ten
// microseconds, a poll a fraction of one. The choice is made when a task is submitted, so slots are
// submitted here.

const { Promise } = require('../base/globals')
const { kNone } = require('./route')
const { isLimited } = require('./terms')

// With at most this many active tasks the owner polls for results before its event loop sleeps.
// With more tasks the loop hardly sleeps anyway.
const kPollTasks = 48
// After this many polls in a row the event loop gets a turn. A poll that brought many results
// counts as several.
const kPollsInARow = 250

const resolved = Promise.resolve()

class ResultPoller {
  #native
  #state
  #settler
  #deadlines
  #afterSettling
  #isPolling = false
  #isDeliveryDue = false // a poll is due, or the bell will ring for the next result
  #polls = 0
  #pollBound = () => this.#poll()

  constructor ({ native, state, settler, deadlines, afterSettling }) {
    this.#native = native
    this.#state = state
    this.#settler = settler
    this.#deadlines = deadlines
    this.#afterSettling = afterSettling
  }

  // To be called when the native pool was closed.
  reset () { this.#isDeliveryDue = false }

  // ---- submitting ----

  // Submits a slot of the fast path to the ready queue.
  submit (slot) {
    if (this.#isPolling) {
      this.#native.core.submit(slot)
    } else if (this.#mayPoll()) {
      this.#pollSoon()
      this.#native.core.submitAwake(slot)
    } else {
      this.#native.core.submit(slot)
      this.#ensureDelivery()
    }
  }

  // The same for a task with limits, a priority or a key. One with limits has neither of the others
  // here (RunOptions#needsTask).
  submitGiven (slot, given) {
    if (isLimited(given)) {
      this.#deadlines.begin(slot, given)
      this.#submitLimited(slot)
    } else {
      if (given.key !== undefined) this.#native.keys.write(slot, given.key)
      this.#submitRouted(slot, given.priority, given.keyHash)
    }
  }

  #submitRouted (slot, priority, key) {
    const mayPoll = !this.#isPolling && this.#mayPoll()
    if (mayPoll) this.#pollSoon()
    this.#native.core.submitRouted(slot, priority, key, mayPoll)
    this.#ensureDelivery()
  }

  #submitLimited (slot) {
    const mayPoll = !this.#isPolling && this.#mayPoll()
    if (mayPoll) this.#pollSoon()
    this.#native.core.submitLimited(slot, mayPoll)
    this.#ensureDelivery()
  }

  // Submits the slot of a Task, which may have waited, to the ready queue.
  submitTask (slot, { createdNative, isLimited }) {
    const mayPoll = !this.#isPolling && this.#mayPoll()
    if (mayPoll) this.#pollSoon()
    this.#native.core.submitTask(slot, createdNative, mayPoll, isLimited)
    this.#ensureDelivery()
  }

  // The same for a task with a priority or a key, or for one worker. `worker`: the one that has to
  // run it, or null. `mode`: the places that it takes. deadlines.js has prepared its limits.
  submitTaskRouted (slot, task, worker, mode) {
    const mayPoll = !this.#isPolling && this.#mayPoll()
    if (mayPoll) this.#pollSoon()
    const { createdNative, isLimited, keyHash, priority } = task
    const index = worker === null ? kNone : worker.index
    this.#native.core.submitTaskRouted(
      slot, createdNative, mayPoll, isLimited, priority, keyHash, index, mode)
    this.#ensureDelivery()
  }

  // Submits a slot to the lane of a worker, where places were reserved for it.
  submitTo (slot, { createdNative, isLimited }, worker, places) {
    this.#native.core.submitTo(slot, worker.index, places, createdNative, isLimited)
    this.#ensureDelivery()
  }

  // Submits a slot that came back unclaimed, with its value still in it. `isLimited`: with the
  // limits that deadlines.js has prepared.
  resubmit (slot, isLimited) {
    this.#native.core.resubmit(slot, isLimited)
    this.#ensureDelivery()
  }

  // ---- polling ----

  #mayPoll () {
    return this.#state.active <= kPollTasks && this.#polls < kPollsInARow
  }

  // Polls in a microtask, before the event loop gets its turn.
  #pollSoon () {
    this.#isPolling = this.#isDeliveryDue = true
    resolved.then(this.#pollBound)
  }

  // After a poll, completions do not ring the bell until its callback has run. So rings it now, if
  // no poll is due.
  #ensureDelivery () {
    if (this.#isDeliveryDue) return
    this.#isDeliveryDue = true
    this.#native.core.ring()
  }

  #poll () {
    this.#isPolling = false
    if (!this.#native.isOpen) return
    const count = this.#native.core.poll(true)
    this.#polls += 1 + (count >> 2)
    if (count === 0) return // the bell will ring for the next result
    this.#isDeliveryDue = false
    this.#settler.settle(count)
    this.#afterSettling()
    if (!this.#native.isOpen || this.#state.active === 0 || this.#isPolling) return
    if (this.#mayPoll()) this.#pollSoon()
    else this.#ensureDelivery()
  }

  // Called from the event loop, with the results for which the bell was rung.
  deliver (count) {
    this.#polls = 0
    this.#isDeliveryDue = true
    if (count > 0) this.#settler.settle(count)
  }

  // To be called when the event loop may turn again, after it was blocked.
  unblock () {
    this.#polls = 0
    this.#isDeliveryDue = this.#isPolling
    if (this.#native.isOpen && this.#state.active > 0) this.#ensureDelivery()
  }

  // Settles all results that are there.
  drain () {
    for (let count; (count = this.#native.core.poll(false)) > 0;) this.#settler.settle(count)
    this.#isDeliveryDue = true
  }
}

module.exports = { ResultPoller }
