'use strict'

// The tasks that wait in JavaScript: the user's task queue, and in front of it
// the one task that was taken out and could not be handed over after all. A
// queue that orders its tasks must not get it back at the end.
class WaitingTasks {
  #queue
  #head = null

  constructor (queue) {
    this.#queue = queue
  }

  get size () {
    return this.#queue.size + (this.#head === null ? 0 : 1)
  }

  push (task) {
    this.#queue.push(task)
  }

  // The next task, or null.
  take () {
    const head = this.#head
    if (head !== null) {
      this.#head = null
      return head
    }
    return this.#queue.size > 0 ? this.#queue.shift() ?? null : null
  }

  // What take() gave last.
  putBack (task) {
    if (typeof this.#queue.unshift === 'function') this.#queue.unshift(task)
    else this.#head = task
  }

  remove (task) {
    if (this.#head === task) this.#head = null
    else this.#queue.remove(task)
  }
}

module.exports = { WaitingTasks }
