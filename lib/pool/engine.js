'use strict'

// The owner's side of a pool: admits tasks, and connects the parts that do the rest. Pool and
// Piscina are its public classes.
//
// Life of a task: run() submits it to the scheduler at once if it can, which is nearly always so.
// Otherwise a Task object is made for it, which waits in the task queue until there is a slot, a
// place or a worker for it.

const { Math, Promise, queueMicrotask } = require('../base/globals')
const { reasonOf } = require('../base/abort-signal')
const { AbortError, createError } = require('../base/errors')
const native = require('../base/native')
const { memberOf } = require('../base/own')
const { now } = require('../base/time')
const { throwLater } = require('../base/uncaught')
const { kMovable } = require('../transport/move')
const { BootFailures } = require('./boot-failures')
const { RunOptions, normalizeRunOptions } = require('./call-options')
const { Dispatcher } = require('./dispatch')
const { NativePool } = require('./native-pool')
const { poolLimits } = require('./options')
const { PoolState } = require('./pool-state')
const { Recovery } = require('./recovery')
const { ResultPoller } = require('./result-poller')
const { Scaler } = require('./scaler')
const { Settler } = require('./settler')
const { Shutdown } = require('./shutdown')
const { SlotTable } = require('./slot-table')
const { Task, createTaskResource } = require('./task')
const { kPoolFunction } = require('./task-functions')
const { WaitingTasks } = require('./waiting-tasks')
const { Workers } = require('./workers')

const { kCancelFinished, kNone } = native.poolConstants

const resolved = Promise.resolve()
let capturedResolve
// One executor for all promises: one for each would be an allocation for each task.
function capture (resolve) {
  capturedResolve = resolve
}

class Engine {
  options
  #limits
  #host // the public object, which emits the events
  #strict
  #resourceType
  #isFast // tasks without options need no Task object
  #start = now()
  #emitDrainBound = () => this.#emit('drain')

  // The parts, each of which uses those above it.
  #native
  #waiting // the task queue
  #workers
  #slots
  #state
  #settler
  #poller
  #scaler
  #dispatcher
  #recovery
  #shutdown

  constructor (host, options, { strict, resourceType, hasOwnQueue }) {
    this.#host = host
    this.#strict = strict
    this.#resourceType = resourceType
    this.options = options
    this.#limits = poolLimits(options)
    // Otherwise tasks wait in JavaScript until a worker is free, so that the queue or the load
    // balancer of the user decides as late as possible.
    const isDirect = options.loadBalancer === undefined && !hasOwnQueue
    this.#isFast = isDirect && !options.asyncHooks && options.filename !== null
    this.#assemble(isDirect)
    this.#scaler.startMin()
    this.#announceLater(this.#workers.takeAsReady())
  }

