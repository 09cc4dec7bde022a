'use strict'

// The calls of one thread that wait at one side of a ring, in order. The first one tries. If it
// cannot continue, the ring announces what it waits for (see ring_wait.h), and it tries again when
// the bell of this thread rings.

const { Promise } = require('../base/globals')
const { listen } = require('../base/abort-signal')
const { createError } = require('../base/errors')
const { createAborted, createTimeout } = require('../base/limits')
const { kFirstSleepMs } = require('../base/slices')
const { now, startTimer, stopTimer } = require('../base/time')
const {
  changeReference, constants, doOthersWait, kMissing, serveAll, startWaiting, stopWaiting
} = require('./thread')
const { WaiterList } = require('./waiter-list')

const { AGAIN, EMPTY, FULL, OK } = constants

// One waiting call: how it is settled, and what may end its wait early.
class Waiter {
  resolve
  reject
  // The Channel, which must not be collected while the call waits.
  channel = undefined
  timer = null
  // For WaiterList.
  isListed = false
  previous = null
  next = null
  #onAbort = null
  #abortListeners = null

  constructor (resolve, reject) {
    this.resolve = resolve
    this.reject = reject
  }

  // Throws if the signal throws.
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
  #side
  #desertedCode
  // In the order of the calls.
  #waiters = new WaiterList()
  #isAnnounced = false
  // Called once no call waits any more.
  #onEmpty = []

  // side: kReceivers or kSenders. desertedCode: the code of the error if no thread is left on the
  // other side.
  constructor (ring, side, desertedCode) {
    this.ring = ring
    this.#side = side
    this.#desertedCode = desertedCode
  }

  // Subclasses implement attempt(waiter). It tries and returns a status; if that is OK, it has
  // resolved the waiter. It may throw, which rejects that waiter only. waiter.need: the length in
  // bytes of the record that the waiter wants room for.

