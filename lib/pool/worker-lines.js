'use strict'

// The owner's ends of the lines to the workers (transport/shared-line.js), and the names by which
// values refer to the objects that were announced on them.

const { Map } = require('../base/globals')
const { SharedLine, kOwner } = require('../transport/shared-line')

class WorkerLines {
  #lines = new Map() // by the index of the worker
  #names = null
  #slots
  #usedSlots

  // usedSlots(): the slots in use.
  constructor (slots, usedSlots) {
    this.#slots = slots
    this.#usedSlots = usedSlots
  }

  // To be called for the first value with an object that threads share.
  openNames () {
    const { OwnerNames } = require('../transport/shared-names')
    this.#names = new OwnerNames(this.#slots, this.#lines)
    return this.#names
  }

  // To be called before the worker can claim a task.
  add (index, port, counts) {
    const line = new SharedLine(port, counts, kOwner, {
      __proto__: null,
      // Results that were stored before may still name these objects.
      onOver: (objects) => this.#names.holdIn(this.#usedSlots(), objects)
    })
    this.#lines.set(index, line)
    this.#names?.introduce(line)
  }

  // To be called when the last results of the worker were read.
  remove (index) {
    this.#lines.get(index).close()
    this.#lines.delete(index)
  }
}

module.exports = { WorkerLines }
