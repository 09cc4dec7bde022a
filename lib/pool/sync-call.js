'use strict'

// runSync(): runs a task, and blocks the thread until it is settled. Meanwhile the event loop does
// not turn. So what it does for the pool otherwise is done here: it takes results, handles limits
// and other timers of telar, starts workers, and sees that one has ended. What the user sees of the
// other tasks and of the pool (promises, events, progress) comes when the event loop turns again.
//
// Nothing is lost meanwhile: results lie in their slots, and messages in their ports, from which
// they can be taken without the event loop.

const { Atomics, Int32Array, Math, Set, SharedArrayBuffer } = require('../base/globals')
const { recognize } = require('../base/errors')
const { runTimers } = require('../base/time')
const { throwLater } = require('../base/uncaught')
const { kError, kForm } = require('../transport/slot-memory')
const { failHere } = require('./caller-frames')
const { isMarked } = require('../transport/move')
const { Task } = require('./task')
const { kPoolFunction } = require('./task-functions')

// The thread sleeps at most this long at a time: then a thread can be terminated, and the end of
// a worker that said nothing before is seen.
const kSleepMs = 10
// The same at first, and while a worker is about to end.
const kShortSleepMs = 1

// A task whose caller waits for `isSettled`, and not for the promise.
class SyncTask extends Task {
  isError = false
  value = undefined

  settle (isError, value) {
    if (!super.settle(false, undefined)) return false
    this.isError = isError
    this.value = value
    return true
  }

  fail (error) { return this.settle(true, error) }

  // Settled at once: nothing is waited for while the thread is blocked.
  end () { return this.isSettled ? null : (error) => this.fail(error) }
}

class SyncCalls {
  #native
  #slots
  #state
  #workers
  #settler
  #poller
  #progress
  #afterSettling
  #engine
  #pause = null

  // Used of the engine: isFast, isFastPinned, ownRunOptions(), readOptions(), enter(task), which
  // admits a task, and onResults(count), which the event loop calls.
  constructor (
    { native, slots, state, workers, settler, poller, progress, afterSettling }, engine
  ) {
    this.#native = native
    this.#slots = slots
    this.#state = state
    this.#workers = workers
    this.#settler = settler
    this.#poller = poller
    this.#progress = progress
    this.#afterSettling = afterSettling
    this.#engine = engine
  }

  // `pinned`: the function, if it is not the pool's or that of the options; else null.
  run (value, options, pinned) {
    if (options === undefined && this.#isFast(pinned) && !isMarked(value)) {
      return this.#runFast(value, pinned)
    }
    const given = this.#engine.readOptions(options, pinned)
    if (given.error !== null) throw given.error
    return this.#runTask(value, given)
  }

