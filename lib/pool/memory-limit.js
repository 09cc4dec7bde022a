'use strict'

// The option `memoryLimit`: watches the JavaScript heap of each worker, and ends a worker that
// holds more than the limit. V8's own limit would end the whole process in many cases, so it is set
// far above.
//
// The heap is read every few milliseconds while tasks run: through the thread (Node 22.16 and
// newer, also in the middle of a task), or from what the worker publishes between tasks. It counts
// garbage too, so past the limit V8 is first told to collect it.

const { Atomics, Int32Array, Math, Promise, Set, SharedArrayBuffer } = require('../base/globals')
const { Worker } = require('node:worker_threads')
const { createError } = require('../base/errors')
const { startTimer } = require('../base/time')

const kReadMs = 10
const kMiB = 1024 * 1024
const kKiB = 1024
// A worker that holds this many times the limit is ended without a collection.
const kAtOnce = 2
const kCollectMs = 1000 // a worker in a native call does not answer
const kPublishedMs = 3 * kReadMs // then a worker has published again
const kFarAboveMb = 4096
const kOutOfMemory = 'ERR_WORKER_OUT_OF_MEMORY'

const canRead = typeof Worker.prototype.getHeapStatistics === 'function'

class MemoryLimit {
  #limitMb
  #native
  #state
  #workers
  #scaler
  #timer = null
  #collecting = new Set()

  constructor ({ options, native, state, workers, scaler }) {
    this.#limitMb = options.memoryLimit.heapMb
    this.#native = native
    this.#state = state
    this.#workers = workers
    this.#scaler = scaler
    state.setWatched(false)
  }

  // To be called for each task that does not take the fast path. The first task after a pause never
  // does: see PoolState#setWatched.
  watch () {
    if (this.#timer !== null) return
    this.#state.setWatched(true)
    this.#checkLater()
  }

  #checkLater () {
    this.#setWatching(1) // also the workers that have started meanwhile
    this.#timer = startTimer(() => this.#check(), kReadMs)
  }

  #check () {
    this.#timer = null
    if (!this.#native.isOpen || this.#state.demand === 0) {
      this.#setWatching(0)
      return this.#state.setWatched(false)
    }
    for (const worker of this.#workers.living) { // also those that leave: they may still run tasks
      if (this.#native.core.workerUsage(worker.index) > 0) this.#checkWorker(worker)
    }
    this.#checkLater()
  }

  #setWatching (isWatching) {
    if (canRead) return
    for (const { heapWords } of this.#workers.living) Atomics.store(heapWords, 1, isWatching)
  }

  async #checkWorker (worker) {
    if (worker.isReadingHeap) return
    worker.isReadingHeap = true
    const usedMb = await readHeapMb(worker)
    worker.isReadingHeap = false
    if (usedMb > kAtOnce * this.#limitMb) this.#end(worker, usedMb)
    else if (usedMb > this.#limitMb) this.#collect(worker, usedMb)
  }

  async #collect (worker, usedMb) {
    if (this.#collecting.has(worker)) return
    this.#collecting.add(worker)
    if (await collectGarbage(worker)) {
      if (!canRead) await delay(kPublishedMs)
      usedMb = await readHeapMb(worker)
    }
    this.#collecting.delete(worker)
    if (usedMb > this.#limitMb) this.#end(worker, usedMb)
  }

  #end (worker, usedMb) {
    if (worker.isDestroyed) return
    worker.error = createError('ERR_TELAR_MEMORY_LIMIT', this.#limitMb, Math.round(usedMb))
    this.#workers.destroy(worker)
    this.#scaler.replace()
  }
}

// 0: the thread has ended.
async function readHeapMb (worker) {
  if (!canRead) return Atomics.load(worker.heapWords, 0) * kKiB / kMiB
  try {
    return (await worker.thread.getHeapStatistics()).used_heap_size / kMiB
  } catch {
    return 0
  }
}

const delay = (milliseconds) => new Promise((resolve) => startTimer(resolve, milliseconds))

// False: it cannot be collected.
async function collectGarbage (worker) {
  try {
    const { withInspector } = require('./thread-inspector')
    return await withInspector((inspector) => Promise.race([
      inspector.request(worker, 'HeapProfiler.collectGarbage').then(() => true),
      delay(kCollectMs).then(() => false)
    ]))
  } catch { // there is no inspector
    return false
  }
}

// The words through which a worker publishes its heap: KiB, and whether the owner watches.
function heapWords () {
  return new Int32Array(new SharedArrayBuffer(8))
}

// The limits of V8 for a worker, unless the user gives them. Where the heap cannot be read in the
// middle of a task, V8 has to end those that allocate without bound, as far as it can.
function v8Limits ({ memoryLimit, resourceLimits }) {
  if (memoryLimit === undefined) return resourceLimits
  const { heapMb } = memoryLimit
  const maxOldGenerationSizeMb = canRead ? Math.max(4 * heapMb, kFarAboveMb) : kAtOnce * heapMb
  return { __proto__: null, maxOldGenerationSizeMb, ...resourceLimits }
}

// The error with which V8 ended a worker that had reached its limit.
function fromV8 (error, { memoryLimit }) {
  if (memoryLimit === undefined || error?.code !== kOutOfMemory) return error
  return createError('ERR_TELAR_MEMORY_LIMIT', memoryLimit.heapMb, undefined, error)
}

module.exports = { MemoryLimit, canRead, fromV8, heapWords, v8Limits }
