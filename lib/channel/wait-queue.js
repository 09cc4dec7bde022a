'use strict'

// The calls of one thread that wait at one side of a ring, in their order. The first one
// is tried; what it cannot have yet, the ring announces (see ring_wait.h), and the bell of
// this thread makes it try again.

const { Promise, Set } = require('../base/globals')
const { listen } = require('../base/abort-signal')
const { createError } = require('../base/errors')
const { createAborted, createTimeout } = require('../base/limits')
const native = require('../base/native')
const { kFirstSleepMs } = require('../base/slices')
const { now, startTimer, stopTimer } = require('../base/time')
const {
  changeReference, constants, isAwaited, kMissing, serveAll, startWaiting, stopWaiting
} = require('./thread')

const { AGAIN, EMPTY, FULL, OK } = constants

// One call: how it is settled, and what takes it out of the line early.
class Waiter {
  resolve
  reject
  // The Channel, which must not be collected.
  channel = undefined
  timer = null
  #onAbort = null
  #abortListeners = null

  constructor (resolve, reject) {
    this.resolve = resolve
    this.reject = reject
  }

  // Throws what the signal throws.
  listen (signal, onAbort) {
    this.#onAbort = onAbort
    this.#abortListeners = listen(signal, onAbort)
  }

  stopListening () {
    this.#abortListeners?.remove(this.#onAbort)
  }
}

class WaitQueue {
  isReferenced = true
  ring
  #kind
  #deserted
  // In the order of their calls.
  #waiters = new Set()
  #isAnnounced = false
  // Called once nobody waits any more.
  #onEmpty = []

  // kind: kReceivers or kSenders, for C. deserted: the code of the error where all of the
  // other side are gone.
  constructor (ring, kind, deserted) {
    this.ring = ring
    this.#kind = kind
    this.#deserted = deserted
  }

  // For subclasses. attempt(waiter) tries, and answers a status; OK: the waiter is resolved. It may
  // throw what concerns that waiter alone. waiter.need: bytes of the record that wants room.

