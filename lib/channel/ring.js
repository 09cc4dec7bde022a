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
  ABORTED, BUSY, CLOSED, LIMIT, NO_MEMORY, OK, kEndsMost, kEvent, kOpenMost, kReceivers, kReceiversEvent, kSenders, kSendersEvent,
  kStateAborted, kStateOpen, kWakeReceiver, kWakeReceivers, kWakeSender, kWakeSenders
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
  #isAttached = false
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

  // Into the table of those that send and receive.
  attach () {
    if (this.#isAttached) return
    const status = this.core.attach()
    if (status === LIMIT) throw createError('ERR_TELAR_CHANNEL_ENDS', `as many threads use the channel as can at a time: ${kEndsMost}`)
    if (status !== OK) throw this.failure(status)
    this.#isAttached = true
    directory.watch(this.id, this.held)
  }

  // What is open is given back, and the others learn that this end is gone.
  detach () {
    if (!this.#isAttached) return
    this.#isAttached = false
    this.core.detach()
    this.wake()
    this.held.clear()
    directory.unwatch(this.id)
  }

  get isAttached () { return this.#isAttached }

  // ---- waiting; `side` is what this end waits as ----

  announce (side, need) {
    this.core.wait(side, need)
  }

  withdraw (side) {
    this.core.waitCancel(side)
    if (info[kWake] !== 0) this.wake()
  }

  // What to give to sleep() after one more try.
  announceSync (side) {
    this.core.waitSync(side)
    return info[kEvent] | 0
  }

  sleep (side, event, milliseconds) {
    Atomics.wait(this.words, (side === kReceivers ? kReceiversEvent : kSendersEvent) >>> 2, event, milliseconds)
  }

  withdrawSync (side) {
    this.core.waitSyncCancel(side)
    if (info[kWake] !== 0) this.wake()
  }

  isDeserted (side) {
    return this.core.isDeserted(side)
  }

  wake () {
    const wake = info[kWake]
    info[kWake] = 0
    if ((wake & (kWakeReceiver | kWakeReceivers)) !== 0) this.#notify(kReceiversEvent, (wake & kWakeReceivers) !== 0)
    if ((wake & (kWakeSender | kWakeSenders)) !== 0) this.#notify(kSendersEvent, (wake & kWakeSenders) !== 0)
  }

  #notify (event, all) {
    Atomics.notify(this.words, event >>> 2, all ? Infinity : 1)
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

function openError (status) {
  if (status === NO_MEMORY) return createError('ERR_TELAR_INVALID_ARGUMENT', 'there is not enough memory for another end of a channel')
  return createError('ERR_TELAR_CORRUPT_STATE', 'Channel', 'a ring of records', 'something else')
}

module.exports = { Ring }
