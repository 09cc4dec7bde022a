'use strict'

// A task that does not take the fast path: it has options, waits in JavaScript, or its async
// context is tracked. A task queue holds such tasks, and a load balancer gets their `interface`.

const { Promise } = require('../base/globals')
const { AsyncResource } = require('node:async_hooks')
const { now, toNative } = require('../base/time')
const { listen } = require('../base/abort-signal')
const { endsWorker, isLimited } = require('./terms')
const { kNone } = require('./route')
const { kPlain } = require('../transport/function-table')
const { areBuffers } = require('../transport/moved-buffers')
const { kQueueOptions, isMovable, kTransferable, kValue } = require('../transport/move')
const { fail } = require('./caller-frames')

let lastId = 0

class Task {
  taskId = lastId++
  created = now()
  // Set when the task is handed over; the worker only if the owner chose it.
  slot = -1
  worker = null
  terms // how long it may wait and run, and how it is aborted (terms.js)
  onProgress
  progressNumber = 0 // see progress.js
  isLimited
  isSteered // the worker has to know more of it than its value
  // For the timers of tasks that wait in JavaScript (deadlines.js).
  due = 0
  place = -1
  // How the value is sent by port. Kept, so that the value is encoded once, even if the task then
  // waits. Undefined: not known yet. Null: the platform has to clone the value. Otherwise the
  // message with the encoded value (packet.js).
  packed
  // The worker to which the value was sent by port.
  posted = null
  // Among the tasks that wait in JavaScript; null: in the order of the task queue.
  rank = null
  isSettled = false
  task
  transferList
  filename
  name
  kind // how the function is called (transport/function-table.js)
  signal
  priority
  key
  keyHash // kNone: the task has no key
  target // the worker that a broadcast is for; null: any
  queueOptions
  promise
  #resolve
  #reject
  #onAbort = null
  #abortListeners = null
  #resource

  constructor (value, given, resource, packed) {
    const { filename, name, signal, transferList, onProgress } = given
    this.task = value
    this.transferList = transferList
    this.priority = given.priority
    this.key = given.key
    this.keyHash = given.keyHash
    this.target = given.target
    if (isMovable(value)) {
      this.transferList = [].concat(transferList ?? [], value[kTransferable])
      this.task = value[kValue]
    }
    if (this.transferList?.length === 0) this.transferList = undefined
    this.packed = packed
    if (this.transferList !== undefined && !areBuffers(this.transferList)) this.packed = null
    this.filename = filename
    this.name = name
    this.kind = given.kind
    this.signal = signal
    this.terms = given
    // Listeners lose the async context of the caller.
    this.onProgress = onProgress && AsyncResource.bind(onProgress, 'Telar.Progress')
    this.isLimited = isLimited(given)
    this.isSteered = this.isLimited || onProgress !== null || this.kind !== kPlain ||
      (signal !== null && given.abort !== 'terminate')
    this.#resource = resource
    this.queueOptions = value?.[kQueueOptions] ?? null
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  get [kQueueOptions] () { return this.queueOptions }

  // If the task ends while it waits, nothing is transferred.
  get keepsUntilPlace () {
    return this.transferList !== undefined &&
      (this.signal !== null || this.terms.queueTimeout !== Infinity)
  }

  // Whether it may be aborted while it runs, and that ends its worker.
  get isAbortable () { return endsWorker(this.terms, this.signal !== null) }

  // Whether something may end it while it runs, and with it perhaps its worker.
  get mayBeStopped () { return this.signal !== null || this.isLimited }

  // Whether the message with its value stays with the owner when it is posted.
  get canPostAgain () {
    const { packed } = this
    return packed !== undefined && packed !== null && packed[1].length === 0
  }

  // Whether the order of arrival is not all that matters.
  get isRouted () {
    return this.priority !== 0 || this.keyHash !== kNone || this.target !== null
  }

  // Whether `maxQueue` limits the number of such tasks. Those of map() and stream() are few.
  get mayBeRefused () { return this.target === null && this.kind === kPlain }

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

  // For the scheduler, which starts the oldest task first: exact, since tasks may be made within a
  // microsecond.
  get createdNative () { return toNative(this.created) }

  // Throws what the signal throws.
  onAbort (callback) {
    this.#onAbort = callback
    this.#abortListeners = listen(this.signal, callback)
  }

  // Settles the promise. False: it was settled before.
  settle (isError, value) {
    if (!this.#end()) return false
    this.#complete(isError ? this.#reject : this.#resolve, value)
    return true
  }

  // The same for a task that has failed: the error gets the frames of the callers. Of a kind, it
  // gets them where it is passed on.
  fail (error) {
    const reject = this.end()
    reject?.(error)
    return reject !== null
  }

  // The first half of that: from now on the task is settled. Returns what rejects the promise.
  // Null: it was settled before.
  end () {
    if (!this.#end()) return null
    if (this.kind !== kPlain) return (error) => this.#complete(this.#reject, error)
    return (error) => fail(error, this.#resolve, (error) => this.#complete(this.#reject, error))
  }

  #end () {
    if (this.isSettled) return false
    this.isSettled = true
    this.task = undefined
    this.packed = null
    this.#abortListeners?.remove(this.#onAbort)
    return true
  }

  #complete (settle, value) {
    if (this.#resource === undefined) {
      settle(value)
    } else {
      this.#resource.runInAsyncScope(settle, undefined, value)
      this.#resource.emitDestroy()
    }
  }
}

function createTaskResource (type, triggerAsyncId) {
  return new AsyncResource(type, { __proto__: null, triggerAsyncId, requireManualDestroy: true })
}

module.exports = { Task, createTaskResource }
