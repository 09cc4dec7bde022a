'use strict'

// The owner's side of a pool: admits tasks, and connects the parts that do the rest. Pool and
// Piscina are its public classes.
//
// Life of a task: run() submits it to the scheduler at once if it can, which is nearly always so.
// Otherwise a Task object is made for it, which waits in the task queue until there is a slot, a
// place or a worker for it.

const { Math, Promise, queueMicrotask } = require('../base/globals')
const { AbortError, createError } = require('../base/errors')
const { now } = require('../base/time')
const { throwLater } = require('../base/uncaught')
const { isMarked, kValue, movedBuffer } = require('../transport/move')
const { Aborter } = require('./abort')
const { BootFailures } = require('./boot-failures')
const { RunOptions, normalizeRunOptions } = require('./call-options')
const { Deadlines } = require('./deadlines')
const { Dispatcher } = require('./dispatch')
const { Life } = require('./life')
const { NativePool } = require('./native-pool')
const { poolLimits } = require('./options')
const { MemoryLimit } = require('./memory-limit')
const { PoolState } = require('./pool-state')
const { Progress } = require('./progress')
const { Readiness } = require('./readiness')
const { Recovery } = require('./recovery')
const { ResultPoller } = require('./result-poller')
const { checkIsolated } = require('./route')
const { RunningTasks } = require('./running-tasks')
const { Scaler } = require('./scaler')
const { Settler } = require('./settler')
const { Shutdown } = require('./shutdown')
const { SlotTable } = require('./slot-table')
const { Task, createTaskResource } = require('./task')
const { kPoolFunction } = require('./task-functions')
const { endsWorker, isLimited } = require('./terms')
const { WaitingTasks } = require('./waiting-tasks')
const { Workers } = require('./workers')

const endingError = () => new AbortError('queue is being terminated')
const resolved = Promise.resolve()
let capturedResolve
// One executor for all promises: one for each would be an allocation for each task.
function capture (resolve) {
  capturedResolve = resolve
}

class Engine {
  options
  isFastPinned // tasks of pinned functions need no Task object
  #limits
  #host // the public object, which emits the events
  #strict
  #resourceType
  #isDirect
  #mayBeFast // tasks with no other options than terms may need no Task object
  #isFast // those without options need none
  #defaults // the terms of tasks without options
  #ownTerms // the same; null: they have no limits
  #start = now()
  #emitDrainBound = () => this.#emit('drain')

  // The parts, each of which uses those above it.
  #native
  #waiting // the task queue
  #workers
  #slots
  #state
  #deadlines
  #progress
  #settler
  #poller
  #scaler
  #aborter
  #dispatcher
  #recovery
  #life
  #shutdown
  #memoryLimit = null
  #parts // all of the above that others use
  #calls = null

  constructor (host, options, { strict, resourceType, hasOwnQueue }) {
    this.#host = host
    this.#strict = strict
    this.#resourceType = resourceType
    this.options = options
    this.#limits = poolLimits(options)
    // Otherwise tasks wait in JavaScript until a worker is free, so that the queue or the load
    // balancer of the user decides as late as possible, or so that the worker is a fresh one.
    this.#isDirect = options.loadBalancer === undefined && !hasOwnQueue && !options.isolate
    this.#mayBeFast = this.#isDirect && !options.asyncHooks
    this.#defaults = new RunOptions(options)
    this.isFastPinned = this.#hasFastPath(this.#defaults) && !isLimited(options)
    this.#isFast = this.#hasFastPath(this.#defaults) && options.filename !== null
    this.#ownTerms = isLimited(options) ? this.ownRunOptions() : null
    this.#assemble(hasOwnQueue)
    this.#scaler.startMin()
    this.#announceLater(this.#workers.takeAsReady())
  }

