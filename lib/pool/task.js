'use strict'

// A task that cannot take the fast path: it has options, waits in JavaScript, or its async
// context is followed. A taskQueue holds such tasks, and a load balancer is asked about them.

const { Promise } = require('../base/globals')
const { AsyncResource } = require('node:async_hooks')
const { now } = require('../base/time')
const { listen } = require('../base/abort-signal')
const { kQueueOptions, isMovable, kTransferable, kValue } = require('../transport/move')

let lastId = 0

class Task {
  taskId = lastId++
  created = now()
  // Where it is, once it has been handed over.
  slot = -1
  worker = null
  // What was found out about the value when it was first to be handed over, so that it is
  // encoded once, however long it waits. Undefined: nothing yet. Null: the platform has to
  // clone it. Else the message that it became (packet.js).
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

  // What a load balancer sees.
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

  // Once; false if it has been settled before.
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
