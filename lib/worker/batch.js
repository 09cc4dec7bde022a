'use strict'

// In a worker: runs the items of a batch one after the other, each as the value of a task. This
// file is loaded with the first batch.
//
// The note of a request says whether an item that fails ends the batch. The note of a result is
// `[ms, failed]`: how long the batch took, and the indices of the values that are errors.

const { Promise, Reflect, Symbol, nextTick } = require('../base/globals')
const { now } = require('../base/native')
const { BatchWriter, readBatch } = require('../transport/batch')

const { apply } = Reflect
const promiseThen = Promise.prototype.then
const kDone = Symbol('telar.done')

// The function of a batch, from that of an item. `hooks`: { promiseOf(), endItem() } of main.js.
function batchOf (run, hooks) {
  let isLoaded = false
  return (received, task) => {
    const batch = new Batch(run, hooks, received, task)
    if (isLoaded) return batch.run()
    // This is the microtask in which the function was loaded.
    isLoaded = true
    return batch.runLater()
  }
}

class Batch {
  #run
  #takesTask
  #hooks
  #task
  #items
  #endsOnError
  #next = 0
  #writer = new BatchWriter()
  #failed = []
  #isOver = false
  #start = now()
  #resolve = null

  constructor (run, hooks, received, task) {
    const { values, note: endsOnError } = readBatch(received)
    this.#run = run
    this.#takesTask = run.length > 1
    this.#hooks = hooks
    this.#task = task
    this.#items = values
    this.#endsOnError = endsOnError
  }

  // The result, or a promise of it.
  run () {
    const pending = this.#runItems()
    if (pending === kDone) return this.#result()
    return new Promise((resolve) => {
      this.#resolve = resolve
      this.#wait(pending)
    })
  }

  runLater () {
    return new Promise((resolve) => {
      this.#resolve = resolve
      nextTick(() => this.#continue())
    })
  }

  // Returns what the next item has to be awaited for, or kDone.
  #runItems () {
    const run = this.#run
    const task = this.#task
    const items = this.#items
    const takesTask = this.#takesTask
    const { promiseOf, endItem } = this.#hooks
    while (this.#next < items.length && !this.#isOver && !task.aborted) {
      const item = items[this.#next]
      items[this.#next++] = undefined
      try {
        const value = takesTask ? run(item, task) : run(item)
        const promise = promiseOf(value)
        if (promise !== null) return promise
        this.#writer.add(value)
      } catch (error) {
        this.#fail(error)
      }
      if (!endItem()) return kDone
    }
    return kDone
  }

  // Goes on in a tick: inside a microtask the microtasks of the next items could not run.
  #wait (promise) {
    apply(promiseThen, promise, [
      (value) => {
        try {
          this.#writer.add(value)
        } catch (error) {
          this.#fail(error)
        }
        nextTick(() => this.#continue())
      },
      (error) => {
        this.#fail(error)
        nextTick(() => this.#continue())
      }
    ])
  }

  #continue () {
    const pending = this.#hooks.endItem() ? this.#runItems() : kDone
    if (pending === kDone) this.#resolve(this.#result())
    else this.#wait(pending)
  }

  // An item that fails has an error in place of its value.
  #fail (error) {
    this.#failed.push(this.#writer.count)
    this.#isOver = this.#endsOnError
    for (const substitute of require('./unsendable').substitutes(error)) {
      try {
        return this.#writer.add(substitute)
      } catch {
        // The next substitute is smaller.
      }
    }
  }

  #result () {
    return this.#writer.finishResult([now() - this.#start, this.#failed])
  }
}

module.exports = { batchOf }
