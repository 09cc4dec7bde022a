'use strict'

// The file that every worker of a pool runs. It attaches to the pool, loads the task file of the
// pool, and runs tasks whenever its event loop calls pump().

const {
  Atomics, Function, Int32Array, Map, Object, Promise, Reflect, SharedArrayBuffer, Symbol, nextTick,
  process
} = require('../base/globals')
const { parentPort, receiveMessageOnPort, workerData } = require('node:worker_threads')
const context = require('./context')
context.isWorkerThread = true

// Only the files that every task needs: each of them delays the first result by a quarter of a
// millisecond. The others are loaded where they are first used.
const { flushOutput, hasOutput } = require('./output')
const native = require('../base/native')
const { TaskFunction, useTable, functionAt } = require('./task-functions')
const { SlotMemory, kError, kForm, kFormMask } = require('../transport/slot-memory')

const { apply } = Reflect
const promiseThen = Promise.prototype.then
const { kNone } = native.poolConstants
const kEnding = -2
// The symbol of move.js, a file that few workers need.
const kMovable = Symbol.for('telar.movable')

// Runs the queues of process.nextTick() and of microtasks until both are empty, as Node does
// between two timers: what a task leaves in them must not run during the next task. Node has no
// public call for that. This one costs a third of an `await`, and an `await` would run only the
// microtasks that are queued already.
const runTicks = withoutWarning(process._tickCallback)

const startup = receiveStartup()
const { port, index } = startup
// The function of the pool, which has the entry 0. Null: there is none.
const poolFunction = startup.poolFunction === null ? null : new TaskFunction(startup.poolFunction)
useTable(startup)
// A pool has its number only in the library that made it. The file of the library may have been
// built anew since the owner loaded it.
if (startup.library !== native.library) throw otherLibrary()
context.workerData = startup.isStripped ? reviver().revive(workerData) : workerData

// Null: the pool was closed while this thread started, and the thread is being terminated.
const core = native.attachWorker(startup.pool, index, pump)
// Large buffers of results are attached, so such a result is sent by port. Unlike a request by
// port, this needs no reserved place.
const memory = core === null
  ? null
  : new SlotMemory(startup.buffer, startup.slots, core, startup.attachBytes)
// Messages that were received and whose slots have not been claimed yet.
const messages = new Map()
let isReady = false
// The function that came with the last message.
let functionReceived
// Made with the first message.
let valuePort = null
let isPumping = false
let mayBeEnding = false
process.on('uncaughtExceptionMonitor', () => { mayBeEnding = true })
// Slots whose results are stored. They are completed in this order, since the owner reads the
// messages of results in the order of their slots.
let finished = []
if (core !== null) {
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

function otherLibrary () {
  const { kOtherLibrary } = require('../shared/registry')
  return require('../base/errors').createError('ERR_TELAR_OTHER_COPY', 'pool', kOtherLibrary)
}

// Loads the task file of the pool. If that fails, the worker fails: the error is not caught. But a
// file that lacks the export of the pool may have those that tasks name.
function prepare () {
  if (poolFunction === null) return becomeReady()
  const loaded = poolFunction.load()
  if (typeof loaded === 'function') return becomeReady()
  loaded.catch((error) => {
    if (error?.code !== 'ERR_TELAR_NO_HANDLER') throw error
  }).then(becomeReady)
}

// Pumps without waiting for the event loop, which would call pump() only after V8 has collected the
// garbage of the start.
function becomeReady () {
  isReady = true
  core.ready()
  schedulePump()
}

// With --pending-deprecation the property is a function that warns (DEP0134) and calls the original
// one, which is its prototype.
function withoutWarning (runTicks) {
  const inner = Object.getPrototypeOf(runTicks)
  return inner === Function.prototype ? runTicks : inner
}

// Called from the event loop whenever there may be work.
function pump () {
  if (!isReady || isPumping || isEnding()) return
  isPumping = true
  try {
    let done = finished.length > 0 ? settle(kNone) : kNone
    while (done !== kEnding) {
      const slot = core.next(done)
      if (slot < 0) break
      done = settle(execute(slot) ? slot : kNone)
    }
  } finally {
    isPumping = false
  }
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
  return hasOutput() ? completeAfterOutput() : complete(finished)
}

function completeAfterOutput () {
  const flushed = flushOutput()
  if (flushed === null) return complete(finished)
  const slots = finished
  finished = []
  flushed.then(() => {
    if (isEnding()) return
    core.complete(complete(slots))
    schedulePump()
  })
  return kNone
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
    const value = receive(slot)
    const entry = memory.functionEntry(slot)
    const found = entry === 0 ? poolFunction : functionOf(entry)
    const { run } = found
    if (run === undefined) {
      executeLater(slot, found, value)
      return false
    }
    result = run(value)
    if ((typeof result === 'object' && result !== null) || typeof result === 'function') {
      const promise = promiseOf(result)
      if (promise !== null) {
        apply(promiseThen, promise, [
          (value) => finishLater(slot, value, 0), (error) => finishLater(slot, error, kError)
        ])
        return false
      }
    }
  } catch (error) {
    return store(slot, error, kError)
  }
  return store(slot, result, 0)
}

