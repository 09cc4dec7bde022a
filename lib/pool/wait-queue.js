'use strict'

// The tasks that wait in JavaScript: the user's task queue, and in front of it
// the one task that was taken out and could not be handed over after all. A
// queue that orders its tasks must not get it back at the end.
//
// The queue is the caller's code: it may throw, lose tasks, give one twice, and call the
// pool from inside. So the tasks are kept here as well. What a queue throws is an
// uncaught exception; only what push() throws concerns one call, and goes to it.

const { Set } = require('../base/globals')
const { throwLater } = require('../base/uncaught')

class WaitingTasks {
  #queue
  #head = null
  #tasks = new Set()

  constructor (queue) {
    this.#queue = queue
  }

  // What the queue says: one that hides a task for a while does so on purpose.
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
      this.#drop(task) // it may be in there all the same
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
    // As many times at most: a queue may give the same task for ever.
    for (let left = this.#length(); left > 0; left--) {
      const task = this.#shift()
      if (task === null || this.#tasks.delete(task)) return task
    }
    return null
  }

  // All of them, those too that the queue does not give.
  takeAll () {
    const tasks = []
    for (let task; (task = this.take()) !== null;) tasks.push(task)
    for (const task of this.#tasks) tasks.push(task)
    this.#tasks.clear()
    return tasks
  }

  // What take() gave last.
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

  // False: the queue cannot.
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

  // By what the queue called, perhaps before it had the task.
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
