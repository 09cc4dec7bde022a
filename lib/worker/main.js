'use strict'

// The file that every worker of a pool runs. It attaches to the pool, loads the
// pool's task file, and runs tasks whenever its event loop calls `pump`.

const {
  Atomics, Function, Int32Array, Map, Object, Promise, Reflect, SharedArrayBuffer, Symbol, nextTick,
  process
} = require('../base/globals')
const { parentPort, receiveMessageOnPort, workerData } = require('node:worker_threads')
const context = require('./context')
context.isWorkerThread = true

// Here only what every task needs: each file takes a quarter of a millisecond of the
// first result. The others are loaded where they are first used.
const { flushOutput, hasOutput } = require('./output')
const native = require('../base/native')
const { TaskFunction, useTable, functionAt } = require('./task-functions')
const { kAttachBytes } = require('../transport/attach-bytes')
const { SlotMemory, kError, kForm, kFormMask } = require('../transport/slot-memory')

const { apply } = Reflect
const promiseThen = Promise.prototype.then
const { kNone } = native.poolConstants
const kEnding = -2
const kMovable = Symbol.for('telar.movable') // of move.js, which few workers need

// Runs nextTicks and microtasks to the end, as Node does between two timers:
// nothing that a task leaves behind there may run into the next task. Node has
// no public call for it; this one is a third of the price of an `await`, and an
// `await` runs only the microtasks that are queued already.
const runTicks = withoutWarning(process._tickCallback)

const startup = receiveStartup()
const { port, index } = startup
// The pool's own function, which tasks name by the place 0; null: there is none.
const own = startup.own === null ? null : new TaskFunction(startup.own)
useTable(startup)
// The number of a pool says nothing to another library: the file may have been built anew since
// the pool's owner loaded it.
if (startup.library !== native.library) throw otherLibrary()
context.workerData = startup.isStripped ? reviver().revive(workerData) : workerData

const core = native.attachWorker(startup.pool, index, pump)
// Null: the pool was closed while this thread started; it is being terminated.
// Large results travel beside the slots: a message to the owner waits for nobody.
const memory = core === null
  ? null
  : new SlotMemory(startup.buffer, startup.slots, core, kAttachBytes)
// Values that came by port and whose slots have not been claimed yet.
const values = new Map()
let isReady = false
// Of the value that was received last by port.
let functionReceived
// Made with the first message.
let valuePort = null
let isPumping = false
let mayBeEnding = false
process.on('uncaughtExceptionMonitor', () => { mayBeEnding = true })
// Slots whose results are stored. They are completed in this order: messages are read in it.
let finished = []
if (core !== null) {
  if (startup.niceIncrement !== 0) require('./nice').nice(startup.niceIncrement)
  prepare()
}

// The owner posts it right after it has created this thread, so it is almost
// always here already. A listener on parentPort would take messages away from
// the user's own.
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

// Loads the pool's own file. A failure is left to the process: a worker that
// cannot load it fails as a whole. A file that lacks the pool's default export
// may still have the ones that tasks name.
function prepare () {
  if (own === null) return becomeReady()
  const loaded = own.load()
  if (typeof loaded === 'function') return becomeReady()
  loaded.catch((error) => {
    if (error?.code !== 'ERR_TELAR_NO_HANDLER') throw error
  }).then(becomeReady)
}

// Does not wait for the event loop to call: on its first turn V8 collects the
// garbage of the start before that.
function becomeReady () {
  isReady = true
  core.ready()
  schedulePump()
}

// With --pending-deprecation Node puts a function that warns (DEP0134) in front of the one
// that is meant, and makes it inherit from that one.
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

// Brings a task to its end. What it left to ticks and microtasks comes first, whichever way
// it ended: if that fails, so does the task. Returns the slot that is yet to be completed.
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

// All but the last, which is returned: next() completes it in the same call.
function complete (slots) {
  const last = slots.pop()
  if (slots.length > 0) {
    for (const slot of slots) core.complete(slot)
    slots.length = 0
  }
  return last
}

// An uncaught exception ends the thread. Node interrupts its JavaScript for that, which goes
// on all the same if it was in a microtask. `_exiting` tells, but takes half as long as a task.
function isEnding () {
  if (mayBeEnding) mayBeEnding = process._exiting
  return mayBeEnding
}

// What a tick throws is an uncaught exception, and is handled where Node would
// handle it: passing it on to our caller would leave Node's own stack of async
// contexts behind.
function settleTicks () {
  for (;;) {
    try {
      return runTicks()
    } catch (error) {
      core.fatal(error)
    }
  }
}

// After a task that ended on its own time. Not at once: this may be a
// microtask, and there the microtasks of the next tasks could not run.
function schedulePump () {
  if (!isPumping) nextTick(resume)
}

function resume () {
  if (isPumping) return
  core.resume()
  pump()
}

// Runs a task; false if it goes on after this call and completes by itself.
function execute (slot) {
  let result
  try {
    const value = receive(slot)
    const place = memory.who(slot)
    const found = place === 0 ? own : functionOf(place)
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

// The promise of a task's result; null: it is the result. A thenable calls back when it likes,
// also twice, late, or with a promise, and by then the slot may be another task's. A native
// promise is settled once. So what is none goes through one, as `await` has it.
function promiseOf (result) {
  if (result instanceof Promise && result.constructor === Promise) return result
  const { then } = result // once: it may be a getter
  return typeof then === 'function' ? adopt(result, then) : null
}

async function adopt (thenable, then) {
  await undefined // it is called in a job of its own, not in the middle of ours
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
  // Values come in the order of their slots, so what came before the one wanted
  // belongs to tasks that were cancelled.
  const wanted = memory.message(slot)
  while (!values.has(wanted)) takeMessage()
  const received = values.get(wanted)
  for (const message of values.keys()) {
    values.delete(message)
    if (message === wanted) break
  }
  functionReceived = received.taskFunction
  reviver()
  return require('../transport/packet').unpack(received)
}

// Values may have shared objects inside, of classes that no code of this thread has asked for.
function reviver () {
  require('../shared-classes')
  return require('../shared/registry')
}

// Below 0: it came with the value, since the owner had no place for it.
function functionOf (place) {
  return place < 0 ? new TaskFunction(functionReceived) : functionAt(place)
}

function getValuePort () {
  valuePort ??= new (require('../transport/value-port').ValuePort)(port)
  return valuePort
}

// The owner posts before it hands over the slot, so the message is there.
function takeMessage () {
  const received = getValuePort().receive()
  if (received === undefined) throw require('../base/errors').createError('ERR_TELAR_LOST_MESSAGE')
  values.set(received.message, received)
}

function finishLater (slot, value, flags) {
  if (store(slot, value, flags)) finished.push(slot)
  schedulePump()
}

// Stores what a task gave or threw. True: the slot has yet to be completed.
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

// A result that cannot be sent is an error of the task; an error that cannot be
// sent is reduced to what can. Whatever happens, the task settles.
function storeFailure (slot, error) {
  for (const substitute of require('./unsendable').substitutes(error)) {
    try {
      return memory.write(slot, substitute, kError, index) || sendByPort(slot, substitute, kError)
    } catch {
      // The next one takes less.
    }
  }
  return memory.write(slot, undefined, kError, index)
}

// The owner reads messages in the order of the slots, so this one keeps its place.
function sendByPort (slot, value, flags, transferList) {
  const [content, transfers] = require('../transport/packet')
    .pack(value, transferList === undefined ? memory.takePacked() : null, transferList)
  const message = getValuePort().send(content, transfers)
  memory.writePort(slot, kForm.portResult, flags, index, message)
  finished.push(slot)
  return false
}
