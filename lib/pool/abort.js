'use strict'

// Aborts tasks, for their signals and when they are over a limit. What happens to a task that runs
// depends on the strength of the abort, an option (terms.js).

const { Map } = require('../base/globals')
const { memberOf, setOwn } = require('../base/own')
const { reasonOf } = require('../base/abort-signal')
const { AbortError, createError } = require('../base/errors')
const native = require('../base/native')
const { ref, unref } = require('../base/time')
const { kNoReason } = require('../transport/task-words')
const { ToldTask } = require('./slot-table')

const {
  kCancelFinished, kCancelQueued, kLimitGrace, kLimitQueue, kNone, kStopNoted
} = native.poolConstants
const kMaxNotice = 2 ** 31 - 1
// How long the rejection of a task that is over its timeout may wait for the stack of the task. An
// endless loop gives it within a tenth of a second.
const kStackTimeoutMs = 300
// While runSync() blocks the event loop, no stack comes. Then the abort goes on after this time.
const kStackGraceMs = 2 * kStackTimeoutMs

class Aborter {
  #strict
  #native
  #slots
  #state
  #waiting
  #workers
  #settler
  #scaler
  #deadlines
  #afterSettling
  #lastNotice = 0
  #stopped = new Map() // by slot: the tasks that may have to be interrupted once more

  constructor (parts) {
    this.#strict = parts.strict
    this.#native = parts.native
    this.#slots = parts.slots
    this.#state = parts.state
    this.#waiting = parts.waiting
    this.#workers = parts.workers
    this.#settler = parts.settler
    this.#scaler = parts.scaler
    this.#deadlines = parts.deadlines
    this.#afterSettling = parts.afterSettling
  }

  // ---- signals ----

  // Aborts a task when its signal fires. A task whose signal has fired is settled.
  listen (task) {
    const { signal } = task
    try {
      if (memberOf(signal, 'aborted')) task.settle(true, new AbortError(reasonOf(signal)))
      else task.onAbort(() => this.#onSignal(task))
    } catch (error) { // thrown by a member of the signal
      task.settle(true, error)
    }
  }

  #onSignal (task) {
    const reason = reasonOf(task.signal)
    const error = new AbortError(reason)
    if (task.isSettled) return
    if (task.slot < 0) this.#rejectWaiting(task, error, false)
    else this.#abort(task.slot, task, { error, reason, isLate: true })
    this.#afterSettling()
  }

  // For a task whose result nobody wants any more: it does not start, or is told to stop. Its
  // worker lives on.
  cancel (task) {
    if (task.isSettled) return
    const error = new AbortError()
    if (task.slot < 0) this.#rejectWaiting(task, error, false)
    else this.#tell(task.slot, { error, isLate: true }, { graceMs: Infinity })
    this.#afterSettling()
  }

