'use strict'

// This thread's end of one ring: the calls into C, and the notifications that C leaves
// to JavaScript, since native code and Atomics.wait do not see each other. Nothing here waits
// but sleep().

const { createError } = require('../errors')
const { directory } = require('./directory')
const { Held } = require('./held')
const { Reason } = require('./reason')
const { constants, core: thread, info, kWake } = require('./thread')

const {
  ABORTED, BUSY, CLOSED, LIMIT, NO_MEMORY, kEndsMost, kEvent, kEventOffset, kEventStride, kOpenMost, kSenders, kStateAborted,
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
  // Memories that records name, on their way.
  held = new Held()
  // Whether it sends and receives.
  isAttached = false
  // In the table of the ring; negative: not in it.
  #endpoint = -1
  #reason

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
  }

  // Into the table of those that may send and receive. A full one is attach()'s to tell.
  enter () {
    if (this.#endpoint < 0) this.#endpoint = this.core.attach()
  }

  // Before the first record is sent or received.
  attach () {
    if (this.isAttached) return
    this.enter()
    if (this.#endpoint === -LIMIT) throw createError('ERR_TELAR_CHANNEL_ENDS', `as many threads use the channel as can at a time: ${kEndsMost}`)
    if (this.#endpoint < 0) throw this.failure(-this.#endpoint)
    this.isAttached = true
    directory.watch(this.id, this.held)
  }

  // What is open is given back, and the others learn that this end is gone.
  detach () {
    if (this.#endpoint < 0) return
    this.#endpoint = -1
    this.core.detach()
    this.wake()
    this.isAttached = false
    this.held.clear()
    directory.unwatch(this.id)
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

  // Until C has woken this end, or the time is over.
  sleep (event, milliseconds) {
    Atomics.wait(this.words, eventIndex(this.#endpoint), event, milliseconds)
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
      for (let endpoint = 0; endpoint < kEndsMost; endpoint++) Atomics.notify(this.words, eventIndex(endpoint))
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
    this.held.clear()
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
        return createError('ERR_TELAR_CHANNEL_ENDS', `as many ${isSender ? 'reservations' : 'claims'} of this thread are open as can be: ${kOpenMost}`)
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
