'use strict'

// Values that running tasks report by task.progress(). They come as notes by the port of the worker
// (transport/note.js), in order, and are given to `onProgress` of run(): before the result, since
// the settler asks for them first.

const { Map, queueMicrotask } = require('../base/globals')
const { throwLater } = require('../base/uncaught')
const { valueOf } = require('../transport/note')

const kMaxNumber = 2 ** 31 - 1

class Progress {
  #tasks = new Map() // by number
  #lastNumber = 0
  #blocking = null

  // Whether there may be something to deliver.
  get isActive () { return this.#tasks.size > 0 }

  // The task for which runSync() blocks the event loop, or null. The callers of other tasks get
  // their values when the loop turns again. Returns what was set before.
  setBlocking (task) {
    const previous = this.#blocking
    this.#blocking = task
    return previous
  }

  // To be called when a task is handed over. Returns the number for its values; 0: it wants none.
  begin (task) {
    if (task.onProgress === null) return 0
    if (task.progressNumber === 0) {
      task.progressNumber = this.#nextNumber()
      this.#tasks.set(task.progressNumber, task)
    }
    return task.progressNumber
  }

  #nextNumber () {
    do {
      this.#lastNumber = this.#lastNumber === kMaxNumber ? 1 : this.#lastNumber + 1
    } while (this.#tasks.has(this.#lastNumber))
    return this.#lastNumber
  }

  // To be called when a task is settled. Values that come later are dropped.
  end (task) {
    if (task.progressNumber !== 0) this.#tasks.delete(task.progressNumber)
  }

  // Delivers what a worker has reported. Undefined: there is no such worker.
  deliver (worker) {
    if (worker === undefined) return
    for (let note; (note = worker.takeNote()) !== null;) {
      const task = this.#tasks.get(note.note)
      if (task === undefined) continue
      if (this.#blocking === null || this.#blocking === task) this.#call(task, note)
      else queueMicrotask(() => this.#call(task, note))
    }
  }

  deliverAll (workers) {
    for (const worker of workers) this.deliver(worker)
  }

  #call ({ onProgress }, note) {
    try {
      onProgress(valueOf(note))
    } catch (error) {
      throwLater(error)
    }
  }
}

module.exports = { Progress }
