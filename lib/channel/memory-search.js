'use strict'

// Waits until some thread tells of a memory that a record names, or until it is clear
// that none will: the sender, which would, has ended, and nobody else has answered.

const native = require('../native')
const { directory } = require('./directory')

const kLookMs = 50
const kPauseMs = 2
// After the sender's end, for others who know the memory and have to turn their event loops.
const kPatienceMs = 1000

const pause = new Int32Array(new SharedArrayBuffer(4))

class MemorySearch {
  // The record is to be given up.
  isLost = false
  #onChange
  #missing = null
  #stopAsking = null
  #timer = null
  // Until the record has been read: the directory's own reference is weak.
  #buffer = null
  #waitedMs = 0

  // onChange: called from the event loop when the record can be read, or is lost; see watch().
  constructor (onChange) {
    this.#onChange = onChange
  }

  get isOn () { return this.#missing !== null }

  // `missing`: { id, length, thread }, the memory and the thread that named it.
  begin (missing) {
    if (this.#missing !== null && this.#missing.id === missing.id) return
    this.end()
    this.#missing = missing
    this.#stopAsking = directory.request(missing.id, (buffer) => {
      this.#buffer = buffer
      if (this.#timer !== null) this.#onChange()
    })
  }

  // For an event loop. What waits keeps the thread alive, or does not; the timer does not.
  watch () {
    if (this.#timer !== null) return
    this.#timer = setInterval(() => {
      this.#look(kLookMs)
      if (this.isLost) this.#onChange()
    }, kLookMs).unref()
  }

  // For a thread whose event loop does not turn.
  pause () {
    Atomics.wait(pause, 0, 0, kPauseMs)
    directory.drain()
    if (this.#buffer === null) this.#look(kPauseMs)
  }

  end () {
    this.isLost = false
    this.#missing = null
    this.#buffer = null
    this.#waitedMs = 0
    this.#stopAsking?.()
    this.#stopAsking = null
    clearInterval(this.#timer)
    this.#timer = null
  }

  #look (milliseconds) {
    if (native.isThreadAlive(this.#missing.thread)) return
    this.#waitedMs += milliseconds
    if (this.#waitedMs >= kPatienceMs) this.isLost = true
  }
}

module.exports = { MemorySearch }
