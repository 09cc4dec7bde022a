'use strict'

// In a worker: values that do not simply lie in their slots. Those that go by port, those that are
// moved, and errors that cannot be sent. This file is loaded with the first of them.

const { Map } = require('../base/globals')
const { createError } = require('../base/errors')
const { kError, kForm } = require('../transport/slot-memory')
const { ValuePort } = require('../transport/value-port')

class ByPort {
  port
  // The function that came with the last message.
  taskFunction
  // Messages that were received and whose slots have not been claimed yet.
  #messages = new Map()
  #memory
  #index
  #getShared
  #getContexts
  // Files that few of these values need, once they are loaded.
  #packets = null
  #moves = null
  #areBuffers = null

  // `index`: of this worker. getShared(): loads the classes of objects that threads share.
  // getContexts(): what tasks know of themselves.
  constructor (port, { memory, index, getShared, getContexts }) {
    this.port = new ValuePort(port)
    this.#memory = memory
    this.#index = index
    this.#getShared = getShared
    this.#getContexts = getContexts
  }

  // ---- requests ----

  // The value of a request.
  receive (slot) {
    // Slots do not always come in the order of their messages: tasks may have priorities.
    const wanted = this.#memory.message(slot)
    while (!this.#messages.has(wanted)) {
      if (!this.takeMessage()) throw createError('ERR_TELAR_LOST_MESSAGE')
    }
    const received = this.#messages.get(wanted)
    this.#messages.delete(wanted)
    const { key, taskFunction } = received
    this.taskFunction = taskFunction
    if (key !== undefined) this.#getContexts().keepKey(slot, key)
    return this.#usePackets().unpack(received, this.#memory, slot)
  }

  // Takes the next message of the owner. False: there is none. The owner posts the message of a
  // slot before it submits the slot.
  takeMessage () {
    const received = this.port.receive()
    if (received === undefined) return false
    // If a task is cancelled, the owner says so: nobody would ask for its message.
    if (received.note !== 0) this.#getContexts().keepNote(received)
    else if (received.dropped === undefined) this.#messages.set(received.message, received)
    else this.#messages.delete(received.dropped)
    return true
  }

  // ---- results ----

  // Stores a result that is marked by move(), or that was not stored. False: it was sent by port.
  store (slot, value, flags, isMarked) {
    if (!isMarked) return this.#send(slot, value, flags)
    this.#moves ??= require('../transport/move')
    const { isMovable, kTransferable, kValue } = this.#moves
    return isMovable(value)
      ? this.#move(slot, value[kValue], flags, [].concat(value[kTransferable]))
      : this.#write(slot, value, flags)
  }

  // A result that cannot be sent is an error of the task. An error that cannot be sent is replaced
  // by one that can. So the task settles in any case.
  storeFailure (slot, error) {
    for (const substitute of require('./unsendable').substitutes(error)) {
      try {
        return this.#write(slot, substitute, kError)
      } catch {
        // The next substitute is smaller.
      }
    }
    return this.#memory.write(slot, undefined, kError, this.#index)
  }

  #write (slot, value, flags) {
    return this.#memory.write(slot, value, flags, this.#index) || this.#send(slot, value, flags)
  }

  #move (slot, value, flags, transferList) {
    this.#areBuffers ??= require('../transport/moved-buffers').areBuffers
    if (!this.#areBuffers(transferList)) {
      return this.#send(slot, value, flags, transferList, null)
    }
    return this.#memory.writeMoved(slot, value, flags, this.#index, transferList) ||
      this.#send(slot, value, flags, transferList)
  }

  #send (slot, value, flags, transferList, packed = this.#memory.takePacked()) {
    const [content, transfers] = this.#usePackets().pack(value, packed, transferList)
    const message = this.port.send(content, transfers)
    this.#memory.writePort(slot, kForm.portResult, flags, this.#index, message)
    return false
  }

  #usePackets () {
    this.#getShared()
    this.#packets ??= require('../transport/packet')
    return this.#packets
  }
}

module.exports = { ByPort }
