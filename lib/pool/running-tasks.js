'use strict'

// Which tasks the workers run, and for how long. Nothing is recorded for this: the scheduler knows
// which worker has claimed a slot, and since when. It is asked when a worker has ended, and for
// pool.dump().

const { Map, Math, Object } = require('../base/globals')
const { isObject } = require('../base/arguments')
const { describe } = require('../base/describe')
const { setOwn } = require('../base/own')
const { now } = require('../base/time')

const kMaxFilename = 300 // of a data: URL the beginning is enough
const kMaxShown = 3

class RunningTasks {
  #options
  #native
  #slots

  constructor ({ options, native, slots }) {
    this.#options = options
    this.#native = native
    this.#slots = slots
  }

  // The task of a slot that a worker has claimed, also if the worker has ended meanwhile.
  of (slot) {
    const task = this.#slots.taskOf(slot)
    const { filename, name } = this.#functionOf(slot, task)
    const runMs = Math.round(this.#native.core.sinceClaim(slot) * 1000) / 1000
    return {
      name,
      filename,
      taskId: task?.taskId ?? null, // a task of the fast path has none
      isAborted: this.#slots.isAbandoned(slot), // but it still runs
      startedAt: now() - runMs,
      runMs
    }
  }

  #functionOf (slot, task) {
    const { functions, memory } = this.#native
    if (task === undefined) {
      return functions.pinnedAt(memory.functionEntry(slot)) ?? this.#options
    }
    return this.#slots.isAbandoned(slot) ? functions.originOf(slot) : task
  }

  // The tasks that run now, by the index of their worker.
  byWorker () {
    const tasks = new Map()
    for (const slot of this.#native.isOpen ? this.#slots.used() : []) {
      const index = this.#native.core.claimedBy(slot)
      if (index < 0) continue
      const others = tasks.get(index)
      if (others === undefined) tasks.set(index, [this.of(slot)])
      else others.push(this.of(slot))
    }
    return tasks
  }
}

// `"resize" of /app/tasks.js for 12 ms`
function describeTasks (tasks) {
  const shown = tasks.slice(0, kMaxShown).map(({ name, filename, runMs }) =>
    `${describe(name)} of ${shorten(filename)} for ${Math.round(runMs)} ms`)
  const more = tasks.length - shown.length
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '')
}

function shorten (filename) {
  return filename?.length > kMaxFilename ? `${filename.slice(0, kMaxFilename)}…` : filename
}

// Adds to the error that ended a worker what the worker ran, as `error.worker`.
function addTasks (error, id, tasks) {
  if (tasks.length === 0 || !isObject(error)) return
  try {
    if (!Object.hasOwn(error, 'worker')) setOwn(error, 'worker', { id, tasks })
  } catch {
    // The error is the user's, who may have frozen it.
  }
}

module.exports = { RunningTasks, addTasks, describeTasks }
