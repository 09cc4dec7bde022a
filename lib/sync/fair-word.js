'use strict'

// A word from which threads take something: a lock or a permit. Whoever comes first takes it with
// one compare-and-swap (#tryTake). That is fast, since the thread that runs goes on. It is also
// unfair, since a thread that was woken finds the word taken again. So a waiter that has waited for
// a millisecond reserves the word, and becomes its heir: while the word is reserved, no other
// thread takes from it. The oldest waiter takes the reservation away from younger ones.
//
// The words in use, from `at`, which is even:
//   0     the state: kReserved, kWaiters, and the payload
//   1     the event of the heir: changes when the heir should poll, and with it the calls of its
//         thread that wait behind it
//   2     the next ticket
//   4, 5  the heir, 64 bits: ticket << 32 | number of its thread. 0: there is none
//
// kWaiters: waiters sleep on the state, and the thread that gives something back must wake them.
// That thread clears the flag. A waiter that was woken sets it again, whether it takes or goes back
// to sleep, since there may be other waiters.
// kReserved: only the heir takes, and it sleeps on word 1. The flag is set after the heir was
// written, and cleared before the heir is.
//
// A thread that was ended may leave any of these flags and words behind. Each waiter polls again
// after a limited time, or when a thread has ended, and ignores an heir whose thread has ended. A
// reservation belongs to the whole thread: a call that blocks the thread must not wait for another
// call of the same thread.

const { Atomics, BigInt, BigInt64Array, Number } = require('../base/globals')
const native = require('../base/native')
const { kMaxSleepMs } = require('../base/slices')
const { now } = require('../base/time')
const { Waiter, waitAsync, waitSync } = require('./waiter')

const kReserved = -0x8000_0000
const kWaiters = 0x4000_0000
const kPayload = 0x3fff_ffff

const kHeirEvent = 1
const kTicket = 2
const kHeir = 4

// A waiter reserves the word when it has waited this long.
const kReserveAfterMs = 1
// If an heir leaves a free word for this long, because its event loop is busy, others take it.
const kMaxHeirDelayMs = 20

const kThreadBits = 32n
const threadOf = (heir) => Number(heir & 0xffff_ffffn)
const ticketOf = (heir) => Number(heir >> kThreadBits) | 0
const isOlder = (ticket, other) => ((ticket - other) | 0) < 0

// Subclasses define what taking means:
//   take(payload, isThorough)  Returns the payload after taking, or -1 if nothing can be taken.
//                              Throws if the payload is invalid. isThorough: slow checks are made
//                              too, such as whether the thread of an owner has ended.
//   taken(before, after)       Called when something was taken, with the payload before and after.
class FairWord {
  words
  at
  #longs
  #heirAt
  // The waiter of this thread that reserved the word.
  #heir = null

  constructor (words, at) {
    this.words = words
    this.at = at
    this.#longs = new BigInt64Array(words.buffer)
    this.#heirAt = (at + kHeir) / 2
  }

  get payload () { return Atomics.load(this.words, this.at) & kPayload }

  // Takes without waiting. False: that is not possible now.
  tryTake () {
    return this.#tryTake(null, true)
  }

  // False: the timeout expired.
  takeSync (limits, isSpinning) {
    return waitSync(new TakeWaiter(this, isSpinning), limits)
  }

  // A promise of the same. `onTaken` is called as soon as it was taken, before the promise settles.
  takeAsync (limits, isSpinning, onTaken) {
    return waitAsync(new TakeWaiter(this, isSpinning, onTaken), limits)
  }

  // Gives back: `give(payload)` returns the payload afterwards. Wakes up to `count` waiters.
  put (give, count) {
    const { words, at } = this
    for (;;) {
      const state = Atomics.load(words, at)
      const payload = give(state & kPayload)
      if (state < 0) {
        const next = kReserved | (state & kWaiters) | payload
        if (Atomics.compareExchange(words, at, state, next) !== state) continue
        this.#wakeHeir()
      } else {
        if (Atomics.compareExchange(words, at, state, payload) !== state) continue
        if ((state & kWaiters) !== 0) Atomics.notify(words, at, count)
      }
      return
    }
  }

