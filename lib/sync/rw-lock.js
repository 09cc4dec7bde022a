'use strict'

// Writers exclude each other by an owned word. The writer that owns it closes the gate, so that no
// more readers enter, and waits until the readers inside have left. So a stream of readers cannot
// keep a writer out. A reader that has found the gate closed for a millisecond waits for the owned
// word in the order of the writers, and enters when it owns the word. So a stream of writers cannot
// keep a reader out.
//
// A reader counts itself, then checks the gate. A writer closes the gate, then checks the counts.
// All atomic operations of JavaScript are sequentially consistent, so at least one of the two sees
// the other.

const { Atomics, Symbol } = require('../base/globals')
const native = require('../base/native')
const { createError } = require('../base/errors')
const { from, share } = require('../shared/registry')
const { now } = require('../base/time')
const { Waiter, waitAsync, waitSync } = require('./waiter')
const { kPayload, kReserveAfterMs, TakeWaiter } = require('./fair-word')
const { createTimeout, kNone, readLimits } = require('../base/limits')
const { createCorrupt, kState, kWords, open } = require('./memory')
const { OwnedWord } = require('./owned-word')
const { Readers } = require('./readers')

const kInconsistent = kState + 8
// 0: open. Else the number of the writer's thread, with kGranted once that may write.
const kGate = 32
const kGranted = 0x4000_0000
// Changes when a reader has left while the gate was closed.
const kGone = 33
const kUsed = 34 // for Readers
const kAllWords = kWords + Readers.wordsFor()

class ReadWaiter extends Waiter {
  #core
  #since = 0 // when the wait began; 0: not yet
  #wordWaiter = null // waits for the owned word, after a millisecond
  #isSync

  constructor (core, isSync) {
    super(core.words)
    this.#core = core
    this.#isSync = isSync
  }

