'use strict'

// The owner's handle of a worker: its thread, its port, and the tasks that were assigned to it.

const { Set } = require('../base/globals')
const { MessageChannel, Worker } = require('node:worker_threads')
const { createError } = require('../base/errors')
const { now, startTimer, stopTimer } = require('../base/time')
const { kWorkerFile } = require('../base/worker-file')
const { ValuePort } = require('../transport/value-port')

// A thread that is still running this long after terminate() is terminated again; the delay doubles
// each time.
const kTerminateRetryMs = 50
const kMaxTerminateCalls = 9

class WorkerHandle {
  index = -1 // in the scheduler's table, from begin() on
  thread // the Worker of node:worker_threads
  // Tasks for which the owner chose this worker. Tasks from the ready queue are not among them.
  assigned = new Set()
  isReady = false
  isAnnounced = false
  // Removed from the pool; its thread may still be ending.
  isDestroyed = false
  // The error that ended the thread, if any.
  error = null
  began = now()
  idleSince = 0
  completedBefore = -1
  view = null // see workers.js
  #port
  #terminateTimer = null

  // Throws what `new Worker` throws.
  constructor (options) {
    this.thread = new Worker(kWorkerFile, {
      __proto__: null,
      env: options.env ?? undefined,
      argv: options.argv ?? undefined,
      execArgv: options.execArgv ?? undefined,
      resourceLimits: options.resourceLimits,
      workerData: options.workerData,
      trackUnmanagedFds: options.trackUnmanagedFds
    })
  }

  // Sends the startup message to worker/main.js. `index`: that of the worker in the scheduler's
  // table. `startup`: the rest of the message.
  begin (index, startup) {
    const { port1, port2 } = new MessageChannel()
    this.index = index
    this.#port = new ValuePort(port1)
    this.thread.postMessage({ ...startup, index, port: port2 }, [port2])
  }

  // `exit` is called with the exit code, after all other events of the thread.
  listen ({ message, error, exit }) {
    this.thread.on('message', message)
    this.thread.on('error', error)
    this.thread.on('exit', (exitCode) => {
      stopTimer(this.#terminateTimer)
      exit(exitCode)
    })
    // The tasks of a pool keep the process alive, its threads do not. unref() comes after the
    // listeners, since adding one for messages refs the thread.
    this.thread.unref()
  }

  // Sends a value by port, and returns the number of its message.
  post (content, transferList) { return this.#port.send(content, transferList) }

  // Ends the thread, whatever it runs. Sometimes V8 loses such a request, and a task in an endless
  // loop would run forever. On Node 20, of a thousand requests to threads that had just begun such
  // a loop, one or two were lost; the same happens to Piscina.
  terminate () { this.#terminate(1) }

  #terminate (calls) {
    this.thread.terminate()
    if (calls === kMaxTerminateCalls) return
    // The timer does not keep the process alive, but the thread does until it has ended.
    const delay = kTerminateRetryMs << (calls - 1)
    this.#terminateTimer = startTimer(() => this.#terminate(calls + 1), delay)
  }

  // The message with this number. Messages come in the order of the slots that refer to them. So
  // those before it, whose slots did not come back, are dropped.
  receive (wanted) {
    for (;;) {
      const received = this.#port.receive()
      if (received === undefined) throw createError('ERR_TELAR_LOST_MESSAGE')
      if (received.message === wanted) return received
    }
  }

  // To be called when the thread has ended and its last results were read.
  dispose () {
    this.#port.close()
  }

  get isRunningAbortableTask () {
    if (this.assigned.size !== 1) return false
    const [task] = this.assigned
    return task.isAbortable
  }
}

module.exports = { WorkerHandle }
