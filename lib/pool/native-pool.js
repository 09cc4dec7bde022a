'use strict'

// The native pool (the scheduler in C and its binding), and the memory that it shares with the
// workers. It is opened when the first worker starts, and closed when the last one has ended.

const { SharedArrayBuffer, Uint32Array } = require('../base/globals')
const native = require('../base/native')
const { isUsed } = require('../shared/registry')
const { kAttachBytes } = require('../transport/attach-bytes')
const { kPlain } = require('../transport/function-table')
const { SlotMemory, kSlotBytes } = require('../transport/slot-memory')
const { TaskKeys } = require('../transport/task-keys')
const { TaskWords } = require('../transport/task-words')
const { HistogramView } = require('./histogram')
const { TaskFunctions } = require('./task-functions')
const { WorkerLines } = require('./worker-lines')

// How many tasks the scheduler holds at once; more wait in the task queue.
const kSlots = 4096
const kBatch = 1024
// For this many bytes of values there is one byte for the texts of task functions.
const kValueBytesPerTextByte = 16

class NativePool {
  core = null // the native object, by which the owner calls the scheduler
  memory = null // the values by slot
  functions = null // the task functions by slot
  lines = null // to the workers
  usedSlots = null // a function, set by the slot table
  words = null // what running tasks are told, by slot
  keys = null // the keys of tasks, by slot
  batch = new Uint32Array(kBatch) // the slots that the last call of the scheduler returned
  #buffer = null
  #histogram = null
  #poolFunction = null // `{ filename, name, kind }`; workers load it when they start
  #options
  #limits
  #passesTask
  #onDone

  // `passesTask`: functions with two parameters always get the context of their task.
  // onDone(count): `count` results are in the batch; 0: something about a worker may have changed.
  constructor (options, limits, { passesTask, onDone }) {
    const { filename, name } = options
    if (filename !== null) this.#poolFunction = { filename, name, kind: kPlain }
    this.#options = options
    this.#limits = limits
    this.#passesTask = passesTask
    this.#onDone = onDone
  }

  get isOpen () { return this.core !== null }

  // One object for the life of the pool, which may open several native pools one after the other.
  get histogram () {
    this.#histogram ??= new HistogramView(null, this.#options.recordTiming)
    return this.#histogram
  }

  // Opens the native pool if there is none. Returns the startup message for a worker.
  startup () {
    if (!this.isOpen) this.#open()
    return {
      pool: this.core.id,
      library: native.library,
      buffer: this.#buffer,
      slots: kSlots,
      attachBytes: kAttachBytes,
      niceIncrement: this.#options.niceIncrement,
      poolFunction: this.#poolFunction,
      setup: this.#options.setup,
      teardown: this.#options.teardown,
      functions: this.functions.buffer,
      taskWords: this.words.buffer,
      taskKeys: this.keys.buffer,
      passesTask: this.#passesTask,
      isStripped: isUsed() // the clone of workerData may have shared objects inside
    }
  }

  #open () {
    const { sharedMemory, recordTiming, workerHistogram } = this.#options
    const slotBytes = kSlots * kSlotBytes
    const bytes = slotBytes + sharedMemory
    // Made growable because V8 then aligns it to a page, and reserves the memory without touching
    // it: the system commits only the pages that are written.
    this.#buffer = new SharedArrayBuffer(bytes, { maxByteLength: bytes })
    this.core = native.createPool(
      this.#onDone,
      this.batch,
      kSlots,
      native.poolConstants.kMaxWorkers, // address space; memory is used for workers that exist
      this.#limits.concurrentTasksPerWorker,
      recordTiming || workerHistogram,
      slotBytes,
      sharedMemory
    )
    const lines = this.lines = new WorkerLines(kSlots, this.usedSlots)
    this.memory = new SlotMemory(this.#buffer, kSlots, this.core, {
      __proto__: null, openNames: () => lines.openNames()
    })
    this.words = TaskWords.create(kSlots)
    this.keys = TaskKeys.create(kSlots)
    const textBytes = sharedMemory / kValueBytesPerTextByte
    this.functions = new TaskFunctions(kSlots, this.#poolFunction, textBytes)
    this.histogram.attach(this.core)
  }

  close () {
    const { core } = this
    this.#histogram.keep()
    this.core = null
    this.memory = null
    this.functions = null
    this.lines = null
    this.words = null
    this.keys = null
    this.#buffer = null
    core.close()
  }

  // Takes back the slots that no worker has claimed. User code may cause this while the batch is
  // being settled, so the batch is saved and restored.
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

  // The slots that are over a limit, as `[{ slot, limit }]`, and after what time to ask again.
  overdue () {
    const { count, waitMs } = this.core.overdue()
    const late = []
    for (let i = 0; i < count; i++) {
      late.push({ slot: this.batch[2 * i], limit: this.batch[2 * i + 1] })
    }
    return { late, waitMs }
  }

  // Takes back the slots of a worker that has ended. Those that it had claimed come first.
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