  // Settles a waiter after a status that waiting does not change.
  fail (waiter, status) {
    waiter.reject(this.ring.failure(status, this.#side))
  }

  get isEmpty () { return this.#waiters.first === null }

  // limits: see ../base/limits.js. call: the name of the call, for the message of a timeout.
  add (waiter, limits, call) {
    if (limits.signal !== undefined && this.#listen(waiter, limits.signal)) return
    this.join(waiter)
    if (limits.timeout !== Infinity && waiter.isListed) {
      this.#startTimeout(waiter, limits, call)
    }
  }

  // Adds a waiter that has no limits here.
  join (waiter) {
    waiter.channel = this.ring.channel
    this.#waiters.add(waiter)
    // Behind other waiters it has to wait in any case.
    if (this.#waiters.first === waiter) this.serve()
  }

  // Settles the waiters that can be settled now. The bell will ring for the others.
  serve () {
    for (let waiter; (waiter = this.#waiters.first) !== null;) {
      if (!this.#serveOne(waiter)) return startWaiting(this)
    }
    this.#finish()
  }

  // To be called before a call that does not wait. Returns whether it may try: it may not overtake
  // calls that wait.
  flush () {
    if (!this.isEmpty) this.serve()
    return this.isEmpty
  }

  // Blocks the thread until attempt() returns a status that waiting does not change. Returns that
  // status. need() returns what waiter.need is for other calls.
  block (attempt, need, timeout, call) {
    const start = now()
    const end = start + timeout
    // The calls that wait already come first.
    const attemptInTurn = () => {
      const status = this.#serveBeforeBlocking()
      return isTransient(status) ? status : attempt()
    }
    try {
      for (;;) {
        let status = attemptInTurn()
        if (status === kMissing) this.pause()
        else if (isTransient(status)) status = this.#sleep(attemptInTurn, need, start, end)
        if (!isTransient(status)) return status
        if (now() >= end) throw createTimeout(`Channel.${call}`, { timeout })
        // The event loop does not turn while the thread is blocked, so the calls that wait in other
        // queues of the thread are served here.
        serveAll()
      }
    } finally {
      // After the last sleep the announcement was withdrawn, so the calls that still wait have to
      // announce again.
      if (!this.isEmpty) this.serve()
    }
  }

  // Removes a waiter that has been settled elsewhere. Returns whether the queue has to be served:
  // the next waiter may not have to wait, and without waiters the announcement is withdrawn.
  remove (waiter) {
    const wasFirst = this.#waiters.first === waiter
    this.#waiters.remove(waiter)
    return wasFirst
  }

  whenEmpty () {
    return new Promise((resolve) => this.#onEmpty.push(resolve))
  }

  // Rejects all waiters: this thread leaves the channel.
  abortAll () {
    for (let waiter; (waiter = this.#waiters.first) !== null;) {
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
    const side = this.#side
    const event = ring.announceSync(side, this.#firstNeed() ?? need())
    try {
      let status = attempt()
      if (this.#isDeserted(status)) {
        status = attempt()
        if (this.#isDeserted(status)) throw createError(this.#desertedCode)
      }
      if (!isTransient(status) || status === kMissing) return status
      // If calls wait in other queues of the thread, the sleep is short, so that they are served.
      const maxSleep = doOthersWait(this) ? kFirstSleepMs : Infinity
      ring.sleep(event, { maxSleep, start, end })
      return status
    } finally {
      ring.withdraw(side)
    }
  }

  #firstNeed () {
    return this.#waiters.first?.need
  }

  // Returns whether the waiter has been settled.
  #serveOne (waiter) {
    let status = this.#try(waiter)
    if (isTransient(status) && status !== kMissing) {
      this.ring.announce(this.#side, waiter.need)
      this.#isAnnounced = true
      // Once more, because a thread that acted before the announcement has not seen it.
      status = this.#try(waiter)
    }
    if (this.#isDeserted(status)) {
      status = this.#try(waiter)
      if (this.#isDeserted(status)) {
        this.#drop(waiter)
        waiter.reject(createError(this.#desertedCode))
        return true
      }
    }
    return !isTransient(status)
  }

  // Whether a call would have to wait, but no thread is left on the other side. The caller has to
  // try once more then: the last of those threads may have acted since the last try, before it
  // ended.
  #isDeserted (status) {
    return (status === EMPTY || status === FULL) && this.ring.isDeserted(this.#side)
  }

  // Settles the waiters that can be settled now, without announcing the others. Returns the status
  // of the first one that still has to wait, or OK if there is none.
  #serveBeforeBlocking () {
    for (let waiter; (waiter = this.#waiters.first) !== null;) {
      const status = this.#try(waiter)
      if (isTransient(status)) return status
      if (this.isEmpty) this.#finish()
    }
    return OK
  }

  // Lets the waiter try. It is settled unless the status is transient.
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

  // Returns true if the signal fired at once: some signals do when a listener is added. Throws if
  // the signal throws.
  #listen (waiter, signal) {
    let hasFired = false
    waiter.listen(signal, () => {
      hasFired = true
      this.#rejectEarly(waiter, createAborted(signal))
    })
    return hasFired
  }

  #startTimeout (waiter, limits, call) {
    const expire = () => {
      this.#rejectEarly(waiter, createTimeout(`Channel.${call}`, limits))
    }
    if (limits.timeout === 0) return expire()
    waiter.timer = startTimer(() => {
      // The bell may have rung already without having been handled yet.
      this.serve()
      if (waiter.isListed) expire()
    }, limits.timeout)
  }

  #rejectEarly (waiter, error) {
    this.#drop(waiter)
    waiter.reject(error)
    // The next waiter may need less room. If there is none, the announcement is withdrawn.
    this.serve()
  }

  #drop (waiter) {
    this.#waiters.remove(waiter)
    waiter.stopListening()
    stopTimer(waiter.timer)
  }

  // No call waits any more. If a wake-up for this end is under way, withdraw() passes it on to
  // another end.
  #finish () {
    stopWaiting(this)
    if (this.#isAnnounced) {
      this.#isAnnounced = false
      this.ring.withdraw(this.#side)
    }
    for (const resolve of this.#onEmpty.splice(0)) resolve()
  }
}

// The queues that have to be served because a call has left them.
const left = []
let isServingLeft = false

// Takes a call out of all queues in which it waits, after one of them has settled it: `settled` is
// its waiter there, which that queue drops, or null. `places`: { queue, waiter } for each. A queue
// that is served now may settle another call that waits in several queues, and so on. They are
// served one after the other, as nested calls might exceed the stack.
function leaveQueues (places, settled) {
  for (const { queue, waiter } of places) {
    if (queue.remove(waiter) && waiter !== settled) left.push(queue)
  }
  if (isServingLeft) return
  isServingLeft = true
  try {
    for (let queue; (queue = left.pop()) !== undefined;) queue.serve()
  } finally {
    isServingLeft = false
  }
}

// Whether a call that got this status may wait, because a later try may have another result.
function isTransient (status) {
  return status === EMPTY || status === FULL || status === AGAIN || status === kMissing
}

module.exports = { WaitQueue, Waiter, isTransient, leaveQueues }
