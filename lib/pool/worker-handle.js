'use strict'

// A worker as its pool's owner sees it: its thread, its port, and what it has to do.

const { Set } = require('../base/globals')
const { MessageChannel, Worker } = require('node:worker_threads')
const { createError } = require('../base/errors')
const { now, startTimer, stopTimer } = require('../base/time')
const { kWorkerFile } = require('../base/worker-file')
const { ValuePort } = require('../transport/value-port')

// A thread that was told to end and is still there after so long is told again, then
// after twice as long, and so on.
const kTerminateRetryMs = 50
const kMaxTerminateCalls = 9

class WorkerHandle {
  index = -1 // until begin()
  thread // of node:worker_threads
  // Tasks that the owner chose this worker for. Those that it took from the ready queue do
  // not count.
  assigned = new Set()
  isReady = false
  isAnnounced = false
  // Taken out of the pool; its thread may still be ending.
  isDestroyed = false
  // What made it fail, if it did.
  error = null
  began = now()
  idleSince = 0
  completedBefore = -1
  view = null // workers.js
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

  // Lets it begin its work, as the scheduler's worker `index`. `startup`: what else
  // worker/main.js needs to know.
  begin (index, startup) {
    const { port1, port2 } = new MessageChannel()
    this.index = index
    this.#port = new ValuePort(port1)
    this.thread.postMessage({ ...startup, index, port: port2 }, [port2])
  }

  // `exit` gets the exit code, after everything else of the thread.
  listen ({ message, error, exit }) {
    this.thread.on('message', message)
    this.thread.on('error', error)
    this.thread.on('exit', (exitCode) => {
      stopTimer(this.#terminateTimer)
      exit(exitCode)
    })
    // The pool's tasks keep the process alive, its threads do not. After the
    // listeners, since one for messages takes a reference.
    this.thread.unref()
  }

  // Sends a value: the number of its message.
  post (content, transferList) { return this.#port.send(content, transferList) }

  // Ends it, whatever it runs. V8 loses such a request now and then, and a task in an
  // endless loop then runs for ever: on Node 20, of a thousand requests to threads
  // that had just begun such a loop, one or two were lost, of the same to Piscina too.
  terminate () { this.#terminate(1) }

  #terminate (calls) {
    this.thread.terminate()
    if (calls === kMaxTerminateCalls) return
    // Node keeps the process alive until the thread has ended, so the timer need not.
    const delay = kTerminateRetryMs << (calls - 1)
    this.#terminateTimer = startTimer(() => this.#terminate(calls + 1), delay)
  }

  // The message of that number. Messages come in the order of the slots that refer
  // to them; one whose slot was never seen is dropped.
  receive (wanted) {
    for (;;) {
      const received = this.#port.receive()
      if (received === undefined) throw createError('ERR_TELAR_LOST_MESSAGE')
      if (received.message === wanted) return received
    }
  }

  // After the thread has ended and its last results were read.
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
