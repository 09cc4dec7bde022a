'use strict'

// A word that threads take something from: a lock, a permit. TakeWaiter it is one
// compare-and-swap, for whoever comes first. That is fast, since the thread that
// runs gets on, and unfair, since the one that was woken finds the word taken
// again. So a waiter that has waited for a millisecond reserves it: as long as a
// reservation stands, nobody else takes. The oldest waiter ousts the others from it.
//
// Words from `at`, which is even:
//   0     state: kReserved, kWaiters, and the payload
//   1     counts up when the heir should look, and with it those of its thread that wait behind
//   2     the next ticket
//   4, 5  heir, 64 bits: ticket << 32 | number of the thread, or 0
//
// kWaiters: somebody sleeps on the state, and is to be woken by whoever gives
// something back. The waker takes the mark away; who was woken sets it again,
// whether it takes or goes back to sleep, since others may still be there.
// kReserved: only the heir takes, and sleeps on word 1. The mark is set after the
// heir has been written, and taken away before it is cleared.
//
// Any of these marks and words may be left behind by a thread that was ended.
// Each waiter looks after a slice at the latest, or when a thread has ended, and a dead heir is
// none.
// A reservation is its thread's: a call that blocks the thread must not wait for
// another of the same thread.

const { Atomics, BigInt, BigInt64Array, Number } = require('../base/globals')
const native = require('../base/native')
const { kLongestSlice } = require('../base/slices')
const { now } = require('../base/time')
const { Waiter, waitAsync, waitSync } = require('./waiter')

const kReserved = -0x8000_0000
const kWaiters = 0x4000_0000
const kPayload = 0x3fff_ffff

const kHeirEvent = 1
const kTicket = 2
const kHeir = 4

const kPatience = 1 // ms
// An heir whose event loop is busy has so long to come, then others pass.
const kGrace = 20 // ms

const kThreadBits = 32n
const threadOf = (heir) => Number(heir & 0xffff_ffffn)
const ticketOf = (heir) => Number(heir >> kThreadBits) | 0
const isOlder = (ticket, other) => ((ticket - other) | 0) < 0

// Subclasses say what taking means:
//   take(payload, isThorough)  the payload once something was taken, or -1 if there
//                              is nothing. Throws for what cannot be there. Thorough:
//                              what takes longer than a look is asked as well.
//   taken(before, after)       it was taken; words are payloads
class FairWord {
  words
  at
  #longs
  #heirAt
  // The waiter in whose name this thread has the reservation.
  #heir = null

  constructor (words, at) {
    this.words = words
    this.at = at
    this.#longs = new BigInt64Array(words.buffer)
    this.#heirAt = (at + kHeir) / 2
  }

  get payload () { return Atomics.load(this.words, this.at) & kPayload }

  // Takes it if that is possible now.
  tryTake () {
    return this.#tryTake(null, true)
  }

  // False: the time is over. `taken` is called at once when it was taken.
  takeSync (limits, isSpinning) {
    return waitSync(new TakeWaiter(this, isSpinning), limits)
  }

  takeAsync (limits, isSpinning, taken) {
    return waitAsync(new TakeWaiter(this, isSpinning, taken), limits)
  }

  // Gives back: `give(payload)` is the payload afterwards. Wakes up to `count`.
  put (give, count) {
    const { words, at } = this
    for (;;) {
      const state = Atomics.load(words, at)
      const payload = give(state & kPayload)
      if (state < 0) {
        const next = kReserved | (state & kWaiters) | payload
        if (Atomics.compareExchange(words, at, state, next) !== state) continue
        this.#callHeir()
      } else {
        if (Atomics.compareExchange(words, at, state, payload) !== state) continue
        if ((state & kWaiters) !== 0) Atomics.notify(words, at, count)
      }
      return
    }
  }

