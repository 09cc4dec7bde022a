'use strict'

// The native pool, while there is one, and the memory that it shares with the workers. It is
// opened when the first worker starts, and closed when the last one has ended.

const { SharedArrayBuffer, Uint32Array } = require('../base/globals')
const native = require('../base/native')
const { isUsed } = require('../shared/registry')
const { SlotMemory, kSlotBytes } = require('../transport/slot-memory')
const { HistogramView } = require('./histogram')
const { TaskFunctions } = require('./task-functions')

// Tasks that the scheduler holds at once; more wait in the task queue.
const kSlots = 4096
const kBatch = 1024
// So many bytes for values go with one for the texts of task functions.
const kBytesForText = 16

class NativePool {
  core = null // the scheduler in C
  memory = null // the values by slot
  functions = null // the task functions by slot
  batch = new Uint32Array(kBatch) // slots that a call of the scheduler has answered
  #buffer = null
  #histogram = null
  #own = null // the function that workers load when they start
  #options
  #limits
  #onDone

  // onDone(count): `count` results are in the batch; 0: something about a worker may have changed.
  constructor (options, limits, onDone) {
    const { filename, name } = options
    if (filename !== null) this.#own = { filename, name }
    this.#options = options
    this.#limits = limits
    this.#onDone = onDone
  }

  get isOpen () { return this.core !== null }

  // The same object for as long as the pool exists, whichever native pool there is.
  get histogram () {
    this.#histogram ??= new HistogramView(null, this.#options.recordTiming)
    return this.#histogram
  }

  // Opens the native pool if there is none. Answers what a worker needs to know.
  startup () {
    if (!this.isOpen) this.#open()
    return {
      pool: this.core.id,
      library: native.library,
      buffer: this.#buffer,
      slots: kSlots,
      niceIncrement: this.#options.niceIncrement,
      own: this.#own,
      functions: this.functions.buffer,
      isStripped: isUsed() // workerData is a clone
    }
  }

  #open () {
    const { sharedMemory, recordTiming, workerHistogram } = this.#options
    const slotBytes = kSlots * kSlotBytes
    const bytes = slotBytes + sharedMemory
    // Growable only to be aligned to a page, and reserved without being
    // touched: memory is committed where values are written.
    this.#buffer = new SharedArrayBuffer(bytes, { maxByteLength: bytes })
    this.core = native.createPool(
      this.#onDone,
      this.batch,
      kSlots,
      this.#limits.places,
      this.#limits.concurrentTasksPerWorker,
      recordTiming || workerHistogram,
      slotBytes,
      sharedMemory
    )
    this.memory = new SlotMemory(this.#buffer, kSlots, this.core)
    this.functions = new TaskFunctions(kSlots, this.#own, sharedMemory / kBytesForText)
    this.histogram.attach(this.core)
  }

  close () {
    const { core } = this
    this.#histogram.keep()
    this.core = null
    this.memory = null
    this.functions = null
    this.#buffer = null
    core.close()
  }

  // Takes back the slots that no worker has begun. A hook may ask for this while the batch
  // is being settled, so the batch is left as it was.
  withdraw () {
    const slots = []
    if (!this.isOpen) return slots
    const inUse = this.batch.slice()
    for (let count; (count = this.core.withdraw()) > 0;) {
      slots.push(...this.batch.subarray(0, count))
    }
    this.batch.set(inUse)
    return slots
  }

  // Takes back the slots of a worker that has ended: those that it had claimed come first.
  retire (worker) {
    const left = []
    for (;;) {
      const { count, claimed } = this.core.retireWorker(worker.index)
      for (let i = 0; i < count; i++) left.push({ slot: this.batch[i], isClaimed: i < claimed })
      if (count < kBatch) return left
    }
  }
}

module.exports = { NativePool, kSlots }
