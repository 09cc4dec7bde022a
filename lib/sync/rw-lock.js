'use strict'

// Writers exclude each other by an owned word. The one that has it closes the
// gate, so that no more readers come, and waits until those inside are gone. So no
// stream of readers keeps a writer out. A reader that has found the gate closed for
// a millisecond takes the owned word itself, in its turn, and with it comes in: so
// no stream of writers keeps a reader out.
//
// Reader: counts itself in, then looks at the gate. Writer: closes the gate, then
// looks at the counts. All atomics of JavaScript are sequentially consistent, so
// one of the two sees the other.

const { Atomics, Symbol } = require('../base/globals')
const native = require('../base/native')
const { createError } = require('../base/errors')
const { from, share } = require('../shared/registry')
const { now } = require('../base/time')
const { Waiter, waitAsync, waitSync } = require('./waiter')
const { kPatience, kPayload, TakeWaiter } = require('./fair-word')
const { createTimeout, kNone, readLimits } = require('../base/limits')
const { createCorrupt, kState, kWords, open } = require('./memory')
const { OwnedWord } = require('./owned-word')
const { Readers } = require('./readers')

const kInconsistent = kState + 8
// 0, or the number of the writer's thread, with kGranted once it may write.
const kGate = 32
const kGranted = 0x4000_0000
// Counts up when a reader has gone while the gate was closed.
const kGone = 33
const kUsed = 34
const kAllWords = kWords + Readers.wordsFor()

class ReadWaiter extends Waiter {
  #lock
  #since = 0
  #turn = null // waits for the owned word
  #isSync

  constructor (lock, isSync) {
    super(lock.words)
    this.#lock = lock
    this.#isSync = isSync
  }

