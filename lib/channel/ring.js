'use strict'

// This thread's end of one ring: the calls into C, and the notifications that C leaves
// to JavaScript, since native code and Atomics.wait do not see each other. Nothing here waits
// but sleep().

const { Atomics, Int32Array, Map, WeakRef } = require('../base/globals')
const native = require('../base/native')
const { createError } = require('../base/errors')
const { sleepBlocked } = require('../base/slices')
const { Announcements } = require('./announcements')
const { kLeft, placeOf } = require('./place')
const { Reason } = require('./reason')
const { constants, core: thread, info, kWake } = require('./thread')

const {
  ABORTED, BUSY, CLOSED, LIMIT, NO_MEMORY, kMaxEnds, kEvent, kEventOffset, kEventStride, kMaxOpen, kSenders, kStateAborted,
  kStateOpen, kWakeAll, kWakeFirst, kWakeSecond
} = constants

class Ring {
  // A number that all threads know it by.
  id
  bytes
  words
  capacity
  maxRecord
  flags
  // The functions of C. After each, `if (info[kWake] !== 0) ring.wake()`.
  core
  // Of the memories that records name.
  announcements
  // Whether it sends and receives.
  isAttached = false
  // In the table of the ring; negative: not in it.
  #endpoint = kLeft
  #reason
  // The Channel of this thread, weakly.
  #channel = null

  // `bytes`: a Uint8Array over the ring's memory, from its start.
  constructor (id, bytes) {
    const core = thread.open(bytes)
    if (typeof core === 'number') throw openError(-core)
    this.id = id
    this.bytes = bytes
    this.words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2)
    this.core = core
    this.capacity = core.capacity
    this.maxRecord = core.maxRecord
    this.flags = core.flags
    this.#reason = new Reason(bytes.buffer)
    this.announcements = new Announcements(this)
  }

  // What is open or waits refers to its Channel: an object with pending calls is not collected,
  // and its end is not given up.
  get channel () { return this.#channel?.deref() }

  set channel (channel) { this.#channel = new WeakRef(channel) }

  // Into the table of those that may send and receive. A full one is attach()'s to tell.
  enter () {
    if (this.#endpoint < 0) this.#endpoint = this.core.attach()
  }

  // Before the first record is sent or received.
  attach () {
    if (this.isAttached) return
    this.enter()
    if (this.#endpoint === -LIMIT) throw createError('ERR_TELAR_CHANNEL_ENDS', `as many threads use the channel as can at a time: ${kMaxEnds}`)
    if (this.#endpoint < 0) throw this.failure(-this.#endpoint)
    this.isAttached = true
    this.core.listen() // before it does: who is told of something is to be asked for it
    this.announcements.open()
  }

  // What is open is given back, and the others learn that this end is gone.
  detach () {
    if (this.#endpoint < 0) return
    this.#endpoint = kLeft
    this.core.detach()
    this.wake()
    this.isAttached = false
    this.announcements.close()
  }

  // ---- waiting; `side` is what this end waits as ----

  announce (side, need) {
    this.core.wait(side, need)
  }

  withdraw (side) {
    this.core.waitCancel(side)
    if (info[kWake] !== 0) this.wake()
  }

  // What to give to sleep() after one more try.
  announceSync (side, need) {
    this.core.waitSync(side, need)
    return info[kEvent] | 0
  }

  // Until C has woken this end, or what `limits` say: see slices.js.
  sleep (event, limits) {
    sleepBlocked(this.words, eventIndex(this.#endpoint), event, limits)
  }

  // What other threads know it by.
  get place () { return placeOf(this.#endpoint, native.threadNumber) }

  // The other ends whose threads are told of memories: place → number of the thread.
  listeners () {
    const found = new Map()
    for (let endpoint = 0; endpoint < kMaxEnds; endpoint++) {
      const thread = this.core.listener(endpoint)
      if (thread === 0 || endpoint === this.#endpoint || !native.isThreadAlive(thread)) continue
      found.set(placeOf(endpoint, thread), thread)
    }
    return found
  }

  isDeserted (side) {
    return this.core.isDeserted(side)
  }

  wake () {
    const wake = info[kWake]
    info[kWake] = 0
    if ((wake & kWakeFirst) !== 0) Atomics.notify(this.words, eventIndex(wake >>> 8 & 255))
    if ((wake & kWakeSecond) !== 0) Atomics.notify(this.words, eventIndex(wake >>> 16 & 255))
    if ((wake & kWakeAll) !== 0) {
      for (let endpoint = 0; endpoint < kMaxEnds; endpoint++) Atomics.notify(this.words, eventIndex(endpoint))
    }
  }

  // ---- the ring as a whole ----

  close () {
    this.core.close()
    this.wake()
  }

  abort (reason) {
    this.#reason.write(reason)
    this.core.abort()
    this.wake()
    this.announcements.clear()
  }

  get isOpen () { return this.core.state() === kStateOpen }
  get isAborted () { return this.core.state() === kStateAborted }
  get stats () { return this.core.stats() }

  // For a status that does not pass by waiting.
  failure (status, side) {
    const isSender = side === kSenders
    switch (status) {
      case ABORTED:
        return createError('ERR_TELAR_CHANNEL_ABORTED', this.#reason.read())
      case CLOSED:
        return createError('ERR_TELAR_CHANNEL_CLOSED')
      case BUSY:
        return createError('ERR_TELAR_CHANNEL_ENDS', `the channel was made for ${isSender ? 'producers' : 'consumers'}: 'one', and another thread is the one`)
      case LIMIT:
        return createError('ERR_TELAR_CHANNEL_ENDS', `as many ${isSender ? 'reservations' : 'claims'} of this thread are open as can be: ${kMaxOpen}`)
      default:
        return createError('ERR_TELAR_CORRUPT_STATE', 'Channel', 'a ring of records', 'something else')
    }
  }
}

function eventIndex (endpoint) {
  return (kEventOffset + endpoint * kEventStride) >>> 2
}

function openError (status) {
  if (status === NO_MEMORY) return createError('ERR_TELAR_INVALID_ARGUMENT', 'there is not enough memory for another end of a channel')
  return createError('ERR_TELAR_CORRUPT_STATE', 'Channel', 'a ring of records', 'something else')
}

module.exports = { Ring }
