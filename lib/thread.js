'use strict'

// A worker thread as its pool's owner sees it.

const path = require('node:path')
const { MessageChannel, Worker, receiveMessageOnPort } = require('node:worker_threads')
const { createError } = require('./errors')

const kWorkerFile = path.join(__dirname, 'worker.js')

// A thread that was told to end and is still there after so long is told again, then
// after twice as long, and so on.
const kAskAgainMs = 50
const kAskAtMost = 9

class Thread {
  index = -1 // until begin()
  worker
  // Tasks that the owner gave to this thread on purpose. Those that it took
  // from the ready queue do not count.
  assigned = new Set()
  isReady = false
  isAnnounced = false
  // Taken out of the pool; its thread may still be ending.
  isDestroyed = false
  // What made it fail, if it did.
  error = null
  idleSince = 0
  completedBefore = -1
  view = null // crew.js
  #port
  #askTimer = null

  // Throws what `new Worker` throws.
  constructor (options) {
    this.worker = new Worker(kWorkerFile, {
      env: options.env ?? undefined,
      argv: options.argv ?? undefined,
      execArgv: options.execArgv ?? undefined,
      resourceLimits: options.resourceLimits,
      workerData: options.workerData,
      trackUnmanagedFds: options.trackUnmanagedFds
    })
  }

  // Lets it begin its work, as the scheduler's worker `index`. `startup`: what else
  // worker.js needs to know.
  begin (index, startup) {
    const { port1, port2 } = new MessageChannel()
    this.index = index
    this.#port = port1
    this.worker.postMessage({ ...startup, index, port: port2 }, [port2])
  }

  // `exit` gets the exit code, after everything else of the thread.
  listen ({ message, error, exit }) {
    this.worker.on('message', message)
    this.worker.on('error', error)
    this.worker.on('exit', (exitCode) => {
      clearTimeout(this.#askTimer)
      exit(exitCode)
    })
    // The pool's tasks keep the process alive, its threads do not. After the
    // listeners, since one for messages takes a reference.
    this.worker.unref()
  }

  post (message, transferList) {
    this.#port.postMessage(message, transferList)
  }

  // Ends it, wherever it is. V8 loses such a request now and then, and a task in an
  // endless loop then runs for ever: on Node 20, of a thousand requests to threads
  // that had just begun such a loop, one or two were lost, of the same to Piscina too.
  terminate () { this.#ask(1) }

  #ask (times) {
    this.worker.terminate()
    if (times === kAskAtMost) return
    // Node keeps the process alive until the thread has ended, so the timer need not.
    this.#askTimer = setTimeout(() => this.#ask(times + 1), kAskAgainMs << (times - 1)).unref()
  }

  // The message of that number. Messages come in the order of the slots that refer
  // to them; one whose slot was never seen is dropped.
  receive (wanted) {
    for (;;) {
      const received = receiveMessageOnPort(this.#port)
      if (received === undefined) throw createError('ERR_TELAR_LOST_MESSAGE')
      if (received.message.message === wanted) return received.message
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

module.exports = { Thread }
