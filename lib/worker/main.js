'use strict'

// The file that every worker of a pool runs. It attaches to the pool, loads the task file of the
// pool, and runs tasks whenever its event loop calls pump().

const {
  Atomics, Int32Array, Promise, Reflect, SharedArrayBuffer, Symbol, nextTick, process, runTicks
} = require('../base/globals')
const { parentPort, receiveMessageOnPort, workerData } = require('node:worker_threads')
const context = require('./context')
context.isWorkerThread = true

// Only the files that every task needs: each of them delays the first result by a quarter of a
// millisecond. The others are loaded where they are first used.
const { hasOutput } = require('./output')
const native = require('../base/native')
const { TaskFunction, functionAt, track, useTable } = require('./task-functions')
const {
  SlotMemory, kError, kForm, kFormMask, kInterruptible, kSteered
} = require('../transport/slot-memory')

const { apply } = Reflect
const promiseThen = Promise.prototype.then
const { kNextLeft, kNone } = native.poolConstants
const kEnding = -2
// The symbol of move.js, a file that few workers need.
const kMovable = Symbol.for('telar.movable')

// Kept once they are loaded: finding a file by require() takes as long as sending a message.
let shared = null
let adopt = null

const startup = receiveStartup()
const { port, index } = startup
// The function of the pool, which has the entry 0. Null: there is none.
const poolFunction = startup.poolFunction === null ? null : new TaskFunction(startup.poolFunction)
useTable(startup, {
  __proto__: null,
  promiseOf,
  // What an item of a batch leaves in ticks must not run during the next item either. False: the
  // thread is ending.
  endItem () {
    settleTicks()
    return !isEnding()
  }
})
// A pool has its number only in the library that made it. The file of the library may have been
// built anew since the owner loaded it.
if (startup.library !== native.library) {
  require('../shared/registry').checkLibrary(startup.library, 'pool')
}
context.workerData = startup.isStripped ? getShared().revive(workerData) : workerData

// Null: the pool was closed while this thread started, and the thread is being terminated.
const core = native.attachWorker(startup.pool, index, pump)
// Large buffers of results are attached, so such a result is sent by port. Unlike a request by
// port, this needs no reserved place.
const memory = core === null
  ? null
  : new SlotMemory(startup.buffer, startup.slots, core, {
    __proto__: null, attachFrom: startup.attachBytes, openNames: () => getShared().openNames()
  })
let isReady = false
// Made with the first value that needs it.
let byPort = null
// So that a worker without tasks lets go of what its owner has dropped.
startup.line.port.on('message', (message) => getShared().handle(message))
startup.line.port.unref()
// What tasks know of themselves (task-context.js), once a task needs it.
let contexts = null
// The tasks that may be interrupted, once there is one (interrupts.js).
let interrupts = null
let isPumping = false
let hasLeft = false
let mayBeEnding = false
let uncaught = null
process.on('uncaughtExceptionMonitor', (error) => {
  mayBeEnding = true
  uncaught = { error }
})
process.on('exit', (exitCode) => {
  if (core !== null) require('./farewell').sayFarewell(core, getByPort().port, exitCode, uncaught)
})
// Slots whose results are stored. They are completed in this order, since the owner reads the
// messages of results in the order of their slots.
let finished = []
// Made with the first task that has printed something (unread-output.js).
let unread = null
context.trackTasks = trackTasks
if (core !== null) {
  if (startup.heapWords !== null) require('./heap-report').publishHeap(startup.heapWords)
  if (startup.niceIncrement !== 0) require('./nice').nice(startup.niceIncrement)
  prepare()
}

// The owner posts this message right after it has created the thread, so it is almost always here
// already. A listener on parentPort would take messages away from the listeners of the user.
function receiveStartup () {
  const pause = new Int32Array(new SharedArrayBuffer(4))
  for (;;) {
    const received = receiveMessageOnPort(parentPort)
    if (received !== undefined) return received.message
    Atomics.wait(pause, 0, 0, 1)
  }
}

// Loads the task file of the pool. If that fails, the worker fails: the error is not caught. But a
// file that lacks the export of the pool may have those that tasks name.
function prepare () {
  if (poolFunction === null) return becomeReady()
  const loaded = poolFunction.load()
  if (typeof loaded === 'function') return setUp()
  loaded.catch((error) => {
    if (error?.code !== 'ERR_TELAR_NO_HANDLER') throw error
  }).then(setUp)
}