  #assemble (hasOwnQueue) {
    const { options } = this
    const limits = this.#limits
    this.#native = new NativePool(options, limits, {
      passesTask: this.#strict, onDone: (count) => this.onResults(count)
    })
    this.#waiting = new WaitingTasks(options.taskQueue, hasOwnQueue)
    this.#workers = new Workers(options, limits, this.#native, {
      onMessage: (message) => this.#emit('message', message),
      onReady: (view) => this.#emit('workerCreate', view),
      onGone: (view) => this.#emit('workerDestroy', view),
      onExit: (worker, exitCode) => this.#onExit(worker, exitCode),
      onError: (error) => this.#emit('error', error),
      onChange: () => this.#state.updateLimit()
    })
    const bootFailures = new BootFailures()
    const parts = this.#parts = {
      __proto__: null, // parts are assigned below: no setter of a polluted prototype may get them
      options,
      limits,
      isDirect: this.#isDirect,
      bootFailures,
      strict: this.#strict,
      native: this.#native,
      waiting: this.#waiting,
      workers: this.#workers,
      slots: new SlotTable(this.#native)
    }
    this.#slots = parts.slots
    parts.running = new RunningTasks(parts)
    this.#state = parts.state = new PoolState({
      ...parts,
      onFull: () => this.#onFull(),
      onDrained: () => this.#onDrained()
    })
    parts.afterSettling = () => this.#afterSettling()
    parts.readiness = new Readiness(parts)
    this.#deadlines = parts.deadlines = new Deadlines({
      ...parts,
      onLate: (slot, limit) => this.#aborter.onLate(slot, limit),
      onLateWaiting: (task) => this.#aborter.onLateWaiting(task)
    })
    this.#progress = parts.progress = new Progress()
    this.#settler = parts.settler = new Settler(parts)
    this.#poller = parts.poller = new ResultPoller(parts)
    this.#scaler = parts.scaler = new Scaler({
      ...parts,
      onFailure: (error) => this.#recovery.failBoot(error, false),
      onGone: () => this.#closeNative()
    })
    this.#aborter = new Aborter(parts)
    this.#dispatcher = parts.dispatcher = new Dispatcher(parts)
    this.#recovery = parts.recovery = new Recovery({
      ...parts,
      onError: (error) => this.#emit('error', error)
    })
    this.#life = new Life({ ...parts, onFailure: (error) => this.#recovery.failBoot(error, false) })
    if (options.memoryLimit !== undefined) this.#memoryLimit = new MemoryLimit(parts)
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
    // isMarked() comes before the state is read: a getter of the value may call the pool.
    if (
      options === undefined && this.#isFast && !isMarked(value) &&
      this.#state.canSubmit && this.#slots.hasFree
    ) {
      return this.runFast(value, this.#ownTerms) ??
        this.accept(value, this.ownRunOptions(), this.#native.memory.takePacked())
    }
    return options === undefined && this.#isFast
      ? this.#runMoved(value)
      : this.#runTask(value, options)
  }

  // The fast path of run(move(buffer)).
  #runMoved (value) {
    const mayMove = this.#state.canSubmit && this.#slots.hasFree &&
      this.#defaults.queueTimeout === Infinity // see Task#keepsUntilPlace
    const buffer = mayMove ? movedBuffer(value) : null
    if (buffer === null) return this.#runTask(value)
    return this.runFast(value[kValue], this.#ownTerms, [buffer]) ??
      this.accept(value, this.ownRunOptions(), this.#native.memory.takePacked())
  }

  // The fast path. `given`: its options, if it has a priority, a key or limits; else null.
  // `transferList`: the buffer that is moved, if one is. `pinned`: its function, if it is not the
  // pool's. Undefined: the value has to be sent by port (SlotMemory#takePacked).
  runFast (value, given, transferList, pinned = null) {
    const slots = this.#slots
    const state = this.#state
    const slot = slots.take()
    try {
      const { memory } = this.#native
      const flags = given === null ? 0 : given.flags
      const entry = pinned === null ? kPoolFunction : pinned.entry
      const isWritten = transferList === undefined
        ? memory.write(slot, value, flags, entry)
        : memory.writeMoved(slot, value, flags, entry, transferList)
      if (!isWritten) {
        slots.giveBack(slot)
        return undefined
      }
    } catch (error) { // thrown by a getter of the value, or for the transfer list
      slots.giveBack(slot)
      return Promise.reject(error)
    }
    if (state.active >= state.fastLimit) { // a getter of the value has called the pool
      slots.giveBack(slot)
      return this.accept(value, given ?? this.ownRunOptions(pinned))
    }
    const promise = new Promise(capture)
    slots.setResolve(slot, capturedResolve)
    state.begin()
    if (given === null) this.#poller.submit(slot)
    else this.#poller.submitGiven(slot, given)
    return promise
  }

  #runTask (value, options) {
    const given = this.readOptions(options)
    if (given.error !== null) return Promise.reject(given.error)
    if (
      !given.needsTask && this.#hasFastPath(given) && !isMarked(value) &&
      this.#state.canSubmit && this.#slots.hasFree
    ) {
      return this.runFast(value, given.isRouted || isLimited(given) ? given : null) ??
        this.accept(value, given, this.#native.memory.takePacked())
    }
    return this.accept(value, given)
  }

  // `pinned`: the function, if the caller has chosen it.
  readOptions (options = {}, pinned = null) {
    const given = normalizeRunOptions(options, { strict: this.#strict, defaults: this.#defaults })
    if (given.error !== null) return given
    given.setFunction(pinned ?? this.#calls?.defined(given), this.options)
    if (this.#state.isEnding) given.error = endingError()
    else if (given.filename === null) given.error = createError('ERR_TELAR_FILENAME_MISSING')
    else if (this.options.isolate) given.error ??= checkIsolated(given)
    return given
  }

  // What few programs use (calls.js), loaded when it is first used.
  get calls () { return (this.#calls ??= new (require('./calls').Calls)(this.#parts, this)) }

  // Whether tasks without any options or limits need no Task object.
  get isFast () { return this.#isFast && this.#ownTerms === null }

  // Whether tasks with these terms and without other options can take the fast path.
  #hasFastPath (terms) {
    const isAlone = this.#limits.concurrentTasksPerWorker === 1
    return this.#mayBeFast && (isAlone || !endsWorker(terms, false))
  }

  ownRunOptions (pinned = null) {
    const { filename, name } = pinned ?? this.options
    return new RunOptions(this.#defaults, filename, name)
  }

  // `packed`: the encoded value, if the fast path has encoded it (Task#packed).
  accept (value, given, packed) {
    try {
      return this.#begin(value, given, packed).promise
    } catch (error) { // thrown by a getter of a transferable
      return Promise.reject(error)
    }
  }

  // Starts a task of map() or stream(). Returns its Task, for cancel().
  start (value, given) {
    if (this.#state.isEnding) throw endingError()
    return this.#begin(value, given)
  }

  cancel (task) { this.#aborter.cancel(task) }

  #begin (value, given, packed) {
    const resource = this.options.asyncHooks
      ? createTaskResource(this.#resourceType, this.#host.asyncResource?.asyncId())
      : undefined
    const task = new Task(value, given, resource, packed)
    this.enter(task)
    return task
  }

  enter (task) {
    this.#memoryLimit?.watch()
    if (task.signal !== null) this.#aborter.listen(task)
    if (this.#settler.isOver(task)) return
    try {
      this.#admit(task)
    } catch (error) { // thrown by the user's queue, or by a worker that cannot start
      this.#settler.rejectWaiting(task, error)
    }
  }

  #admit (task) {
    const { isBalanced } = this.#state
    if (task.target === null) {
      this.#scaler.growForTask()
      if (!isBalanced && task.mayBeRefused && this.#state.isFullFor(task)) return this.#refuse(task)
    }
    if (!this.#waiting.mayPass(task) || !this.#dispatcher.dispatch(task)) {
      if (isBalanced && task.target === null && !this.#mayWaitForBalancer() && task.mayBeRefused) {
        return this.#refuse(task)
      }
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
    this.#progress.end(task)
    task.settle(true, createError(code))
  }

  // ---- callbacks of the parts ----

  // Called from the event loop. 0: something about a worker may have changed.
  onResults (count) {
    this.#poller.deliver(count)
    if (this.#progress.isActive) this.#progress.deliverAll(this.#workers.all)
    if (this.#workers.booting > 0 && this.#workers.findReady()) {
      this.#recovery.endBootFailure()
      this.#dispatcher.flush()
    }
    this.#recovery.checkBootFailures()
    this.#aborter.checkStopped()
    this.#life.check()
    // A load balancer is asked again only when a task has ended; for a worker that became ready it
    // was asked above.
    if (count > 0 || !this.#state.isBalanced) this.#afterSettling()
  }

  #onExit (worker, exitCode) {
    this.#recovery.recover(worker, exitCode)
    this.#life.check()
    this.#afterSettling()
  }

  #afterSettling () {
    this.#dispatcher.flush()
    this.#state.checkDrained()
    this.#workers.watchIdle()
    this.#life.watch()
    this.#shutdown.checkQuiet()
  }

  #onFull () {
    if (this.#host.listenerCount('needsDrain') > 0) queueMicrotask(() => this.#emit('needsDrain'))
  }

  #onDrained () {
    if (this.#state.blocked > 0) return // runSync() does that once
    resolved.then(this.#emitDrainBound) // queueMicrotask() costs as much as three tasks
  }

  // If a listener throws, the engine still finishes its work.
  #emit (name, value) {
    if (this.#state.blocked > 0) return queueMicrotask(() => this.#emit(name, value))
    try {
      this.#host.emit(name, value)
    } catch (error) {
      throwLater(error)
    }
  }

  // ---- workers and shutdown ----

  ready () { return this.#life.ready() }
  resize (size) { this.#life.resize(size) }

  close (options) { return this.#shutdown.close(options) }
  destroy () { return this.#shutdown.destroy() }

  // Called when all workers are gone.
  #closeNative () {
    if (!this.#native.isOpen) return
    this.#native.close()
    for (const part of [
      this.#workers, this.#slots, this.#state, this.#deadlines, this.#poller, this.#dispatcher,
      this.#life
    ]) {
      part.reset()
    }
  }

  // ---- figures ----

  get completed () { return this.#state.completed }
  get needsDrain () { return this.#state.needsDrain }

  get threads () { return this.#workers.living.map((worker) => worker.thread) }

  get workers () { return this.#workers.statuses }

  get idleThreads () { return this.#state.idleThreads }

  // How many tasks can run at a time, once all workers have started.
  get capacity () { return this.#state.maxCapacity }

  get queueSize () { return this.#state.queueSize }

  get duration () { return now() - this.#start }

  get histogram () { return this.#native.histogram }

  dump () { return require('./dump').dump(this.#parts) }

  // The running time of all tasks, as a share of the time that all workers could have run.
  get utilization () {
    const worked = this.histogram.totalRunTime
    return worked === 0 ? 0 : Math.min(1, worked / (this.duration * this.#limits.maxThreads))
  }
}

module.exports = { Engine }
