'use strict'

// The file that every worker of a pool runs. It attaches to the pool, loads the
// pool's task file, and runs tasks whenever its event loop calls `pump`.

const { parentPort, receiveMessageOnPort, workerData } = require('node:worker_threads')
const context = require('./context')
context.isWorkerThread = true

// Here only what every task needs: each file takes a quarter of a millisecond of the
// first result. The others are loaded where they are first used.
const { flushOutput, hasOutput } = require('./stdio')
const native = require('./native')
const { loadHandler } = require('./handlers')
const { SlotMemory, kAttachBytes, kError, kForm, kFormMask } = require('./slot')

const kNone = -1
const kMovable = Symbol.for('telar.movable') // of move.js, which few workers need

// Runs nextTicks and microtasks to the end, as Node does between two timers:
// nothing that a task leaves behind there may run into the next task. Node has
// no public call for it; this one is a third of the price of an `await`, and an
// `await` runs only the microtasks that are queued already.
const runTicks = process._tickCallback

const startup = receiveStartup()
const { port, index } = startup
context.workerData = startup.isStripped ? require('./shared').revive(workerData) : workerData
// Handlers by number. 0 is the pool's own; the others are told by port.
const handlers = []
for (const { handler, filename, name } of startup.handlers) handlers[handler] = { filename, name, run: undefined }

const core = native.attachWorker(startup.pool, index, pump)
// Null: the pool was closed while this thread started; it is being terminated.
// Large results travel beside the slots: a message to the owner waits for nobody.
const memory = core === null ? null : new SlotMemory(startup.buffer, startup.slots, core.allocate, kAttachBytes)
// Values that came by port and whose slots have not been claimed yet.
const values = new Map()
let isReady = false
let lastMessage = 0
let isPumping = false
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

// Loads the pool's own file. A failure is left to the process: a worker that
// cannot load it fails as a whole. A file that lacks the pool's default export
// may still have the ones that tasks name.
function prepare () {
  if (handlers[0] === undefined) return becomeReady()
  const loaded = load(handlers[0])
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

function load (handler) {
  const loaded = loadHandler(handler.filename, handler.name)
  if (typeof loaded === 'function') {
    handler.run = loaded
    return loaded
  }
  return loaded.then((run) => {
    handler.run = run
    return run
  })
}

// Called from the event loop whenever there may be work.
function pump () {
  if (!isReady || isPumping) return
  isPumping = true
  try {
    let slot = core.next(kNone)
    while (slot >= 0) {
      const done = execute(slot) ? slot : kNone
      settleTicks()
      slot = core.next(done)
    }
  } finally {
    isPumping = false
  }
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
  if (!isPumping) process.nextTick(resume)
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
    const number = memory.who(slot)
    const run = number === 0 ? handlers[0]?.run : findHandler(number).run
    if (run === undefined) {
      executeLater(slot, number, value)
      return false
    }
    result = run(value)
    if (result !== null && typeof result === 'object' && typeof result.then === 'function') {
      result.then((value) => finishLater(slot, value, 0), (error) => finishLater(slot, error, kError))
      return false
    }
  } catch (error) {
    return finish(slot, error, kError)
  }
  return finish(slot, result, 0)
}

async function executeLater (slot, number, value) {
  let result
  try {
    const run = await load(findHandler(number))
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
  return require('./packet').unpack(received)
}

function findHandler (number) {
  while (handlers[number] === undefined) takeMessage()
  return handlers[number]
}

// The owner posts before it hands over the slot, so the message is there.
function takeMessage () {
  const received = receiveMessageOnPort(port)
  if (received === undefined) throw require('./errors').createError('ERR_TELAR_LOST_MESSAGE')
  const { message, handler, filename, name } = received.message
  if (handler === undefined) values.set(message, received.message)
  else handlers[handler] = { filename, name, run: undefined }
}

// Stores what a task gave or threw. True: the slot has yet to be completed.
function finish (slot, value, flags) {
  if (hasOutput()) {
    flushOutput().then(() => completeLater(slot, value, flags))
    return false
  }
  return store(slot, value, flags)
}

function finishLater (slot, value, flags) {
  if (finish(slot, value, flags)) core.complete(slot)
  schedulePump()
}

function completeLater (slot, value, flags) {
  if (store(slot, value, flags)) core.complete(slot)
  schedulePump()
}

function store (slot, value, flags) {
  try {
    if (typeof value === 'object' && value !== null && value[kMovable] === true) {
      const { isMovable, kTransferable, kValue } = require('./move')
      if (isMovable(value)) return sendByPort(slot, value[kValue], flags, [].concat(value[kTransferable]))
    }
    return memory.write(slot, value, flags, index) || sendByPort(slot, value, flags)
  } catch (error) {
    return storeFailure(slot, error)
  }
}

// A result that cannot be sent is an error of the task; an error that cannot be
// sent is reduced to what can.
function storeFailure (slot, error) {
  try {
    return memory.write(slot, error, kError, index) || sendByPort(slot, error, kError)
  } catch {
    return memory.write(slot, new Error(String(error?.message ?? 'the error of a task could not be sent')), kError, index)
  }
}

// Completes the slot at once: the owner reads messages in the order of the slots.
function sendByPort (slot, value, flags, transferList) {
  const message = lastMessage = (lastMessage + 1) | 0
  const [content, transfers] = require('./packet').pack(value, transferList === undefined && memory.isFull, transferList)
  port.postMessage({ message, ...content }, transfers)
  memory.writePort(slot, kForm.portResult, flags, index, message)
  core.complete(slot)
  return false
}
