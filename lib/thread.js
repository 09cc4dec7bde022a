'use strict'

// A worker thread as its pool's owner sees it.

const path = require('node:path')
const { MessageChannel, Worker, receiveMessageOnPort } = require('node:worker_threads')
const { createError } = require('./errors')

const kWorkerFile = path.join(__dirname, 'worker.js')

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
    this.worker.on('exit', exit)
    // The pool's tasks keep the process alive, its threads do not. After the
    // listeners, since one for messages takes a reference.
    this.worker.unref()
  }

  post (message, transferList) {
    this.#port.postMessage(message, transferList)
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