  #wakeHeir () {
    Atomics.add(this.words, this.at + kHeirEvent, 1)
    Atomics.notify(this.words, this.at + kHeirEvent)
  }

  // ---- for waiters ----

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
        if (!this.#mayTakeReserved(waiter, isThorough)) return false
        if (this.#heir !== null && this.#heir !== waiter) next |= kReserved
      }
      if (Atomics.compareExchange(words, at, state, next) !== state) continue
      if (waiter !== null && this.#heir === waiter) {
        this.#clearHeir()
        // The waiter that is woken can become the next heir.
        if ((next & kWaiters) !== 0) Atomics.notify(words, at, 1)
      }
      this.taken(before, after)
      // There may be more for others.
      if ((next & kWaiters) !== 0 && this.take(after, false) >= 0) Atomics.notify(words, at, 1)
      return true
    }
  }

  // Whether this thread may take from the word although it is reserved.
  #mayTakeReserved (waiter, isThorough) {
    if (this.#heir !== null) {
      if (threadOf(this.#loadHeir()) === native.threadNumber) return true
      this.#heir = null // an older waiter has taken the reservation away
    }
    if (!isThorough) return false
    const heir = this.#loadHeir()
    if (heir === 0n) return true // a flag that was left behind
    const thread = threadOf(heir)
    const isOtherAlive = thread !== native.threadNumber && native.isThreadAlive(thread)
    if (isOtherAlive && !waiter?.isOverdue(heir)) return false
    if (Atomics.compareExchange(this.#longs, this.#heirAt, heir, 0n) !== heir) return false
    this.#wakeHeir() // it is not the heir any more, and would sleep through what is given back
    return true
  }

  // For a waiter that cannot take now. True: it is the heir.
  reserve (waiter) {
    const own = (BigInt(waiter.ticket) << kThreadBits) | BigInt(native.threadNumber)
    const heir = this.#loadHeir()
    if (heir !== 0n) {
      const thread = threadOf(heir)
      const isOwn = thread === native.threadNumber
      if (isOwn && this.#heir !== null) return this.#heir === waiter
      const mayStay = !isOwn && !isOlder(waiter.ticket, ticketOf(heir))
      if (mayStay && native.isThreadAlive(thread)) return false
    }
    if (Atomics.compareExchange(this.#longs, this.#heirAt, heir, own) !== heir) return false
    this.#heir = waiter
    if (heir !== 0n) this.#wakeHeir() // the previous one: see #mayTakeReserved()
    return true
  }

  #isHeirHere () {
    return this.#heir !== null && threadOf(this.#loadHeir()) === native.threadNumber
  }

  #loadHeir () {
    return Atomics.load(this.#longs, this.#heirAt)
  }

  // The flag kReserved is cleared already. If an older waiter has taken the reservation away in the
  // meantime, the flag was that waiter's, and is set again.
  #clearHeir () {
    this.#heir = null
    const heir = this.#loadHeir()
    const isOwn = threadOf(heir) === native.threadNumber
    if (isOwn && Atomics.compareExchange(this.#longs, this.#heirAt, heir, 0n) === heir) return
    if (this.#loadHeir() !== 0n) Atomics.or(this.words, this.at, kReserved)
  }

  poll (waiter, register) {
    if (!register) return this.#tryTake(waiter, false)
    const { words, at } = this
    // Loaded before the state: a thread that gives back after the state was read changes it.
    const event = Atomics.load(words, at + kHeirEvent)
    waiter.begin()
    for (;;) {
      if (this.#tryTake(waiter, true)) return true
      const isHeir = waiter.mayReserve() && this.reserve(waiter)
      // What the heir may take, any other call of its thread may take too.
      const isReserved = isHeir || this.#isHeirHere()
      const flag = isReserved ? kReserved : kWaiters
      const state = Atomics.or(words, at, flag)
      const isFree = this.isFree(state & kPayload)
      if (isFree && (isReserved || state >= 0)) continue
      if (isReserved) {
        waiter.sleepOn(at + kHeirEvent, event, Infinity)
      } else {
        const heir = state < 0 && isFree ? this.#loadHeir() : 0n
        waiter.sleepOn(at, state | flag, waiter.nextSleep(heir))
      }
      return false
    }
  }

  leave (waiter) {
    const { words, at } = this
    if (this.#heir === waiter) {
      Atomics.and(words, at, ~kReserved)
      this.#clearHeir()
      this.#wakeHeir() // the calls of this thread that wait behind it must wait on the state now
    }
    if (!waiter.hasSlept) return
    const state = Atomics.or(words, at, kWaiters)
    if (!this.isFree(state & kPayload)) return
    if (state < 0) this.#wakeHeir()
    else Atomics.notify(words, at, 1)
  }

  // Whether something can be taken, from the payload alone. Never throws.
  isFree (payload) {
    return payload === 0
  }
}

class TakeWaiter extends Waiter {
  hasSlept = false
  ticket = 0
  #word
  #onTaken
  // When the wait began; 0: not yet.
  #since = 0
  // An heir that left the word free, and when this waiter saw that first.
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

  // False: only poll() takes.
  leave () {
    this.#word.leave(this)
    return false
  }

  begin () {
    if (this.#since !== 0) return
    this.#since = now()
    this.ticket = Atomics.add(this.words, this.#word.at + kTicket, 1)
  }

  mayReserve () {
    return now() - this.#since >= kReserveAfterMs
  }

  // How long to sleep at most. `heir` is the heir of a word that is free, else 0.
  nextSleep (heir) {
    const time = now()
    if (heir === 0n) {
      this.#heirSeen = 0n
    } else if (heir !== this.#heirSeen) {
      this.#heirSeen = heir
      this.#heirSince = time
    }
    const rest = kReserveAfterMs - (time - this.#since)
    if (rest > 0) return rest
    return heir === 0n ? kMaxSleepMs : kMaxHeirDelayMs
  }

  // Whether this waiter has seen the heir leave the word free for too long.
  isOverdue (heir) {
    return heir === this.#heirSeen && now() - this.#heirSince >= kMaxHeirDelayMs
  }

  sleepOn (index, expected, maxSleep) {
    this.index = index
    this.expected = expected
    this.maxSleep = maxSleep
    this.hasSlept = true
  }
}

module.exports = { FairWord, TakeWaiter, kPayload, kReserveAfterMs, kWaiters }