// The promise of a task's result. Null: the value is the result itself. A native promise settles
// once. Any other thenable may call back twice, late, or with a promise, when the slot may belong
// to another task. So it is adopted by a native promise, as by `await`.
function promiseOf (result) {
  if (result instanceof Promise && result.constructor === Promise) return result
  const { then } = result // read once: it may be a getter
  return typeof then === 'function' ? adopt(result, then) : null
}

async function adopt (thenable, then) {
  await undefined // so that `then` is called in a job of its own
  return new Promise((resolve, reject) => apply(then, thenable, [resolve, reject]))
}

async function executeLater (slot, found, value) {
  let result
  try {
    const run = await found.load()
    result = await run(value)
  } catch (error) {
    return finishLater(slot, error, kError)
  }
  finishLater(slot, result, 0)
}

function receive (slot) {
  if ((memory.form(slot) & kFormMask) !== kForm.portRequest) return memory.read(slot)
  // Messages come in the order of their slots. So those before the one that is wanted belong to
  // tasks that were cancelled, and are dropped.
  const wanted = memory.message(slot)
  while (!messages.has(wanted)) takeMessage()
  const received = messages.get(wanted)
  for (const message of messages.keys()) {
    messages.delete(message)
    if (message === wanted) break
  }
  functionReceived = received.taskFunction
  reviver()
  return require('../transport/packet').unpack(received)
}

// Returns registry.js, with all classes registered: a value may have shared objects inside, of
// classes that no code of this thread has required.
function reviver () {
  require('../shared-classes')
  return require('../shared/registry')
}

// A negative entry: the function came with the message, since the table had no room for it.
function functionOf (entry) {
  return entry < 0 ? new TaskFunction(functionReceived) : functionAt(entry)
}

function getValuePort () {
  valuePort ??= new (require('../transport/value-port').ValuePort)(port)
  return valuePort
}

// The owner posts the message before it submits the slot, so the message is there.
function takeMessage () {
  const received = getValuePort().receive()
  if (received === undefined) throw require('../base/errors').createError('ERR_TELAR_LOST_MESSAGE')
  messages.set(received.message, received)
}

function finishLater (slot, value, flags) {
  if (store(slot, value, flags)) finished.push(slot)
  schedulePump()
}

// Stores what a task returned or threw. True: the slot still has to be completed. False: the result
// is sent by port, and the slot is in `finished`.
function store (slot, value, flags) {
  try {
    if (typeof value === 'object' && value !== null && value[kMovable] === true) {
      const { isMovable, kTransferable, kValue } = require('../transport/move')
      if (isMovable(value)) {
        return sendByPort(slot, value[kValue], flags, [].concat(value[kTransferable]))
      }
    }
    return memory.write(slot, value, flags, index) || sendByPort(slot, value, flags)
  } catch (error) {
    return storeFailure(slot, error)
  }
}

// A result that cannot be sent is an error of the task. An error that cannot be sent is replaced by
// one that can. So the task settles in any case.
function storeFailure (slot, error) {
  for (const substitute of require('./unsendable').substitutes(error)) {
    try {
      return memory.write(slot, substitute, kError, index) || sendByPort(slot, substitute, kError)
    } catch {
      // The next substitute is smaller.
    }
  }
  return memory.write(slot, undefined, kError, index)
}

// The owner reads messages in the order of their slots, so the slot is completed in its turn.
function sendByPort (slot, value, flags, transferList) {
  const [content, transfers] = require('../transport/packet')
    .pack(value, transferList === undefined ? memory.takePacked() : null, transferList)
  const message = getValuePort().send(content, transfers)
  memory.writePort(slot, kForm.portResult, flags, index, message)
  finished.push(slot)
  return false
}
