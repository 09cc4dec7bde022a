'use strict'

// A task queue on an array: easy to inspect (`tasks`), but shift() and remove() take time in
// proportion to its length. For many tasks there is FixedQueue.

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

  // Ignores a task that is not queued: an abort may come just after the task left the queue.
  remove (task) {
    const index = this.tasks.indexOf(task)
    if (index !== -1) this.tasks.splice(index, 1)
  }
}

module.exports = { ArrayTaskQueue }
