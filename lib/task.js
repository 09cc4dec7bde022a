'use strict'

// A task that takes more than the shortest way: it has options, waits in
// JavaScript, or its async context is followed. Also what a taskQueue holds and
// what a load balancer is asked about.

const { AsyncResource } = require('node:async_hooks')
const { performance } = require('node:perf_hooks')
const { kQueueOptions, isMovable, kTransferable, kValue } = require('./move')

let lastId = 0

class Task {
  taskId = lastId++
  created = performance.now()
  // Where it is, once it has been handed over.
  slot = -1
  thread = null
  isSettled = false
  #resolve
  #reject
  #removeAbortListener = null
  #resource

  constructor (value, { filename, name, signal, transferList }, handler, resource) {
    this.task = value
    this.transferList = transferList
    if (isMovable(value)) {
      this.transferList = [].concat(transferList ?? [], value[kTransferable])
      this.task = value[kValue]
    }
    this.filename = filename
    this.name = name
    this.signal = signal
    this.handler = handler
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

  get waited () { return performance.now() - this.created }

  onAbort (listener) {
    const { signal } = this
    if (typeof signal.addEventListener === 'function') {
      signal.addEventListener('abort', listener, { once: true })
      this.#removeAbortListener = () => signal.removeEventListener('abort', listener)
    } else {
      signal.once('abort', listener)
      this.#removeAbortListener = () => signal.removeListener('abort', listener)
    }
  }

  // Once; false if it has been settled before.
  settle (isError, value) {
    if (this.isSettled) return false
    this.isSettled = true
    this.task = undefined
    this.#removeAbortListener?.()
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
  return new AsyncResource(type, { triggerAsyncId, requireManualDestroy: true })
}

module.exports = { Task, createTaskResource }
