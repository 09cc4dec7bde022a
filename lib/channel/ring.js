'use strict'

// This thread's end of one ring: the calls into C, and the notifications that C leaves to
// JavaScript, because native code cannot wake a thread that sleeps in Atomics.wait(). Only sleep()
// blocks.

const { Atomics, Int32Array, Map, WeakRef } = require('../base/globals')
const native = require('../base/native')
const { createError } = require('../base/errors')
const { sleepBlocked } = require('../base/slices')
const { Announcements } = require('./announcements')
const { endIdOf, kNotInTable } = require('./end-id')
const { Reason } = require('./reason')
const { kKindMask, kNamedRecord, numberOf } = require('./record')
const { constants, core: thread, info, kWake } = require('./thread')

const {
  ABORTED, BUSY, CLOSED, LIMIT, NO_MEMORY,
  kDropNewest, kDropOldest, kEvent, kEventOffset, kEventStride, kMaxEnds, kMaxOpen, kSenders,
  kStateAborted, kStateOpen, kWakeAll, kWakeDropped, kWakeFirst, kWakeSecond
} = constants

class Ring {
  // The id of the channel, which is the same in all threads.
  id
  bytes
  words
  capacity
  maxRecord
  flags
  // The functions of C. Each call that may set info[kWake] has to be followed by
  // `if (info[kWake] !== 0) ring.wake()`.
  core
  // Which buffers the records name.
  announcements
  // True once this thread may send and receive.
  isAttached = false
  // The index of this end in the ring's table; negative while it is not in the table.
  #endpoint = kNotInTable
  #reason
  // The Channel of this thread, held weakly.
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
    // Nobody will read these records and say so.
    if ((this.flags & kDropOldest) !== 0) core.watchDrops(kKindMask, kNamedRecord)
  }

  // Whether a record for which there is no room is dropped.
  get dropsNewest () { return (this.flags & kDropNewest) !== 0 }

  // Waiting calls and open reservations and claims keep a reference to the Channel, so that it is
  // not collected and its end is not detached.
  get channel () { return this.#channel?.deref() }

  set channel (channel) { this.#channel = new WeakRef(channel) }

  // Enters this end into the table of the ends that may send and receive. If the table is full, it
  // is attach() that throws.
  enter () {
    if (this.#endpoint < 0) this.#endpoint = this.core.attach()
  }

  // To be called before the first record is sent or received.
  attach () {
    if (this.isAttached) return
    this.enter()
    if (this.#endpoint === -LIMIT) {
      throw createError('ERR_TELAR_CHANNEL_ENDS',
        `${kMaxEnds} threads use the channel already, which is its maximum`)
    }
    if (this.#endpoint < 0) throw this.failure(-this.#endpoint)
    this.isAttached = true
    // Before the port is open: other threads have to ask every thread that may have heard of a
    // buffer.
    this.core.listen()
    this.announcements.open()
  }

  // Gives open reservations and claims back, and shows the other ends that this one has left.
  detach () {
    if (this.#endpoint < 0) return
    this.#endpoint = kNotInTable
    this.core.detach()
    this.wake()
    this.isAttached = false
    this.announcements.close()
  }

  // ---- waiting; `side`: kReceivers or kSenders, the side at which this end waits ----

  announce (side, need) {
    this.core.wait(side, need)
  }

  withdraw (side) {
    this.core.waitCancel(side)
    if (info[kWake] !== 0) this.wake()
  }

  // Returns the value to pass to sleep(), after one more try.
  announceSync (side, need) {
    this.core.waitSync(side, need)
    return info[kEvent] | 0
  }

  // Blocks until C has woken this end, or one of the limits of sleepBlocked() is reached.
  sleep (event, limits) {
    sleepBlocked(this.words, eventIndex(this.#endpoint), event, limits)
  }

  get endId () { return endIdOf(this.#endpoint, native.threadNumber) }

  // The other ends whose threads hear announcements: id of the end → number of its thread.
  listeners () {
    const found = new Map()
    for (let endpoint = 0; endpoint < kMaxEnds; endpoint++) {
      const thread = this.core.listener(endpoint)
      if (thread === 0 || endpoint === this.#endpoint || !native.isThreadAlive(thread)) continue
      found.set(endIdOf(endpoint, thread), thread)
    }
    return found
  }

  // Whether no thread is left on the other side, so that waiting at `side` would never end.
  isDeserted (side) {
    return this.core.isDeserted(side)
  }

  // Wakes the blocked threads that C has picked, and gives up what the records named that it has
  // dropped.
  wake () {
    const wake = info[kWake]
    info[kWake] = 0
    if ((wake & kWakeDropped) !== 0) this.#acknowledgeDropped()
    if ((wake & kWakeFirst) !== 0) Atomics.notify(this.words, eventIndex(wake >>> 8 & 255))
    if ((wake & kWakeSecond) !== 0) Atomics.notify(this.words, eventIndex(wake >>> 16 & 255))
    if ((wake & kWakeAll) !== 0) {
      for (let endpoint = 0; endpoint < kMaxEnds; endpoint++) {
        Atomics.notify(this.words, eventIndex(endpoint))
      }
    }
  }

  #acknowledgeDropped () {
    const headers = this.core.takeDropped()
    for (let at = 0; at < headers.length; at += 2) {
      this.announcements.acknowledge(`${headers[at + 1]}:${numberOf(headers[at])}`)
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

  // The error for a status that waiting does not change.
  failure (status, side) {
    const isSender = side === kSenders
    switch (status) {
      case ABORTED:
        return createError('ERR_TELAR_CHANNEL_ABORTED', this.#reason.read())
      case CLOSED:
        return createError('ERR_TELAR_CHANNEL_CLOSED')
      case BUSY: {
        const [option, role] = isSender ? ['producers', 'producer'] : ['consumers', 'consumer']
        return createError('ERR_TELAR_CHANNEL_ENDS',
          `the channel was made with ${option}: 'one', and another thread is its ${role}`)
      }
      case LIMIT:
        return createError('ERR_TELAR_CHANNEL_ENDS', `this thread has ${kMaxOpen} open ` +
          `${isSender ? 'reservations' : 'claims'} in the channel already, which is the maximum`)
      default:
        return corruptError()
    }
  }
}

function eventIndex (endpoint) {
  return (kEventOffset + endpoint * kEventStride) >>> 2
}

function openError (status) {
  if (status !== NO_MEMORY) return corruptError()
  const message = 'there is not enough memory for another end of a channel'
  return createError('ERR_TELAR_INVALID_ARGUMENT', message)
}

function corruptError () {
  return createError('ERR_TELAR_CORRUPT_STATE', 'Channel', 'a ring of records', 'something else')
}

module.exports = { Ring }
