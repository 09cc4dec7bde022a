'use strict'

// The owner's handle of a worker: its thread, its port, and the tasks that were assigned to it.

const { Float64Array, Set, SharedArrayBuffer } = require('../base/globals')
const { MessageChannel, Worker } = require('node:worker_threads')
const { createError } = require('../base/errors')
const { now, startTimer, stopTimer } = require('../base/time')
const { workerFile } = require('../base/own-files')
const { kFarewell, kProbe, sendNote, valueOf } = require('../transport/note')
const { dropMessage } = require('../transport/packet')
const { createCounts } = require('../transport/shared-line')
const { FixedQueue } = require('./task-queues')
const { ValuePort } = require('../transport/value-port')
const { canRead, heapWords, v8Limits } = require('./memory-limit')

// What the scheduler knows of a thread: see workerState() in src/binding/owner_wait.cc.
const kNotAttached = 0
const kEnded = 2

// Of a thread that was terminated, or had no memory left.
const kSilentExitCode = 1

// A thread that is still running this long after terminate() is terminated again; the delay doubles
// each time.
const kTerminateRetryMs = 50
const kMaxTerminateCalls = 9

class WorkerHandle {
  index = -1 // in the scheduler's table, from begin() on
  thread // the Worker of node:worker_threads
  id // of the thread, which forgets it when it ends
  // Tasks for which the owner chose this worker. Tasks from the ready queue are not among them.
  assigned = new Set()
  isReady = false
  isAnnounced = false
  // Removed from the pool; its thread may still be ending.
  isDestroyed = false
  // Gets no more tasks, and is ended when it has finished those that it has (leaving.js).
  isLeaving = false
  leaveTimer = null
  heap // a word in which it tells how many bytes of its heap are in use, or null
  // The error that ended the thread, if any.
  error = null
  began = now()
  idleSince = 0
  completedBefore = -1
  view = null // see workers.js
  // See worker-status.js.
  busySince = null
  busySampled = now()
  heapUsed = undefined
  isHeapAsked = false
  heapWords = null // see memory-limit.js
  isReadingHeap = false
  #core = null
  #port
  #lines
  #results = new FixedQueue() // messages with results that came before their slots
  #notes = new FixedQueue() // notes that nobody has taken yet
  #terminateTimer = null
  #listeners = null
  #isTerminated = false
  #farewell = null // the note of a worker that ends by itself

  // Throws what `new Worker` throws.
  constructor (options) {
    const tellsHeap = options.recycle !== undefined && options.recycle.heapMb !== Infinity
    this.heap = tellsHeap ? new Float64Array(new SharedArrayBuffer(8)) : null
    this.thread = new Worker(workerFile(), {
      __proto__: null,
      env: options.env ?? undefined,
      argv: options.argv ?? undefined,
      execArgv: options.execArgv ?? undefined,
      resourceLimits: v8Limits(options),
      workerData: options.workerData,
      trackUnmanagedFds: options.trackUnmanagedFds
    })
    this.id = this.thread.threadId
    if (options.memoryLimit !== undefined && !canRead) this.heapWords = heapWords()
  }

  // Sends the startup message to worker/main.js. `index`: that of the worker in the scheduler's
  // table `core`. `startup`: the rest of the message. `lines`: where the line to the worker is
  // added.
  begin (core, index, startup, lines) {
    const { port1, port2 } = new MessageChannel()
    const { port1: ownEnd, port2: port } = new MessageChannel()
    const counts = createCounts()
    this.index = index
    this.#core = core
    this.#port = new ValuePort(port1)
    const { heap, heapWords } = this
    const line = { port, counts }
    this.thread.postMessage(
      { ...startup, index, heap, heapWords, port: port2, line }, [port2, port])
    this.#lines = lines
    lines.add(index, ownEnd, counts)
  }