  #callHeir () {
    Atomics.add(this.words, this.at + kHeirEvent, 1)
    Atomics.notify(this.words, this.at + kHeirEvent)
  }

  // ---- for attempts ----

  #tryTake (waiter, isThorough) {
    const { words, at } = this
    for (;;) {
      const state = Atomics.load(words, at)
      const before = state & kPayload
      const after = this.take(before, isThorough)
      if (after < 0) return false
      let next = after | (state & kWaiters)
      if (waiter !== null && waiter.hasSlept) next |= kWaiters
      if (state < 0) {
        if (!this.#mayPass(waiter, isThorough)) return false
        if (this.#heir !== null && this.#heir !== waiter) next |= kReserved
      }
      if (Atomics.compareExchange(words, at, state, next) !== state) continue
      if (waiter !== null && this.#heir === waiter) {
        this.#clearHeir()
        if ((next & kWaiters) !== 0) Atomics.notify(words, at, 1) // to have a new heir
      }
      this.taken(before, after)
      // There may be more for others.
      if ((next & kWaiters) !== 0 && this.take(after, false) >= 0) Atomics.notify(words, at, 1)
      return true
    }
  }

  // Whether the reservation that stands does not keep this thread off.
  #mayPass (waiter, isThorough) {
    if (this.#heir !== null) {
      if (threadOf(this.#loadHeir()) === native.threadNumber) return true
      this.#heir = null // an older one has it now
    }
    if (!isThorough) return false
    const heir = this.#loadHeir()
    if (heir === 0n) return true // left behind
    const thread = threadOf(heir)
    if (native.isThreadAlive(thread) && thread !== native.threadNumber && !waiter?.isOverdue(heir)) return false
    if (Atomics.compareExchange(this.#longs, this.#heirAt, heir, 0n) !== heir) return false
    this.#callHeir() // which is none any more, and would not be told of what is given back
    return true
  }

  // For a waiter that cannot take: true if it is the heir from now on.
  reserve (waiter) {
    const mine = (BigInt(waiter.ticket) << kThreadBits) | BigInt(native.threadNumber)
    const heir = this.#loadHeir()
    if (heir !== 0n) {
      const thread = threadOf(heir)
      if (thread === native.threadNumber && this.#heir !== null) return this.#heir === waiter
      if (thread !== native.threadNumber && native.isThreadAlive(thread) && !isOlder(waiter.ticket, ticketOf(heir))) return false
    }
    if (Atomics.compareExchange(this.#longs, this.#heirAt, heir, mine) !== heir) return false
    this.#heir = waiter
    if (heir !== 0n) this.#callHeir() // the ousted one, see mayPass
    return true
  }

  #isHeirHere () {
    return this.#heir !== null && threadOf(this.#loadHeir()) === native.threadNumber
  }

  #loadHeir () {
    return Atomics.load(this.#longs, this.#heirAt)
  }

  // The mark is gone already. If an older one has ousted this thread in the
  // meantime, it was that one's.
  #clearHeir () {
    this.#heir = null
    const heir = this.#loadHeir()
    if (threadOf(heir) === native.threadNumber && Atomics.compareExchange(this.#longs, this.#heirAt, heir, 0n) === heir) return
    if (this.#loadHeir() !== 0n) Atomics.or(this.words, this.at, kReserved)
  }

  poll (waiter, register) {
    if (!register) return this.#tryTake(waiter, false)
    const { words, at } = this
    // Before the state: whoever gives back after that look changes it.
    const event = Atomics.load(words, at + kHeirEvent)
    waiter.begin()
    for (;;) {
      if (this.#tryTake(waiter, true)) return true
      const isHeir = waiter.isPatienceOver() && this.reserve(waiter)
      // Another one of this thread has the reservation, and whatever it may take this one may.
      const isReserved = isHeir || this.#isHeirHere()
      const mark = isReserved ? kReserved : kWaiters
      const state = Atomics.or(words, at, mark)
      if (this.isFree(state & kPayload) && (isReserved || state >= 0)) continue
      if (isReserved) {
        waiter.sleepOn(at + kHeirEvent, event, Infinity)
      } else {
        waiter.sleepOn(at, state | mark, waiter.patience(state < 0 && this.isFree(state & kPayload) ? this.#loadHeir() : 0n))
      }
      return false
    }
  }

  leave (waiter) {
    const { words, at } = this
    if (this.#heir === waiter) {
      Atomics.and(words, at, ~kReserved)
      this.#clearHeir()
      this.#callHeir() // those of this thread that wait behind it have nobody before them any more
    }
    if (!waiter.hasSlept) return
    const state = Atomics.or(words, at, kWaiters)
    if (!this.isFree(state & kPayload)) return
    if (state < 0) this.#callHeir()
    else Atomics.notify(words, at, 1)
  }

  // Like take(), of a look that costs nothing and never throws.
  isFree (payload) {
    return payload === 0
  }
}

class TakeWaiter extends Waiter {
  hasSlept = false
  ticket = 0
  #word
  #onTaken
  #since = 0
  #heirSeen = 0n
  #heirSince = 0

  constructor (word, isSpinning, onTaken) {
    super(word.words)
    this.#word = word
    this.isSpinning = isSpinning
    this.#onTaken = onTaken
  }

  poll (register) {
    if (!this.#word.poll(this, register)) return false
    this.#onTaken?.()
    return true
  }

  // Nothing is taken but by a look.
  leave () {
    this.#word.leave(this)
    return false
  }

  begin () {
    if (this.#since !== 0) return
    this.#since = now()
    this.ticket = Atomics.add(this.words, this.#word.at + kTicket, 1)
  }

  isPatienceOver () {
    return now() - this.#since >= kPatience
  }

  // How long to sleep at most. `heir`: the one that lets a free word wait, or 0.
  patience (heir) {
    const time = now()
    if (heir === 0n) {
      this.#heirSeen = 0n
    } else if (heir !== this.#heirSeen) {
      this.#heirSeen = heir
      this.#heirSince = time
    }
    const rest = kPatience - (time - this.#since)
    if (rest > 0) return rest
    return heir === 0n ? kLongestSlice : kGrace
  }

  // Whether this waiter has seen that heir let the word wait for too long.
  isOverdue (heir) {
    return heir === this.#heirSeen && now() - this.#heirSince >= kGrace
  }

  sleepOn (index, expected, slice) {
    this.index = index
    this.expected = expected
    this.slice = slice
    this.hasSlept = true
  }
}

module.exports = { FairWord, TakeWaiter, kPatience, kPayload, kWaiters }