  poll (register) {
    const core = this.#core
    for (;;) {
      if (this.#wordWaiter !== null) return this.#pollWord(register)
      if (core.enter(this.#isSync)) return true
      if (!register) return false
      const gate = Atomics.load(this.words, kGate)
      if (gate === 0) continue
      this.#since ||= now()
      const rest = kReserveAfterMs - (now() - this.#since)
      if (rest > 0 && native.isThreadAlive(gate & kPayload)) {
        this.index = kGate
        this.expected = gate
        this.maxSleep = rest
        return false
      }
      this.#wordWaiter = new TakeWaiter(core.word, false)
    }
  }

  #pollWord (register) {
    const wordWaiter = this.#wordWaiter
    if (wordWaiter.poll(register)) {
      this.#core.enterWithWord()
      return true
    }
    this.index = wordWaiter.index
    this.expected = wordWaiter.expected
    this.maxSleep = wordWaiter.maxSleep
    return false
  }

  leave () {
    this.#wordWaiter?.leave()
    return false
  }
}

class WriteWaiter extends Waiter {
  #core
  #wordWaiter
  #isClosing = false // it owns the word, and waits for readers to leave

  constructor (core) {
    super(core.words)
    this.#core = core
    this.#wordWaiter = new TakeWaiter(core.word, false)
  }

  poll (register) {
    if (!this.#isClosing) {
      const wordWaiter = this.#wordWaiter
      if (!wordWaiter.poll(register)) {
        this.index = wordWaiter.index
        this.expected = wordWaiter.expected
        this.maxSleep = wordWaiter.maxSleep
        return false
      }
      this.#isClosing = true
      this.#core.close(this)
    }
    this.index = kGone
    this.expected = Atomics.load(this.words, kGone)
    this.maxSleep = Infinity
    return this.#core.grant(register)
  }

  // Gives the word back, so that others can enter first, and waits for it again. It keeps its
  // ticket, and so its place among the waiters.
  stepBack () {
    this.#isClosing = false
    this.#core.reopen()
    Atomics.notify(this.words, kGone)
  }

  leave () {
    if (this.#isClosing) {
      this.#isClosing = false
      this.#core.reopen()
    } else {
      this.#wordWaiter.leave()
    }
    return false
  }
}

// A guard refers to its RwLock object, so that this is not collected: it knows what this thread
// holds of the lock, and the object that is made when the lock is received again would not know it.
class ReadGuard {
  #core
  #lock

  constructor (core, lock) {
    this.#core = core
    this.#lock = lock
  }

  get isHeld () { return this.#core !== null }

  get isInconsistent () { return this.#core !== null && this.#core.isInconsistent }

  unlock () {
    if (this.#core === null) throw createError('ERR_TELAR_NOT_HELD', 'RwLock')
    this[Symbol.dispose]()
  }

  [Symbol.dispose] () {
    const core = this.#core
    if (core === null) return
    this.#core = this.#lock = null
    core.exit()
  }
}

class WriteGuard {
  #core
  #lock

  constructor (core, lock) {
    this.#core = core
    this.#lock = lock
  }

  get isHeld () { return this.#core !== null }

  get isInconsistent () { return this.#core !== null && this.#core.isInconsistent }

  markConsistent () {
    if (this.#core === null) throw createError('ERR_TELAR_NOT_HELD', 'RwLock')
    this.#core.isInconsistent = false
  }

  unlock () {
    if (this.#core === null) throw createError('ERR_TELAR_NOT_HELD', 'RwLock')
    this[Symbol.dispose]()
  }

  [Symbol.dispose] () {
    const core = this.#core
    if (core === null) return
    this.#core = this.#lock = null
    core.endWriting()
  }
}

// The part of an RwLock that its guards and waiters use.
class Core {
  words
  word
  #readers
  isWriting = false // whether this thread writes
  #closing = null // the WriteWaiter of this thread that waits for readers to leave

  constructor (words) {
    this.words = words
    this.word = new OwnedWord('RwLock', words, kState, () => this.#onOwnerEnded())
    this.#readers = new Readers(words, kUsed, kWords)
  }

  get isInconsistent () { return Atomics.load(this.words, kInconsistent) !== 0 }

  set isInconsistent (is) { Atomics.store(this.words, kInconsistent, is ? 1 : 0) }

  // If the thread that was ended was already allowed to write, the data may be half written.
  #onOwnerEnded () {
    if ((Atomics.load(this.words, kGate) & kGranted) !== 0) this.isInconsistent = true
    this.#open()
  }

  // ---- reading ----

  get isReading () { return this.#readers.own > 0 }

  // A writer of this thread that still waits cannot proceed while the thread is blocked. So a
  // synchronous reader enters before it.
  enter (isSync) {
    const isBeforeWriter = isSync && this.#closing !== null
    if (Atomics.load(this.words, kGate) !== 0 && !isBeforeWriter) return false
    this.#countRead()
    if (Atomics.load(this.words, kGate) === 0 || isBeforeWriter) return true
    this.exit()
    return false
  }

  #countRead () {
    if (this.#readers.enter()) this.#wakeWriter()
  }

  // For a reader that owns the word. So no thread writes. If the last writer was ended, the gate
  // was opened when the word was taken.
  enterWithWord () {
    const gate = Atomics.load(this.words, kGate)
    if (gate === 0) this.#countRead()
    this.word.release()
    if (gate !== 0) throw createCorrupt('RwLock', 'an open gate, since no thread writes', gate)
  }

  exit () {
    this.#readers.exit()
    if (Atomics.load(this.words, kGate) !== 0) this.#wakeWriter()
  }

  // Wakes a writer that waits for readers to leave.
  #wakeWriter () {
    Atomics.add(this.words, kGone, 1)
    Atomics.notify(this.words, kGone)
  }

  // ---- writing, when this thread owns the word ----

  close (waiter) {
    this.#closing = waiter
    Atomics.store(this.words, kGate, native.threadNumber)
  }

  // False: there are readers left.
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
    if (gate !== (native.threadNumber | kGranted)) {
      throw createCorrupt('RwLock', 'this thread as the writer', gate)
    }
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
      const waiter = new ReadWaiter(core, true)
      if (!waitSync(waiter, limits)) throw createTimeout('RwLock.readSync()', limits)
    }
    return guard
  }

  async read (options) {
    const limits = options === undefined ? kNone : readLimits(options)
    const core = this.#core
    const guard = new ReadGuard(core, this)
    if (!core.enter(false)) {
      const waiter = new ReadWaiter(core, false)
      if (!await waitAsync(waiter, limits)) throw createTimeout('RwLock.read()', limits)
    }
    return guard
  }

  tryRead () {
    const guard = new ReadGuard(this.#core, this)
    return this.#core.enter(false) || this.#enterAfterEnd() ? guard : null
  }

  // Enters if the gate was closed by a writer that was ended.
  #enterAfterEnd () {
    const core = this.#core
    const gate = Atomics.load(core.words, kGate)
    if (gate === 0) return core.enter(false)
    if (native.isThreadAlive(gate & kPayload) || !core.word.tryTake()) return false
    core.enterWithWord()
    return true
  }

  writeSync (options) {
    const limits = options === undefined ? kNone : readLimits(options)
    const core = this.#core
    const guard = new WriteGuard(core, this)
    if (core.isReading || core.isWriting) throw createError('ERR_TELAR_DEADLOCK', 'RwLock')
    core.stepBack()
    const waiter = new WriteWaiter(core)
    if (!waitSync(waiter, limits)) throw createTimeout('RwLock.writeSync()', limits)
    return guard
  }

  async write (options) {
    const limits = options === undefined ? kNone : readLimits(options)
    const core = this.#core
    const guard = new WriteGuard(core, this)
    const waiter = new WriteWaiter(core)
    if (!await waitAsync(waiter, limits)) throw createTimeout('RwLock.write()', limits)
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
