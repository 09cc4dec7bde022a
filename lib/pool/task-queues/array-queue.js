'use strict'

// A task queue that is nothing but an array: easy to inspect (`tasks`), linear
// in its length for shift() and remove(). FixedQueue is the one for many tasks.

class ArrayTaskQueue {
  tasks = []

  get size () {
    return this.tasks.length
  }

  push (task) {
    this.tasks.push(task)
  }

  unshift (task) {
    this.tasks.unshift(task)
  }

  shift () {
    return this.tasks.length === 0 ? null : this.tasks.shift()
  }

  // A task that is not queued is none of our business: an abort may come just
  // after the task left the queue.
  remove (task) {
    const index = this.tasks.indexOf(task)
    if (index !== -1) this.tasks.splice(index, 1)
  }
}

module.exports = { ArrayTaskQueue }