  poll (register) {
    const lock = this.#lock
    for (;;) {
      if (this.#turn !== null) return this.#takeTurn(register)
      if (lock.enter(this.#isSync)) return true
      if (!register) return false
      const gate = Atomics.load(this.words, kGate)
      if (gate === 0) continue
      this.#since ||= now()
      const patience = kPatience - (now() - this.#since)
      if (patience > 0 && native.isThreadAlive(gate & kPayload)) {
        this.index = kGate
        this.expected = gate
        this.slice = patience
        return false
      }
      this.#turn = new TakeWaiter(lock.word, false)
    }
  }

  #takeTurn (register) {
    const turn = this.#turn
    if (turn.poll(register)) {
      this.#lock.enterInTurn()
      return true
    }
    this.index = turn.index
    this.expected = turn.expected
    this.slice = turn.slice
    return false
  }

  leave () {
    this.#turn?.leave()
    return false
  }
}

class WriteWaiter extends Waiter {
  #lock
  #turn
  #isClosing = false // it has the word, and readers are leaving

  constructor (lock) {
    super(lock.words)
    this.#lock = lock
    this.#turn = new TakeWaiter(lock.word, false)
  }

  poll (register) {
    if (!this.#isClosing) {
      if (!this.#turn.poll(register)) {
        this.index = this.#turn.index
        this.expected = this.#turn.expected
        this.slice = this.#turn.slice
        return false
      }
      this.#isClosing = true
      this.#lock.close(this)
    }
    this.index = kGone
    this.expected = Atomics.load(this.words, kGone)
    this.slice = Infinity
    return this.#lock.grant(register)
  }

  // Lets others in before it, and queues again where it was.
  stepBack () {
    this.#isClosing = false
    this.#lock.reopen()
    Atomics.notify(this.words, kGone)
  }

  leave () {
    if (this.#isClosing) {
      this.#isClosing = false
      this.#lock.reopen()
    } else {
      this.#turn.leave()
    }
    return false
  }
}

// Guards refer to the RwLock: it knows what this thread has of the lock, and if it were
// collected, the next one that is received would not.
class ReadGuard {
  #lock
  #object

  constructor (lock, object) {
    this.#lock = lock
    this.#object = object
  }

  get isHeld () { return this.#lock !== null }

  get isInconsistent () { return this.#lock !== null && this.#lock.isInconsistent }

  unlock () {
    if (this.#lock === null) throw createError('ERR_TELAR_NOT_HELD', 'RwLock')
    this[Symbol.dispose]()
  }

  [Symbol.dispose] () {
    const lock = this.#lock
    if (lock === null) return
    this.#lock = this.#object = null
    lock.exit()
  }
}

class WriteGuard {
  #lock
  #object

  constructor (lock, object) {
    this.#lock = lock
    this.#object = object
  }

  get isHeld () { return this.#lock !== null }

  get isInconsistent () { return this.#lock !== null && this.#lock.isInconsistent }

  markConsistent () {
    if (this.#lock === null) throw createError('ERR_TELAR_NOT_HELD', 'RwLock')
    this.#lock.isInconsistent = false
  }

  unlock () {
    if (this.#lock === null) throw createError('ERR_TELAR_NOT_HELD', 'RwLock')
    this[Symbol.dispose]()
  }

  [Symbol.dispose] () {
    const lock = this.#lock
    if (lock === null) return
    this.#lock = this.#object = null
    lock.endWriting()
  }
}

// The lock as guards and attempts see it.
class Core {
  words
  word
  #readers
  // This thread writes; or a writer of this thread waits for readers to leave.
  isWriting = false
  #closing = null

  constructor (words) {
    this.words = words
    this.word = new OwnedWord('RwLock', words, kState, () => this.#inherit())
    this.#readers = new Readers(words, kUsed, kWords)
  }

  get isInconsistent () { return Atomics.load(this.words, kInconsistent) !== 0 }

  set isInconsistent (is) { Atomics.store(this.words, kInconsistent, is ? 1 : 0) }

  // The owner of the word was ended. If it had been let in, the data may be half written.
  #inherit () {
    if ((Atomics.load(this.words, kGate) & kGranted) !== 0) this.isInconsistent = true
    this.#open()
  }

  // ---- reading ----

  get isReading () { return this.#readers.own > 0 }

  // A writer of this thread that still waits cannot get on while the thread is
  // blocked: a synchronous reader goes in before it.
  enter (isSync) {
    const isBefore = isSync && this.#closing !== null
    if (Atomics.load(this.words, kGate) !== 0 && !isBefore) return false
    this.enterHeld()
    if (Atomics.load(this.words, kGate) === 0 || isBefore) return true
    this.exit()
    return false
  }

  enterHeld () {
    if (this.#readers.enter()) this.#tellGone()
  }

  // With the owned word. There is no writer then, or only one that was ended, whose
  // gate has been opened by now.
  enterInTurn () {
    const gate = Atomics.load(this.words, kGate)
    if (gate === 0) this.enterHeld()
    this.word.release()
    if (gate !== 0) throw createCorrupt('RwLock', 'an open gate where nobody writes', gate)
  }

  exit () {
    this.#readers.exit()
    if (Atomics.load(this.words, kGate) !== 0) this.#tellGone()
  }

  #tellGone () {
    Atomics.add(this.words, kGone, 1)
    Atomics.notify(this.words, kGone)
  }

  // ---- writing: the word is this thread's ----

  close (writing) {
    this.#closing = writing
    Atomics.store(this.words, kGate, native.threadNumber)
  }

  grant (isThorough) {
    if (!this.#readers.isEmpty(isThorough)) return false
    this.#closing = null
    this.isWriting = true
    Atomics.store(this.words, kGate, native.threadNumber | kGranted)
    return true
  }

  reopen () {
    this.#closing = null
    this.#open()
    this.word.release()
  }

  endWriting () {
    this.isWriting = false
    const gate = Atomics.load(this.words, kGate)
    this.reopen()
    if (gate !== (native.threadNumber | kGranted)) throw createCorrupt('RwLock', 'this thread as the writer', gate)
  }

  #open () {
    Atomics.store(this.words, kGate, 0)
    Atomics.notify(this.words, kGate)
  }

  stepBack () {
    this.#closing?.stepBack()
  }
}

class RwLock {
  #core

  constructor (received) {
    const { data, words } = open('RwLock', received, kAllWords)
    this.#core = new Core(words)
    share(this, 'RwLock', data)
  }

  static from (received) { return from(RwLock, 'RwLock', received) }

  readSync (options) {
    const limits = options === undefined ? kNone : readLimits(options)
    const core = this.#core
    const guard = new ReadGuard(core, this)
    if (!core.enter(true)) {
      if (core.isWriting) throw createError('ERR_TELAR_DEADLOCK', 'RwLock')
      if (!waitSync(new ReadWaiter(core, true), limits)) throw createTimeout('RwLock.readSync()', limits)
    }
    return guard
  }

  async read (options) {
    const limits = options === undefined ? kNone : readLimits(options)
    const core = this.#core
    const guard = new ReadGuard(core, this)
    if (!core.enter(false) && !await waitAsync(new ReadWaiter(core, false), limits)) throw createTimeout('RwLock.read()', limits)
    return guard
  }

  tryRead () {
    const guard = new ReadGuard(this.#core, this)
    return this.#core.enter(false) || this.#enterAfterDeath() ? guard : null
  }

  // A gate that its writer will not open any more.
  #enterAfterDeath () {
    const core = this.#core
    const gate = Atomics.load(core.words, kGate)
    if (gate !== 0 && (native.isThreadAlive(gate & kPayload) || !core.word.tryTake())) return false
    if (gate === 0) return core.enter(false)
    core.enterInTurn()
    return true
  }

  writeSync (options) {
    const limits = options === undefined ? kNone : readLimits(options)
    const core = this.#core
    const guard = new WriteGuard(core, this)
    if (core.isReading || core.isWriting) throw createError('ERR_TELAR_DEADLOCK', 'RwLock')
    core.stepBack()
    if (!waitSync(new WriteWaiter(core), limits)) throw createTimeout('RwLock.writeSync()', limits)
    return guard
  }

  async write (options) {
    const limits = options === undefined ? kNone : readLimits(options)
    const core = this.#core
    const guard = new WriteGuard(core, this)
    if (!await waitAsync(new WriteWaiter(core), limits)) throw createTimeout('RwLock.write()', limits)
    return guard
  }

  tryWrite () {
    const core = this.#core
    const guard = new WriteGuard(core, this)
    if (core.isReading || !core.word.tryTake()) return null
    core.close(null)
    if (core.grant(true)) return guard
    core.reopen()
    return null
  }
}

module.exports = { ReadGuard, RwLock, WriteGuard }
