'use strict'

// Searches for a SharedArrayBuffer that a record names and this thread does not know. The search
// ends when a thread has sent the buffer. It fails when no thread can send it any more: each thread
// that may have heard the announcement has ended or has denied that it has the buffer. The sender
// has the buffer for certain. Once the sender has ended, the others get one second to answer.

const { Atomics, Int32Array, Set, SharedArrayBuffer } = require('../base/globals')
const native = require('../base/native')
const { startTimer, stopTimer } = require('../base/time')
const { endIdOf, kNotInTable } = require('./end-id')

const kCheckMs = 50
const kPauseMs = 2
// The time that other threads have to answer after the sender has ended. Their event loops have to
// turn for it.
const kMaxAnswerMs = 1000

const pause = new Int32Array(new SharedArrayBuffer(4))

class MemorySearch {
  // True: the search has failed, so the record cannot be read.
  isLost = false
  #ring
  #onChange
  #missing = null
  #cancelRequest = null
  #timer = null
  // Keeps the buffer alive until the record has been read: the buffer registry refers to it weakly.
  #buffer = null
  #waitedMs = 0
  // The ids of the ends that were asked, and of those that do not have the buffer.
  #asked = new Set()
  #denied = new Set()

  // onChange: called from the event loop when the record can be read or is lost; see watch().
  constructor (ring, onChange) {
    this.#ring = ring
    this.#onChange = onChange
  }

  get isActive () { return this.#missing !== null }

  // `missing`: { id, length, thread }, the buffer and the number of the thread that named it.
  start (missing) {
    if (this.#missing !== null && this.#missing.id === missing.id) return
    this.stop()
    this.#missing = missing
    this.#asked = new Set(this.#ring.listeners().keys())
    this.#cancelRequest = this.#ring.announcements.request(missing.id, (buffer) => {
      this.#buffer = buffer
      if (this.#timer !== null) this.#onChange()
    }, (endId) => {
      this.#denied.add(endId)
      if (this.#buffer === null) this.#check(0)
      if (this.isLost && this.#timer !== null) this.#onChange()
    })
    this.#check(0)
  }

  // Makes the search call onChange(), in a thread that waits on its event loop. The timer does not
  // keep the thread alive; the waiting call does, unless its channel is unreferenced.
  watch () {
    if (this.#timer !== null) return
    this.#timer = startTimer(() => {
      this.#timer = null
      this.watch()
      this.#check(kCheckMs)
      if (this.isLost) this.#onChange()
    }, kCheckMs)
  }

  // Blocks for a short time, then handles the answers: for a thread whose event loop does not turn.
  pause () {
    Atomics.wait(pause, 0, 0, kPauseMs)
    this.#ring.announcements.drain()
    if (this.#buffer === null) this.#check(kPauseMs)
  }

  stop () {
    this.isLost = false
    this.#missing = null
    this.#buffer = null
    this.#waitedMs = 0
    this.#denied.clear()
    this.#cancelRequest?.()
    this.#cancelRequest = null
    stopTimer(this.#timer)
    this.#timer = null
  }

  // Finds out whether the buffer is lost, after another `milliseconds` of waiting.
  #check (milliseconds) {
    const { thread } = this.#missing
    this.#waitedMs += milliseconds
    const listeners = this.#ring.listeners()
    let mayArrive = false
    let isSenderAttached = false
    for (const [endId, number] of listeners) {
      if (!this.#asked.has(endId)) this.#askAgain(listeners)
      if (this.#denied.has(endId)) continue
      mayArrive = true
      isSenderAttached ||= number === thread
    }
    // A sender that has detached from the channel still answers until its record is received.
    const hasDetachedSenderDenied = this.#denied.has(endIdOf(kNotInTable, thread))
    if (!hasDetachedSenderDenied && native.isThreadAlive(thread)) mayArrive = true
    this.isLost = !isSenderAttached && (!mayArrive || this.#waitedMs >= kMaxAnswerMs)
  }

  // Asks all once more, since ends have been attached in the meantime.
  #askAgain (listeners) {
    this.#asked = new Set(listeners.keys())
    this.#ring.announcements.ask(this.#missing.id)
  }
}

module.exports = { MemorySearch }