function setUp () {
  if (startup.heap !== null) require('./heap-report').publishLeastHeap(startup.heap)
  if (startup.setup === null) becomeReady()
  else require('./life').setUp(startup).then(becomeReady)
}

// Pumps without waiting for the event loop, which would call pump() only after V8 has collected the
// garbage of the start.
function becomeReady () {
  isReady = true
  core.ready()
  schedulePump()
}

// Called from the event loop whenever there may be work.
function pump () {
  if (!isReady || isPumping || isEnding()) return
  isPumping = true
  try {
    unread?.check()
    if (contexts !== null && contexts.isWatching) fireSignals()
    if (interrupts !== null && interrupts.hasTasks) interrupts.dropStopped()
    let done = finished.length > 0 ? settle(kNone) : kNone
    while (done !== kEnding) {
      const slot = core.next(done)
      if (slot < 0) {
        if (slot === kNextLeft) leave()
        break
      }
      done = settle(execute(slot) ? slot : kNone)
    }
  } finally {
    isPumping = false
  }
}

// Called when this worker gets no more tasks and holds none. If there is no teardown, the owner
// ends the thread without being told.
function leave () {
  if (hasLeft) return
  hasLeft = true
  if (startup.teardown !== null) require('./life').tearDown(startup).then(core.gone)
}

// From now on each task runs with its context, also the one that has called this. Several copies of
// telar in a thread may call this.
function trackTasks () {
  if (contexts !== null && contexts.isTracking) return contexts.storage
  const storage = getContexts().track()
  track(poolFunction)
  const slot = interrupts?.slot ?? core.claimed()
  if (!isPumping || slot < 0) return storage
  const entry = memory.functionEntry(slot)
  const { name } = entry === 0 ? poolFunction : functionOf(entry)
  storage.enterWith(contexts.open(slot, name, memory.form(slot)))
  return storage
}

// What a listener leaves to ticks and microtasks must not run during the next task either.
function fireSignals () {
  contexts.fireDue()
  settleTicks()
}

// Finishes a task. First runs the ticks and microtasks that it left, whether it succeeded or not:
// if one of them throws, the task fails. Returns the slot that still has to be completed.
function settle (done) {
  settleTicks()
  if (isEnding()) return kEnding
  if (done !== kNone && (finished.length > 0 || hasOutput())) {
    finished.push(done)
    done = kNone
  }
  if (finished.length === 0) return done
  if (!hasOutput() || !holdForOutput()) return complete(finished)
  finished = []
  return kNone
}

function holdForOutput () {
  unread ??= new (require('./unread-output').UnreadOutput)(startup, (slots) => {
    if (isEnding()) return
    core.complete(complete(slots))
    schedulePump()
  })
  return unread.hold(finished)
}

// Completes all slots but the last, which is returned: next() completes it and claims another in
// one call.
function complete (slots) {
  const last = slots.pop()
  if (slots.length > 0) {
    for (const slot of slots) core.complete(slot)
    slots.length = 0
  }
  return last
}

// Whether an uncaught exception is ending the thread. Node interrupts the JavaScript of the thread
// for that, but inside a microtask it continues. process._exiting shows the end; reading it takes
// half as long as a task, so it is read only after such an exception.
function isEnding () {
  if (mayBeEnding) mayBeEnding = process._exiting
  return mayBeEnding
}

// An error of a tick is an uncaught exception, and is handed to Node at once. If it left this
// function, Node's stack of async contexts would be left in the wrong state.
function settleTicks () {
  for (;;) {
    try {
      return runTicks()
    } catch (error) {
      core.fatal(error)
    }
  }
}

// To be called after an asynchronous task has ended. The pump runs in a tick: this may be a
// microtask, and inside one the microtasks of the next tasks could not run.
function schedulePump () {
  if (!isPumping) nextTick(resume)
}

function resume () {
  if (isPumping) return
  core.resume()
  pump()
}

// Runs a task. False: it is asynchronous, or its result was sent by port, and it is completed
// later.
function execute (slot) {
  let result
  try {
    const form = memory.form(slot)
    const value = form < kForm.portRequest ? memory.read(slot) : receive(slot, form)
    const entry = memory.functionEntry(slot)
    const found = entry === 0 ? poolFunction : functionOf(entry)
    const { run } = found
    if (run === undefined || form >= kInterruptible) return executeOther(slot, found, value, form)
    result = run(value)
    if (isAwaited(slot, result)) return false
  } catch (error) {
    return end(slot, error, kError)
  }
  return end(slot, result, 0) // it may have asked for its context
}