  #assemble (isDirect) {
    const { options } = this
    const limits = this.#limits
    this.#native = new NativePool(options, limits, (count) => this.#onResults(count))
    this.#waiting = new WaitingTasks(options.taskQueue)
    this.#workers = new Workers(options, limits, this.#native, {
      onMessage: (message) => this.#emit('message', message),
      onReady: (view) => this.#emit('workerCreate', view),
      onGone: (view) => this.#emit('workerDestroy', view),
      onExit: (worker, exitCode) => this.#onExit(worker, exitCode),
      onChange: () => this.#state.updateLimit()
    })
    const bootFailures = new BootFailures()
    const parts = {
      __proto__: null, // parts are assigned below: no setter of a polluted prototype may get them
      options,
      limits,
      isDirect,
      bootFailures,
      strict: this.#strict,
      native: this.#native,
      waiting: this.#waiting,
      workers: this.#workers,
      slots: new SlotTable(this.#native)
    }
    this.#slots = parts.slots
    this.#state = parts.state = new PoolState({
      ...parts,
      onFull: () => this.#onFull(),
      onDrained: () => this.#onDrained()
    })
    this.#settler = parts.settler = new Settler(parts)
    this.#poller = parts.poller = new ResultPoller({
      ...parts,
      afterSettling: () => this.#afterSettling()
    })
    this.#scaler = parts.scaler = new Scaler({
      ...parts,
      onFailure: (error) => this.#recovery.failBoot(error, false),
      onGone: () => this.#closeNative()
    })
    this.#dispatcher = new Dispatcher(parts)
    this.#recovery = parts.recovery = new Recovery({
      ...parts,
      onError: (error) => this.#emit('error', error)
    })
    this.#shutdown = new Shutdown({
      ...parts,
      onGone: () => this.#closeNative(),
      onTimeout: (error) => this.#host.emit('error', error),
      onClosed: () => this.#emit('close')
    })
  }

  // In a microtask, so that the user can add listeners first.
  #announceLater (workers) {
    queueMicrotask(() => {
      for (const worker of workers) {
        this.#workers.announce(worker)
        this.#dispatcher.flush()
      }
    })
  }

  // ---- admission ----

  run (value, options) {
    // mayBeMoved() comes before the state is read: a getter of the value may call the pool.
    if (
      options === undefined && this.#isFast &&
      !(typeof value === 'object' && value !== null && mayBeMoved(value)) &&
      this.#state.canSubmit && this.#slots.hasFree
    ) {
      return this.#runFast(value) ??
        this.#accept(value, this.#ownRunOptions(), this.#native.memory.takePacked())
    }
    return this.#runTask(value, options)
  }

  // The fast path. Undefined: the value has to be sent by port (SlotMemory#takePacked).
  #runFast (value) {
    const slots = this.#slots
    const state = this.#state
    const slot = slots.take()
    try {
      if (!this.#native.memory.write(slot, value, 0, kPoolFunction)) {
        slots.giveBack(slot)
        return undefined
      }
    } catch (error) { // thrown by a getter of the value
      slots.giveBack(slot)
      return Promise.reject(error)
    }
    if (state.active >= state.fastLimit) { // a getter of the value has called the pool
      slots.giveBack(slot)
      return this.#accept(value, this.#ownRunOptions())
    }
    const promise = new Promise(capture)
    slots.setResolve(slot, capturedResolve)
    state.begin()
    this.#poller.submit(slot)
    return promise
  }

  #runTask (value, options) {
    if (options === undefined) options = {}
    const given = normalizeRunOptions(options, { strict: this.#strict })
    if (given.error !== null) return Promise.reject(given.error)
    if (this.#state.isEnding) return Promise.reject(new AbortError('queue is being terminated'))
    given.filename ??= this.options.filename
    given.name ??= this.options.name
    if (given.filename === null) return Promise.reject(createError('ERR_TELAR_FILENAME_MISSING'))
    return this.#accept(value, given)
  }

  #ownRunOptions () {
    return new RunOptions(this.options.filename, this.options.name)
  }

  // `packed`: the encoded value, if the fast path has encoded it (Task#packed).
  #accept (value, given, packed) {
    const resource = this.options.asyncHooks
      ? createTaskResource(this.#resourceType, this.#host.asyncResource?.asyncId())
      : undefined
    let task
    try {
      task = new Task(value, given, resource, packed)
    } catch (error) { // thrown by a getter of a transferable
      return Promise.reject(error)
    }
    if (task.signal !== null) this.#listen(task)
    if (this.#settler.isOver(task)) return task.promise
    try {
      this.#admit(task)
    } catch (error) { // thrown by the user's queue, or by a worker that cannot start
      this.#settler.rejectWaiting(task, error)
    }
    return task.promise
  }

  #admit (task) {
    this.#scaler.growForTask()
    const { isBalanced } = this.#state
    if (!isBalanced && this.#state.isFullFor(task)) return this.#refuse(task)
    if (this.#waiting.size > 0 || !this.#dispatcher.dispatch(task)) {
      if (isBalanced && !this.#mayWaitForBalancer()) return this.#refuse(task)
      if (this.#settler.isOver(task)) return
      this.#dispatcher.enqueue(task)
    }
    // User code that was called may have ended the worker that the task was handed to.
    this.#scaler.growToDemand()
    this.#state.checkFull()
  }

  #mayWaitForBalancer () {
    this.#scaler.growForBalancer(1)
    return !this.#state.isFullForBalancer
  }

  #refuse (task) {
    const code = this.#limits.maxQueue === 0 ? 'ERR_TELAR_NO_QUEUE' : 'ERR_TELAR_QUEUE_FULL'
    task.settle(true, createError(code))
  }

  // ---- abort ----

  #listen (task) {
    const { signal } = task
    try {
      if (memberOf(signal, 'aborted')) task.settle(true, new AbortError(reasonOf(signal)))
      else task.onAbort(() => this.#abort(task))
    } catch (error) { // thrown by a member of the signal
      task.settle(true, error)
    }
  }

  #abort (task) {
    const error = new AbortError(reasonOf(task.signal))
    if (task.isSettled) return
    if (task.slot < 0) this.#abortWaiting(task, error)
    else this.#abortHanded(task, error)
    this.#afterSettling()
  }

  #abortWaiting (task, error) {
    this.#settler.rejectWaiting(task, error)
    this.#waiting.remove(task)
    this.#state.updateWaiting()
  }

  // A running task cannot be interrupted, so its worker is ended.
  #abortHanded (task, error) {
    // In Piscina a task counts as running once a worker has been chosen for it.
    const assignedTo = this.#strict ? null : task.worker
    this.#slots.abandon(task.slot)
    const result = this.#native.core.cancel(task.slot, assignedTo?.index ?? kNone)
    this.#settler.finish(task, true, error)
    const worker = result >= 0 ? this.#workers.at(result) : assignedTo
    if (worker === null || result === kCancelFinished) return
    this.#workers.destroy(worker)
    this.#scaler.replace()
  }

  // ---- callbacks of the parts ----

  // Called from the event loop. 0: something about a worker may have changed.
  #onResults (count) {
    this.#poller.deliver(count)
    if (this.#workers.booting > 0 && this.#workers.findReady()) {
      this.#recovery.endBootFailure()
      this.#dispatcher.flush()
    }
    this.#recovery.checkBootFailures()
    // A load balancer is asked again only when a task has ended; for a worker that became ready it
    // was asked above.
    if (count > 0 || !this.#state.isBalanced) this.#afterSettling()
  }

  #onExit (worker, exitCode) {
    this.#recovery.recover(worker, exitCode)
    this.#afterSettling()
  }

  #afterSettling () {
    this.#dispatcher.flush()
    this.#state.checkDrained()
    this.#workers.watchIdle()
    this.#shutdown.checkQuiet()
  }

  #onFull () {
    if (this.#host.listenerCount('needsDrain') > 0) queueMicrotask(() => this.#emit('needsDrain'))
  }

  #onDrained () {
    resolved.then(this.#emitDrainBound) // queueMicrotask() costs as much as three tasks
  }

  // If a listener throws, the engine still finishes its work.
  #emit (name, value) {
    try {
      this.#host.emit(name, value)
    } catch (error) {
      throwLater(error)
    }
  }

  // ---- shutdown ----

  close (options) { return this.#shutdown.close(options) }

  destroy () { return this.#shutdown.destroy() }

  // Called when all workers are gone.
  #closeNative () {
    if (!this.#native.isOpen) return
    this.#native.close()
    for (const part of [this.#workers, this.#slots, this.#state, this.#poller, this.#dispatcher]) {
      part.reset()
    }
  }

  // ---- figures ----

  get completed () { return this.#state.completed }

  get needsDrain () { return this.#state.needsDrain }

  get threads () { return this.#workers.list.map((worker) => worker.thread) }

  get idleThreads () { return Math.max(0, this.#workers.ready.length - this.#state.active) }

  get queueSize () { return this.#state.queueSize }

  get duration () { return now() - this.#start }

  get histogram () { return this.#native.histogram }

  // The running time of all tasks, as a share of the time that all workers could have run.
  get utilization () {
    const worked = this.histogram.totalRunTime
    return worked === 0 ? 0 : Math.min(1, worked / (this.duration * this.#limits.maxThreads))
  }
}

// True also if a getter or a proxy throws: the slow path handles that.
function mayBeMoved (value) {
  try {
    return value[kMovable] === true
  } catch {
    return true
  }
}

module.exports = { Engine }
