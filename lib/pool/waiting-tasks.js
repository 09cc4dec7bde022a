'use strict'

// The tasks that wait in JavaScript. They are in the task queue. Only a task that was taken out of
// it and could not be handed over may wait in front of the queue: push() would put it at the end.
//
// Tasks with a priority wait apart from it, and so do tasks with a key, if the queue is the user's:
// it might change their order. They are ranked here by priority, with the bound on the wait of low
// priorities that the scheduler has (src/core/sched.h). Tasks of the queue have the priority 0.
//
// The queue may be user code: it may throw, lose tasks, give one twice, and call the pool. So a set
// of the waiting tasks is kept here too. An error that the queue throws is an uncaught exception,
// except that push() throws it: there it concerns a single call of run().

const { Map, Math, Set } = require('../base/globals')
const native = require('../base/native')
const { now } = require('../base/time')
const { throwLater } = require('../base/uncaught')
const { PriorityQueue } = require('./task-queues/priority-queue')

const { kAgedMs, kAgedTurn, kNone } = native.poolConstants

class WaitingTasks {
  #queue
  #isUsers // the queue is not telar's own
  #head = null
  #tasks = new Set()
  #ranked = new PriorityQueue()
  // For each key that has ranked or queued tasks here: how many, and the lowest rank among them.
  #keys = new Map()
  #turns = 0 // takes since the oldest task was taken

  constructor (queue, isUsers) {
    this.#queue = queue
    this.#isUsers = isUsers
  }

  // The size that the queue reports, not that of the set: a queue may hold a task back on purpose.
  get size () {
    return this.#ranked.size + this.#queueSize
  }

  get #queueSize () { return this.#length() + (this.#head === null ? 0 : 1) }

  // Whether a new task goes before all that wait.
  mayPass (task) {
    if (this.size === 0) return true
    if (this.#keys.has(task.keyHash)) return false
    return task.priority > Math.max(this.#ranked.priority, this.#queueSize > 0 ? 0 : -Infinity)
  }

  // Throws what the queue throws; the task does not wait then.
  push (task) {
    this.#tasks.add(task)
    if (task.isRouted) task.rank = this.#rankOf(task)
    if (task.rank !== null) {
      this.#ranked.push(task, task.rank)
      return
    }
    try {
      this.#queue.push(task)
    } catch (error) {
      this.#delete(task)
      this.#drop(task) // the queue may have added it before it threw
      throw error
    }
    this.#dropIfSettled(task)
  }

  // The next task, or null.
  take () {
    if (this.#ranked.size === 0) return this.#takeQueued()
    if (++this.#turns >= kAgedTurn) {
      this.#turns = 0
      const aged = this.#takeAged()
      if (aged !== null) return aged
    }
    // Nothing is known about the order of the queue, so tasks of the priority 0 take turns with it.
    const { priority } = this.#ranked
    const isFirst = priority > 0 || (priority === 0 && this.#turns % 2 === 0)
    return (isFirst ? null : this.#takeQueued()) ?? this.#takeRanked(null)
  }

  // Null: the oldest task has not waited long enough.
  #takeAged () {
    const queued = this.#takeQueued()
    const ranked = this.#ranked.peekOldest()
    const isQueued = queued !== null && (ranked === null || queued.created < ranked.created)
    const oldest = isQueued ? queued : ranked
    const isAged = oldest !== null && now() - oldest.created >= kAgedMs
    if (isAged && isQueued) return queued
    if (queued !== null) this.putBack(queued)
    return isAged ? this.#takeRanked(ranked) : null
  }

  // `task`: the one to take, or null for the first. Null: there is none.
  #takeRanked (task) {
    if (task === null) {
      if (this.#ranked.size === 0) return null
      task = this.#ranked.shift()
    } else {
      this.#ranked.remove(task, task.rank)
    }
    this.#delete(task)
    return task
  }

  #takeQueued () {
    const head = this.#head
    if (head !== null) {
      this.#head = null
      if (this.#delete(head)) return head
    }
    // Limited by the length: a queue may return the same task forever.
    for (let left = this.#length(); left > 0; left--) {
      const task = this.#shift()
      if (task === null || this.#delete(task)) return task
    }
    return null
  }

  // Takes all tasks, also those that the queue does not return.
  takeAll () {
    const tasks = []
    for (let task; (task = this.take()) !== null;) tasks.push(task)
    for (const task of this.#tasks) tasks.push(task)
    this.#tasks.clear()
    this.#keys.clear()
    return tasks
  }

  // Puts the task that take() returned last back to the front.
  putBack (task) {
    this.#tasks.add(task)
    if (task.keyHash !== kNone) this.#countKey(task, task.rank ?? 0)
    if (task.rank !== null) this.#ranked.unshift(task, task.rank)
    else if (!this.#unshift(task)) this.#head = task
    this.#dropIfSettled(task)
  }

  remove (task) {
    if (this.#delete(task)) this.#dropIfSettled(task)
  }

  // Null: the task goes to the queue. The rank of a task is not above those of earlier tasks with
  // the same key, which go first.
  #rankOf (task) {
    const hasKey = task.keyHash !== kNone
    const rank = hasKey ? this.#countKey(task, task.priority) : task.priority
    return rank === 0 && !(hasKey && this.#isUsers) ? null : rank
  }

  #countKey ({ keyHash }, rank) {
    const waiting = this.#keys.get(keyHash)
    if (waiting === undefined) {
      this.#keys.set(keyHash, { count: 1, rank })
      return rank
    }
    waiting.count++
    waiting.rank = Math.min(waiting.rank, rank)
    return waiting.rank
  }

  // The task no longer waits. False: it did not.
  #delete (task) {
    if (!this.#tasks.delete(task)) return false
    if (task.keyHash !== kNone) {
      const waiting = this.#keys.get(task.keyHash)
      if (--waiting.count === 0) this.#keys.delete(task.keyHash)
    }
    return true
  }

  #length () {
    try {
      return this.#queue.size
    } catch (error) {
      throwLater(error)
      return this.#tasks.size - this.#ranked.size - (this.#head === null ? 0 : 1)
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
    if (task.rank !== null) {
      this.#ranked.remove(task, task.rank)
      return
    }
    try {
      this.#queue.remove(task)
    } catch (error) {
      throwLater(error)
    }
  }
}

module.exports = { WaitingTasks }