  #rejectWaiting (task, error, isLate) {
    this.#settler.rejectWaiting(task, error, isLate)
    this.#waiting.remove(task)
    this.#state.updateWaiting()
  }

  // ---- limits ----

  // A task that was handed over is over a limit.
  onLate (slot, limit) {
    if (limit === kLimitGrace) return this.#endTold(slot)
    const task = this.#slots.taskOf(slot)
    const terms = task?.terms ?? this.#slots.termsOf(slot)
    if (limit !== kLimitQueue) {
      this.#abortLate(slot, task, terms)
    } else if (this.#native.core.cancelQueued(slot)) { // else a worker has just claimed it
      this.#rejectQueued(slot, timeoutOf(terms, 'queue'))
    }
  }

  // The caller is to know where the task was. So its stack is read first, if that is possible.
  #abortLate (slot, task, terms) {
    const error = timeoutOf(terms, 'run')
    if (!this.#canInspect()) {
      return this.#abort(slot, task, { error, reason: error, isLate: false }, terms)
    }
    const result = this.#native.core.tell(slot, kStackGraceMs)
    if (result < 0) return // it has just ended
    const told = new ToldTask(task?.worker ?? null, terms)
    this.#rejectWithStack(slot, told, this.#workers.at(result), error)
  }

  // Ends the task of a slot for its caller, while a worker still runs it. Returns what rejects it.
  #beginTold (slot, told) {
    const holder = this.#slots.detach(slot, told)
    this.#state.beginTold(told)
    return this.#settler.release(holder)
  }

  async #rejectWithStack (slot, told, worker, error) {
    const reject = this.#beginTold(slot, told)
    const isTold = () => this.#slots.taskOf(slot) === told
    told.goOn = () => {
      told.goOn = null
      if (told.terms.abort === 'terminate') this.#condemn(slot)
      else this.#endSlowly(slot, told, worker, error)
    }
    this.#deadlines.expireIn(kStackGraceMs)
    ref() // the process waits for the rejection
    try {
      const stack = await stackOf(worker)
      if (isTold()) setOwn(error, 'taskStack', stack) // else it may be that of the next task
    } finally {
      unref()
      reject?.(error)
    }
    if (!isTold()) return
    told.goOn?.()
    this.#afterSettling()
  }

  // A task that was told has its grace from now on.
  #endSlowly (slot, told, worker, reason) {
    const { abort, graceMs } = told.terms
    this.#notify(slot, worker, reason)
    if (abort === 'interrupt' && graceMs === 0) return this.#stop(slot, told)
    this.#native.core.setGrace(slot, graceMs)
    this.#deadlines.expireIn(graceMs)
  }

  onLateWaiting (task) {
    this.#rejectWaiting(task, timeoutOf(task.terms, 'queue'), true)
  }

  // A task that was told to stop still runs after its grace.
  #endTold (slot) {
    const told = this.#slots.taskOf(slot)
    if (told.goOn !== null) return told.goOn()
    if (told.terms.abort === 'interrupt' && !told.isStopped) this.#stop(slot, told)
    else this.#condemn(slot)
  }

  #condemn (slot) {
    const result = this.#native.core.cancel(slot, kNone)
    if (result < 0) return // it has just ended
    this.#settler.rejectSlot(slot)
    this.#endWorker(this.#workers.at(result))
  }

  // Ends a slot that no worker has claimed. Its value may be with a worker (Task#posted).
  #rejectQueued (slot, error) {
    const task = this.#slots.taskOf(slot)
    task?.posted?.drop(this.#native.memory.message(slot))
    this.#settler.reject(this.#slots.detach(slot), error)
  }

  // ---- the strengths ----

  // Aborts a task that was handed over. `task`: undefined if its slot has only a promise. `abort`:
  // the error to reject with; the reason that the task is told; isLate: also rejects if the task
  // has just ended and its result is on the way.
  #abort (slot, task, abort, terms = task.terms) {
    if (terms.abort !== 'terminate') return this.#tell(slot, abort, terms)
    // In Piscina a task counts as running once a worker has been chosen for it.
    const assignedTo = this.#strict || task === undefined ? null : task.worker
    this.#terminate(slot, abort, assignedTo)
  }

  // The task cannot be interrupted, so its worker is ended.
  #terminate (slot, { error, isLate }, assignedTo) {
    const result = this.#native.core.cancel(slot, assignedTo?.index ?? kNone)
    if (result === kCancelFinished && !isLate) return
    if (result === kCancelQueued) this.#rejectQueued(slot, error)
    else this.#settler.reject(this.#slots.detach(slot), error)
    const worker = result >= 0 ? this.#workers.at(result) : assignedTo
    if (worker !== null && result !== kCancelFinished) this.#endWorker(worker)
  }

  #endWorker (worker) {
    this.#workers.destroy(worker)
    this.#scaler.replace()
  }

  // The task is told, and its worker lives on.
  #tell (slot, { error, reason, isLate }, terms) {
    const result = this.#native.core.tell(slot, Infinity)
    if (result === kCancelFinished && !isLate) return
    if (result === kCancelQueued) return this.#rejectQueued(slot, error)
    if (result === kCancelFinished) return this.#settler.reject(this.#slots.detach(slot), error)
    const told = new ToldTask(this.#slots.taskOf(slot)?.worker ?? null, terms)
    this.#beginTold(slot, told)?.(error)
    this.#endSlowly(slot, told, this.#workers.at(result), reason)
  }

  // The JavaScript of the task is stopped, and its worker lives on. If that takes too long, the
  // task is over its grace once more.
  #stop (slot, told) {
    const { interruptMs } = told.terms
    told.isStopped = true
    const canInspect = this.#canInspect()
    const result = this.#native.core.stop(slot, interruptMs, canInspect)
    if (result === kCancelFinished) return // it has just ended
    this.#deadlines.expireIn(interruptMs)
    if (canInspect) this.#stopped.set(slot, told)
    if (result !== kStopNoted) this.#interrupt(slot, told, this.#workers.at(result))
  }

  // To be called when a worker has rung. A task that was stopped may run what it has left.
  checkStopped () {
    for (const [slot, told] of this.#stopped) {
      if (this.#slots.taskOf(slot) !== told) this.#stopped.delete(slot)
      else if (!told.isInterrupted) this.#stopAgain(slot, told)
    }
  }

  #stopAgain (slot, told) {
    if (!this.#canInspect()) return
    const result = this.#native.core.stopAgain(slot)
    if (result !== kStopNoted) this.#interrupt(slot, told, this.#workers.at(result))
  }

  // Whether code that runs can be interrupted, and its stack read: not from a worker, nor without
  // the inspector, nor while runSync() blocks the event loop, which the answers need.
  #canInspect () {
    return this.#state.blocked === 0 && require('./thread-inspector').canInspect()
  }

  async #interrupt (slot, told, worker) {
    told.isInterrupted = true
    try {
      await require('./thread-inspector').interrupt(worker)
      if (this.#slots.taskOf(slot) !== told) return
      told.isInterrupted = false
      this.#native.core.interruptSpent(slot, worker.index)
      this.#stopAgain(slot, told) // the worker may have rung meanwhile
    } catch {
      if (this.#slots.taskOf(slot) !== told) return
      this.#condemn(slot)
      this.#afterSettling()
    }
  }

  // The reason is sent first: a task that sees the abort may ask for it at once.
  #notify (slot, worker, reason) {
    let notice = kNoReason
    if (reason !== undefined) {
      this.#lastNotice = this.#lastNotice === kMaxNotice ? 1 : this.#lastNotice + 1
      try {
        worker.sendNote(this.#lastNotice, slot, reason)
        notice = this.#lastNotice
      } catch {} // it cannot be cloned, or a getter of it has thrown
    }
    this.#native.words.abort(slot, notice)
    this.#native.core.notifyWorker(worker.index)
  }
}

function stackOf (worker) {
  return require('./thread-inspector').stackOf(worker, kStackTimeoutMs)
}

// `phase`: what has taken too long.
function timeoutOf ({ queueTimeout, timeout }, phase) {
  const error = phase === 'run'
    ? createError('ERR_TELAR_TIMEOUT', 'The task', timeout)
    : createError('ERR_TELAR_TIMEOUT', 'The wait of the task for a worker', queueTimeout)
  setOwn(error, 'phase', phase)
  return error
}

module.exports = { Aborter }
