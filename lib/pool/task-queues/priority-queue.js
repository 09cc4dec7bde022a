'use strict'

// Tasks in the order of their priorities; those of the same priority in the order in which they
// came. It holds the tasks that wait in JavaScript and that the task queue of the user does not
// order (waiting-tasks.js).

const { Array } = require('../../base/globals')
const native = require('../../base/native')
const { FixedQueue } = require('./fixed-queue')

const { kPriorityMax, kPriorityMin } = native.poolConstants
const kLevels = kPriorityMax - kPriorityMin + 1

class PriorityQueue {
  #queues = new Array(kLevels).fill(null)
  #highest = -1 // no higher level has tasks
  #size = 0

  get size () { return this.#size }

  // The highest priority that has tasks; -Infinity: there are none.
  get priority () {
    if (this.#size === 0) return -Infinity
    while (this.#isEmpty(this.#highest)) this.#highest--
    return this.#highest + kPriorityMin
  }

  push (task, priority) {
    this.#at(priority).push(task)
    this.#size++
  }

  unshift (task, priority) {
    this.#at(priority).unshift(task)
    this.#size++
  }

  // The first task of the highest priority. pre: there is one.
  shift () {
    const queue = this.#at(this.priority)
    this.#size--
    return queue.shift()
  }

  // The oldest of the tasks that are first in their priority; null: there is none.
  peekOldest () {
    let oldest = null
    for (let level = 0; level <= this.#highest; level++) {
      if (this.#isEmpty(level)) continue
      const first = this.#queues[level].shift()
      this.#queues[level].unshift(first)
      if (oldest === null || first.created < oldest.created) oldest = first
    }
    return oldest
  }

  // Ignores a task that is not queued.
  remove (task, priority) {
    const queue = this.#queues[priority - kPriorityMin]
    if (queue === null) return
    const before = queue.size
    queue.remove(task)
    this.#size -= before - queue.size
  }

  #isEmpty (level) { return this.#queues[level] === null || this.#queues[level].size === 0 }

  #at (priority) {
    const level = priority - kPriorityMin
    if (level > this.#highest) this.#highest = level
    this.#queues[level] ??= new FixedQueue()
    return this.#queues[level]
  }
}

module.exports = { PriorityQueue }
