'use strict'

// A task that does not take the fast path: it has options, waits in JavaScript, or its async
// context is tracked. A task queue holds such tasks, and a load balancer gets their `interface`.

const { Promise } = require('../base/globals')
const { AsyncResource } = require('node:async_hooks')
const { now } = require('../base/time')
const { listen } = require('../base/abort-signal')
const { kQueueOptions, isMovable, kTransferable, kValue } = require('../transport/move')

let lastId = 0

class Task {
  taskId = lastId++
  created = now()
  // Set when the task is handed over; the worker only if the owner chose it.
  slot = -1
  worker = null
  // How the value is sent by port. Kept, so that the value is encoded once, even if the task then
  // waits. Undefined: not known yet. Null: the platform has to clone the value. Otherwise the
  // message with the encoded value (packet.js).
  packed
  isSettled = false
  task
  transferList
  filename
  name
  signal
  queueOptions
  promise
  #resolve
  #reject
  #onAbort = null
  #abortListeners = null
  #resource

  constructor (value, { filename, name, signal, transferList }, resource, packed) {
    this.task = value
    this.transferList = transferList
    if (isMovable(value)) {
      this.transferList = [].concat(transferList ?? [], value[kTransferable])
      this.task = value[kValue]
    }
    this.packed = this.transferList === undefined ? packed : null
    this.filename = filename
    this.name = name
    this.signal = signal
    this.#resource = resource
    this.queueOptions = value?.[kQueueOptions] ?? null
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  get [kQueueOptions] () { return this.queueOptions }

  get isAbortable () { return this.signal !== null }

  // The object that a load balancer gets.
  get interface () {
    return {
      taskId: this.taskId,
      filename: this.filename,
      name: this.name,
      created: this.created,
      isAbortable: this.isAbortable,
      [kQueueOptions]: this.queueOptions
    }
  }

  get waited () { return now() - this.created }

  // Throws what the signal throws.
  onAbort (callback) {
    this.#onAbort = callback
    this.#abortListeners = listen(this.signal, callback)
  }

  // Settles the promise. False: it was settled before.
  settle (isError, value) {
    if (this.isSettled) return false
    this.isSettled = true
    this.task = undefined
    this.packed = null
    this.#abortListeners?.remove(this.#onAbort)
    const settle = isError ? this.#reject : this.#resolve
    if (this.#resource === undefined) {
      settle(value)
    } else {
      this.#resource.runInAsyncScope(settle, undefined, value)
      this.#resource.emitDestroy()
    }
    return true
  }
}

function createTaskResource (type, triggerAsyncId) {
  return new AsyncResource(type, { __proto__: null, triggerAsyncId, requireManualDestroy: true })
}

module.exports = { Task, createTaskResource }