  // Settles a waiter after a status that does not pass.
  fail (waiter, status) {
    waiter.reject(this.ring.failure(status, this.#kind))
  }

  get isEmpty () { return this.#waiters.size === 0 }

  // limits: see ../base/limits.js. call: its name, for the error of a timeout.
  add (waiter, limits, call) {
    if (limits.signal !== undefined && this.#isAborted(waiter, limits.signal)) return
    waiter.channel = this.ring.channel
    this.#waiters.add(waiter)
    // Behind another one it would have to wait in any case.
    if (this.#waiters.size === 1) this.serve()
    if (limits.timeout !== Infinity && this.#waiters.has(waiter)) this.#limit(waiter, limits, call)
  }

  // Settles what can be settled now; the bell rings for the rest.
  serve () {
    for (const waiter of this.#waiters) {
      if (!this.#serveOne(waiter)) return startWaiting(this)
    }
    this.#finish()
  }

  // For a call that does not wait: whether nobody waits before it.
  isClear () {
    if (!this.isEmpty) this.serve()
    return this.isEmpty
  }

  // Blocks the thread until attempt() answers something that does not pass, OK or not. need(): see
  // waiter.need.
  block (attempt, need, timeout, call) {
    const start = now()
    const end = start + timeout
    // Those who wait already come first.
    const inTurn = () => {
      const status = this.#serveNow()
      return isTransient(status) ? status : attempt()
    }
    try {
      for (;;) {
        let status = inTurn()
        if (status === kMissing) this.pause()
        else if (isTransient(status)) status = this.#sleep(inTurn, need, start, end)
        if (!isTransient(status)) return status
        if (now() >= end) throw createTimeout(`Channel.${call}`, { timeout })
        // The event loop does not turn meanwhile: the other calls that wait here get their turn.
        serveAll()
      }
    } finally {
      // What was announced for those who wait on has been taken back with the last sleep.
      if (!this.isEmpty) this.serve()
    }
  }

  whenEmpty () {
    return new Promise((resolve) => this.#onEmpty.push(resolve))
  }

  // Nobody is going to serve this side any more.
  giveUpAll () {
    for (const waiter of this.#waiters) {
      this.#drop(waiter)
      waiter.reject(createError('ERR_TELAR_ABORTED', undefined, 'call'))
    }
    this.#finish()
  }

  setReferenced (isReferenced) {
    if (this.isReferenced === isReferenced) return
    this.isReferenced = isReferenced
    changeReference(this)
  }

  #sleep (attempt, need, start, end) {
    const { ring } = this
    const kind = this.#kind
    const ended = native.endedThreads()
    const event = ring.announceSync(kind, this.#firstNeed() ?? need())
    try {
      let status = attempt()
      if (this.#isDeserted(status)) {
        status = attempt()
        if (this.#isDeserted(status)) throw createError(this.#deserted)
      }
      if (!isTransient(status) || status === kMissing) return status
      // Where other calls of the thread wait as well, they have to get their turn.
      const maxSleep = isAwaited(this) ? kFirstSleepMs : Infinity
      ring.sleep(event, { maxSleep, start, end, ended })
      return status
    } finally {
      ring.withdraw(kind)
    }
  }

  #firstNeed () {
    return this.#waiters.values().next().value?.need
  }

  #serveOne (waiter) {
    let status = this.#try(waiter)
    if (isTransient(status) && status !== kMissing) {
      this.ring.announce(this.#kind, waiter.need)
      this.#isAnnounced = true
      // Once more: who acted before the announcement has not seen it.
      status = this.#try(waiter)
    }
    if (this.#isDeserted(status)) {
      status = this.#try(waiter)
      if (this.#isDeserted(status)) {
        this.#drop(waiter)
        waiter.reject(createError(this.#deserted))
        return true
      }
    }
    return !isTransient(status)
  }

  // Whether a call has to wait, and nobody is left to wait for. To be tried once more then: the
  // last one may have acted, and ended, since it was tried.
  #isDeserted (status) {
    return (status === EMPTY || status === FULL) && this.ring.isDeserted(this.#kind)
  }

  // The status of the first one that has to wait on, else OK.
  #serveNow () {
    for (const waiter of this.#waiters) {
      const status = this.#try(waiter)
      if (isTransient(status)) return status
      if (this.isEmpty) this.#finish()
    }
    return OK
  }

  // Settles the waiter, unless the status may pass.
  #try (waiter) {
    let status
    try {
      status = this.attempt(waiter)
    } catch (error) {
      this.#drop(waiter)
      waiter.reject(error)
      return OK
    }
    if (isTransient(status)) return status
    this.#drop(waiter)
    if (status !== OK) this.fail(waiter, status)
    return status
  }

  // True: by a signal that fires as soon as somebody listens. Throws what the signal throws.
  #isAborted (waiter, signal) {
    let isGivenUp = false
    waiter.listen(signal, () => {
      isGivenUp = true
      this.#giveUp(waiter, createAborted(signal))
    })
    return isGivenUp
  }

  #limit (waiter, limits, call) {
    const giveUp = () => this.#giveUp(waiter, createTimeout(`Channel.${call}`, limits))
    if (limits.timeout === 0) return giveUp()
    waiter.timer = startTimer(() => {
      this.serve() // what has come meanwhile counts, though the bell for it has not been heard
      if (this.#waiters.has(waiter)) giveUp()
    }, limits.timeout)
  }

  #giveUp (waiter, error) {
    this.#drop(waiter)
    waiter.reject(error)
    // The next one may need less; or there is nobody to ring for any more.
    this.serve()
  }

  #drop (waiter) {
    this.#waiters.delete(waiter)
    waiter.stopListening()
    stopTimer(waiter.timer)
  }

  // Takes back what is announced: a wake-up that is on its way here goes to another end.
  #finish () {
    stopWaiting(this)
    if (this.#isAnnounced) {
      this.#isAnnounced = false
      this.ring.withdraw(this.#kind)
    }
    for (const resolve of this.#onEmpty.splice(0)) resolve()
  }
}

function isTransient (status) {
  return status === EMPTY || status === FULL || status === AGAIN || status === kMissing
}

module.exports = { WaitQueue, Waiter, isTransient }
