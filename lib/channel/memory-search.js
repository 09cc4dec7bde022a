'use strict'

// Waits until some thread gives a memory that a record names, or until it is clear that none
// will: all that may have been told of it have ended, or say that they have not got it. When the
// sender, which has, is gone, the others get a second to say so.

const { Atomics, Int32Array, Set, SharedArrayBuffer } = require('../base/globals')
const native = require('../base/native')
const { startTimer, stopTimer } = require('../base/time')
const { kLeft, placeOf } = require('./place')

const kLookMs = 50
const kPauseMs = 2
// After the sender's end, for others who may know the memory and have to turn their event loops.
const kPatienceMs = 1000

const pause = new Int32Array(new SharedArrayBuffer(4))

class MemorySearch {
  // The record is to be given up.
  isLost = false
  #ring
  #onChange
  #missing = null
  #stopAsking = null
  #timer = null
  // Until the record has been read: the directory's own reference is weak.
  #buffer = null
  #waitedMs = 0
  // Places of those that were asked, and of those that have not got it.
  #asked = new Set()
  #denied = new Set()

  // onChange: called from the event loop when the record can be read, or is lost; see watch().
  constructor (ring, onChange) {
    this.#ring = ring
    this.#onChange = onChange
  }

  get isOn () { return this.#missing !== null }

  // `missing`: { id, length, thread }, the memory and the thread that named it.
  begin (missing) {
    if (this.#missing !== null && this.#missing.id === missing.id) return
    this.end()
    this.#missing = missing
    this.#asked = new Set(this.#ring.listeners().keys())
    this.#stopAsking = this.#ring.announcements.request(missing.id, (buffer) => {
      this.#buffer = buffer
      if (this.#timer !== null) this.#onChange()
    }, (place) => {
      this.#denied.add(place)
      if (this.#buffer === null) this.#look(0)
      if (this.isLost && this.#timer !== null) this.#onChange()
    })
    this.#look(0)
  }

  // For an event loop. What waits keeps the thread alive, or does not; the timer does not.
  watch () {
    if (this.#timer !== null) return
    this.#timer = startTimer(() => {
      this.#timer = null
      this.watch()
      this.#look(kLookMs)
      if (this.isLost) this.#onChange()
    }, kLookMs)
  }

  // For a thread whose event loop does not turn.
  pause () {
    Atomics.wait(pause, 0, 0, kPauseMs)
    this.#ring.announcements.drain()
    if (this.#buffer === null) this.#look(kPauseMs)
  }

  end () {
    this.isLost = false
    this.#missing = null
    this.#buffer = null
    this.#waitedMs = 0
    this.#denied.clear()
    this.#stopAsking?.()
    this.#stopAsking = null
    stopTimer(this.#timer)
    this.#timer = null
  }

  #look (milliseconds) {
    const { thread } = this.#missing
    this.#waitedMs += milliseconds
    const others = this.#ring.listeners()
    let mayCome = false
    let isSenderThere = false
    for (const [place, number] of others) {
      if (!this.#asked.has(place)) this.#ask(others)
      if (this.#denied.has(place)) continue
      mayCome = true
      isSenderThere ||= number === thread
    }
    // One that has left the channel answers as long as its record is on its way.
    if (!this.#denied.has(placeOf(kLeft, thread)) && native.isThreadAlive(thread)) mayCome = true
    this.isLost = !isSenderThere && (!mayCome || this.#waitedMs >= kPatienceMs)
  }

  // Some have come since.
  #ask (others) {
    this.#asked = new Set(others.keys())
    this.#ring.announcements.ask(this.#missing.id)
  }
}

module.exports = { MemorySearch }