  // `exit` is called with the exit code, after all other events of the thread.
  listen ({ message, error, exit }) {
    this.thread.on('message', message)
    this.thread.on('error', error)
    this.thread.on('exit', (exitCode) => this.#exit(exitCode))
    this.#listeners = { error, exit }
    // The tasks of a pool keep the process alive, its threads do not. unref() comes after the
    // listeners, since adding one for messages refs the thread.
    this.thread.unref()
  }

  #exit (exitCode) {
    const listeners = this.#listeners
    if (listeners === null) return // endEarly() was called
    this.#listeners = null
    stopTimer(this.#terminateTimer)
    listeners.exit(exitCode)
  }

  get #state () { return this.#core.workerState(this.index) }

  // Whether its thread was terminated, or runs no code any more.
  get isEnding () {
    return this.#isTerminated || this.#listeners === null || this.#state === kEnded
  }

  // For an owner that blocks its event loop, which tells of the end of a thread otherwise: handles
  // the end if the thread has ended, that is, if it runs no code any more.
  endEarly () {
    const state = this.#state
    const isEnded = state === kNotAttached ? !this.#isPortOpen() : state === kEnded
    if (!isEnded || this.#listeners === null) return
    this.collectNotes()
    if (this.#farewell === null) return this.#exit(kSilentExitCode)
    const { isFailure, error } = valueOf(this.#farewell)
    if (isFailure) this.#listeners.error(error)
    this.#exit(this.#farewell.slot)
  }

  // A port is closed when it has been read to its end.
  #isPortOpen () {
    this.collectNotes()
    return this.#port.post([kProbe, 0, undefined, false])
  }

  // Whether it has said that it will end.
  get isSayingFarewell () { return this.#farewell !== null && this.#listeners !== null }

  // Sends a value by port, and returns the number of its message.
  post (content, transferList) { return this.#port.send(content, transferList) }

  // The task of this message will not run: the worker drops it.
  drop (message) { this.#port.send(dropMessage(message)) }

  // Ends the thread, whatever it runs. Sometimes V8 loses such a request, and a task in an endless
  // loop would run forever. On Node 20, of a thousand requests to threads that had just begun such
  // a loop, one or two were lost; the same happens to Piscina.
  terminate () { this.#terminate(1) }

  #terminate (calls) {
    this.#isTerminated = true
    this.thread.terminate()
    if (calls === kMaxTerminateCalls) return
    // The timer does not keep the process alive, but the thread does until it has ended.
    const delay = kTerminateRetryMs << (calls - 1)
    this.#terminateTimer = startTimer(() => this.#terminate(calls + 1), delay)
  }

  // Sends a note about a slot by port. Throws what a getter of the value throws, or a
  // DataCloneError.
  sendNote (number, slot, value) { sendNote(this.#port, number, slot, value) }

  // The next note that the worker has sent, or null.
  takeNote () {
    return this.#notes.shift() ?? this.#receiveNote()
  }

  #receiveNote () {
    for (let received; (received = this.#receive()) !== undefined;) {
      if (received.note !== 0) return received
      this.#results.push(received)
    }
    return null
  }

  #receive () {
    for (;;) {
      const received = this.#port.receive()
      if (received?.note !== kFarewell) return received
      this.#farewell = received
    }
  }

  // To be called before dispose(), so that takeNote() gives what is left.
  collectNotes () {
    for (let note; (note = this.#receiveNote()) !== null;) this.#notes.push(note)
  }

  // The message with this number. Messages come in the order of the slots that refer to them. So
  // those before it, whose slots did not come back, are dropped.
  receive (wanted) {
    for (;;) {
      const received = this.#results.shift() ?? this.#receive()
      if (received === undefined) throw createError('ERR_TELAR_LOST_MESSAGE')
      if (received.note !== 0) this.#notes.push(received)
      else if (received.message === wanted) return received
    }
  }

  // To be called when the thread has ended and its last results were read.
  dispose () {
    this.#port.close()
    this.#lines.remove(this.index)
  }

  // Whether it may be given tasks.
  get isOpen () { return !this.isDestroyed && !this.isLeaving }

  get toldHeap () { return this.heap === null ? 0 : this.heap[0] }

  get isRunningAbortableTask () {
    if (this.assigned.size !== 1) return false
    const [task] = this.assigned
    return task.isAbortable
  }
}

module.exports = { WorkerHandle }