  #runTask (value, given, packed) {
    const task = new SyncTask(value, given, undefined, packed)
    this.#engine.enter(task)
    this.#block(task)
    return this.#outcomeOf(task)
  }

  #outcomeOf ({ isError, value }) {
    if (isError) throw failHere(value)
    return value
  }

  // ---- without options ----

  #isFast (pinned) {
    if (!this.#state.canSubmit || !this.#slots.hasFree) return false
    if (pinned === null) return this.#engine.isFast
    return this.#engine.isFastPinned && pinned.entryIn(this.#native.functions) >= 0
  }

  #runFast (value, pinned) {
    const entry = pinned === null ? kPoolFunction : pinned.entry
    const slot = this.#slots.take()
    const { core, memory } = this.#native
    let isWritten = false
    try {
      isWritten = memory.write(slot, value, 0, entry)
    } finally { // a getter of the value may throw
      if (!isWritten) this.#slots.giveBack(slot)
    }
    if (!isWritten) {
      return this.#runTask(value, this.#engine.ownRunOptions(pinned), memory.takePacked())
    }
    if (!this.#state.canSubmit) { // a getter of the value has called the pool
      this.#slots.giveBack(slot)
      return this.#runTask(value, this.#engine.ownRunOptions(pinned))
    }
    this.#state.beginBlocked()
    this.#native.words.setOwnerBlocked(true)
    core.submitAwake(slot)
    const saved = this.#saveBatch()
    const count = core.wait(true, 0)
    return count === 1 && this.#native.batch[0] === slot
      ? this.#take(slot, saved)
      : this.#runLong(slot, count, saved, pinned)
  }

  // The result is there.
  #take (slot, saved) {
    const { memory } = this.#native
    const form = memory.form(slot)
    let value
    let isError = (form & kError) !== 0
    try {
      value = form === kForm.number ? memory.read(slot) : this.#settler.receive(slot, form)
    } catch (error) {
      value = error
      isError = true
    }
    this.#slots.freeUnbound(slot)
    this.#state.end()
    this.#restoreBatch(saved)
    this.#unblock()
    if (isError) throw failHere(recognize(value))
    return value
  }

  // The result is not there yet, or others are too: `count` in the batch.
  #runLong (slot, count, saved, pinned) {
    const task = new SyncTask(undefined, this.#engine.ownRunOptions(pinned))
    task.slot = slot
    this.#slots.setTask(slot, task)
    this.#block(task, count, saved)
    return this.#outcomeOf(task)
  }

  // ---- blocking ----

  // `count`: of slots in the batch, or null, if nobody has waited for them yet. `saved`: the batch
  // before that.
  #block (task, count = null, saved = this.#saveBatch()) {
    if (task.isSettled) return
    this.#state.blocked++
    const previous = this.#progress.setBlocking(task)
    try {
      if (count > 0) this.#engine.onResults(count)
      if (!task.isSettled) this.#turn(null, count === null)
      const told = new Set()
      while (!task.isSettled) this.#turn(told)
    } finally {
      this.#progress.setBlocking(previous)
      this.#state.blocked--
      this.#restoreBatch(saved)
      this.#unblock()
    }
  }

  // What the event loop does in one turn. `told`: the workers that know that it is blocked; null in
  // the first turn, in which most calls end.
  #turn (told, spins = false) {
    const milliseconds = this.#runTimers()
    const isFirst = told === null
    if (this.#native.isOpen) {
      this.#native.words.setOwnerBlocked(true)
      if (!isFirst) this.#tellWorkers(told)
    }
    const count = this.#wait(milliseconds, isFirst, spins)
    this.#engine.onResults(count)
    if (count === 0) this.#checkEnds()
  }

  // Returns after how many milliseconds to call it again.
  #runTimers () {
    try {
      return runTimers()
    } catch (error) { // thrown by a listener of the pool
      throwLater(error)
      return 0
    }
  }

  // So that no result that is there already waits for output, which nobody reads now.
  #tellWorkers (told) {
    for (const worker of this.#workers.all) {
      if (told.has(worker)) continue
      told.add(worker)
      this.#native.core.notifyWorker(worker.index)
    }
  }

  #wait (milliseconds, isFirst, spins) {
    const isShort = isFirst || this.#workers.all.some((worker) => worker.isSayingFarewell)
    const longest = isShort ? kShortSleepMs : kSleepMs
    const sleep = Math.max(1, Math.min(longest, Math.ceil(milliseconds)))
    if (this.#native.isOpen) return this.#native.core.wait(spins, sleep)
    this.#pause ??= new Int32Array(new SharedArrayBuffer(4))
    Atomics.wait(this.#pause, 0, 0, sleep) // all workers have failed; a timer starts another
    return 0
  }

  #checkEnds () {
    for (const worker of this.#workers.all) {
      if (this.#native.isOpen) worker.endEarly()
    }
  }

  // To be called when the event loop may turn again.
  #unblock () {
    if (this.#state.blocked > 0) return // it is still blocked by a call outside this one
    if (this.#native.isOpen) this.#native.words.setOwnerBlocked(false)
    this.#afterSettling()
    this.#poller.unblock()
  }

  // User code that handles results may call runSync(), which replaces the batch.
  #saveBatch () { return this.#settler.depth > 0 ? this.#native.batch.slice() : null }

  #restoreBatch (saved) {
    if (saved !== null) this.#native.batch.set(saved)
  }
}

module.exports = { SyncCalls }
