'use strict'

// The tasks that wait in JavaScript. They are in the task queue. Only a task that was taken out of
// it and could not be handed over may wait in front of the queue: push() would put it at the end.
//
// The queue may be user code: it may throw, lose tasks, give one twice, and call the pool. So a set
// of the waiting tasks is kept here too. An error that the queue throws is an uncaught exception,
// except that push() throws it: there it concerns a single call of run().

const { Set } = require('../base/globals')
const { throwLater } = require('../base/uncaught')

class WaitingTasks {
  #queue
  #head = null
  #tasks = new Set()

  constructor (queue) {
    this.#queue = queue
  }

  // The size that the queue reports, not that of the set: a queue may hold a task back on purpose.
  get size () {
    return this.#length() + (this.#head === null ? 0 : 1)
  }

  // Throws what the queue throws; the task does not wait then.
  push (task) {
    this.#tasks.add(task)
    try {
      this.#queue.push(task)
    } catch (error) {
      this.#tasks.delete(task)
      this.#drop(task) // the queue may have added it before it threw
      throw error
    }
    this.#dropIfSettled(task)
  }

  // The next task, or null.
  take () {
    const head = this.#head
    if (head !== null) {
      this.#head = null
      if (this.#tasks.delete(head)) return head
    }
    // Limited by the length: a queue may return the same task forever.
    for (let left = this.#length(); left > 0; left--) {
      const task = this.#shift()
      if (task === null || this.#tasks.delete(task)) return task
    }
    return null
  }

  // Takes all tasks, also those that the queue does not return.
  takeAll () {
    const tasks = []
    for (let task; (task = this.take()) !== null;) tasks.push(task)
    for (const task of this.#tasks) tasks.push(task)
    this.#tasks.clear()
    return tasks
  }

  // Puts the task that take() returned last back to the front.
  putBack (task) {
    this.#tasks.add(task)
    if (!this.#unshift(task)) this.#head = task
    this.#dropIfSettled(task)
  }

  remove (task) {
    if (this.#tasks.delete(task)) this.#dropIfSettled(task)
  }

  #length () {
    try {
      return this.#queue.size
    } catch (error) {
      throwLater(error)
      return this.#tasks.size - (this.#head === null ? 0 : 1)
    }
  }

  #shift () {
    try {
      return this.#queue.shift() ?? null
    } catch (error) {
      throwLater(error)
      return null
    }
  }

  // False: the queue has no unshift(), or it threw.
  #unshift (task) {
    try {
      if (typeof this.#queue.unshift !== 'function') return false
      this.#queue.unshift(task)
      return true
    } catch (error) {
      throwLater(error)
      return false
    }
  }

  // The queue may have called code that settled the task, perhaps before the task was in it.
  #dropIfSettled (task) {
    if (!task.isSettled) return
    if (this.#head === task) this.#head = null
    else this.#drop(task)
  }

  #drop (task) {
    try {
      this.#queue.remove(task)
    } catch (error) {
      throwLater(error)
    }
  }
}

module.exports = { WaitingTasks }