// The same for a task whose function is not loaded yet, that has a context, or that may be
// interrupted.
function executeOther (slot, found, value, form) {
  if (form >= kInterruptible) return getInterrupts().begin(slot, found, value, form)
  if (found.loaded === undefined) {
    executeLater(slot, found, value, form)
    return false
  }
  let result
  try {
    result = call(slot, found, value, form)
    if (isAwaited(slot, result)) return false
  } catch (error) {
    return end(slot, error, kError)
  }
  return end(slot, result, 0)
}

// Whether the result is a promise: then the task is completed later.
function isAwaited (slot, result) {
  const promise = promiseOf(result)
  if (promise === null) return false
  apply(promiseThen, promise, [
    (value) => finishLater(slot, value, 0), (error) => finishLater(slot, error, kError)
  ])
  return true
}

// Calls the function of a task, with what the task knows of itself if it needs that. Functions for
// Piscina do not expect a second argument.
function call (slot, { loaded, name, takesTask }, value, form) {
  const passesTask = takesTask && (startup.passesTask || (form & kSteered) !== 0)
  if (!passesTask && (contexts === null || !contexts.isTracking)) return loaded(value)
  const context = getContexts().open(slot, name, form)
  if (context.aborted) return undefined // the owner drops the result
  return contexts.call(context, loaded, value, passesTask)
}

// The promise of a task's result. Null: the value is the result itself. A native promise settles
// once. Any other thenable may call back twice, late, or with a promise, when the slot may belong
// to another task. So it is adopted by a native promise, as by `await`.
function promiseOf (result) {
  if ((typeof result !== 'object' || result === null) && typeof result !== 'function') return null
  if (result instanceof Promise && result.constructor === Promise) return result
  const { then } = result // read once: it may be a getter
  if (typeof then !== 'function') return null
  adopt ??= require('./thenable').adopt
  return adopt(result, then)
}

async function executeLater (slot, found, value, form) {
  let result
  try {
    await found.load()
    result = await call(slot, found, value, form)
  } catch (error) {
    return finishLater(slot, error, kError)
  }
  finishLater(slot, result, 0)
}

function getShared () {
  shared ??= new (require('./shared-objects').SharedObjects)(startup)
  return shared
}

// A negative entry: the function came with the message, since the table had no room for it.
function functionOf (entry) {
  return entry < 0 ? new TaskFunction(getByPort().taskFunction) : functionAt(entry)
}

function receive (slot, form) {
  return (form & kFormMask) === kForm.portRequest ? getByPort().receive(slot) : memory.read(slot)
}

function getByPort () {
  if (byPort === null) {
    const { ByPort } = require('./by-port')
    byPort = new ByPort(port, { __proto__: null, memory, index, getShared, getContexts })
  }
  return byPort
}

function getContexts () {
  contexts ??= require('./task-context').openContexts(startup, core, getByPort)
  return contexts
}

function getInterrupts () {
  interrupts ??= require('./interrupts').openInterrupts(core, {
    __proto__: null,
    call,
    finishLater,
    promiseOf,
    settleTicks,
    setPumping (isOn) { isPumping = isOn }
  })
  return interrupts
}

function finishLater (slot, value, flags) {
  if (end(slot, value, flags)) finished.push(slot)
  schedulePump()
}

// As store(), for a task that may have a context.
function end (slot, value, flags) {
  contexts?.close(slot)
  return store(slot, value, flags)
}

// Stores what a task returned or threw. True: the slot still has to be completed. False: the result
// is sent by port, and the slot is in `finished`.
function store (slot, value, flags) {
  let isStored
  try {
    const isMarked = typeof value === 'object' && value !== null && value[kMovable] === true
    isStored = (!isMarked && memory.write(slot, value, flags, index)) ||
      getByPort().store(slot, value, flags, isMarked)
  } catch (error) {
    isStored = getByPort().storeFailure(slot, error)
  } finally {
    memory.forget(slot)
  }
  // The owner reads messages in the order of their slots, so the slot is completed in its turn.
  if (!isStored) finished.push(slot)
  return isStored
}
