'use strict'

// Hands tasks over: directly, to whichever worker is free first; to a worker with a free place,
// where the value travels by port or the task has the worker to itself; or to the one that a load
// balancer chose. What cannot be handed over yet waits in the task queue, and is tried again here.

const { Math } = require('../base/globals')
const { createTerminated } = require('../base/errors')
const native = require('../base/native')
const { startTimer, stopTimer } = require('../base/time')
const { encode, pack } = require('../transport/packet')
const { kForm } = require('../transport/slot-memory')
const { kInMessage } = require('./task-functions')

// A load balancer that has no worker for a task, or a queue that does not give one, while no
// worker is busy, is asked again after so long, and twice as long each time.
const kBalancerRetryMinMs = 1
const kBalancerRetryMaxMs = 50

const { kLaneExclusive, kLaneForced, kLaneShared } = native.poolConstants

class Dispatcher {
  #options
  #limits
  #isDirect // tasks may go to the scheduler before a worker is free
  #native
  #slots
  #state
  #waiting
  #workers
  #settler
  #poller
  #scaler
  #isFlushing = false
  #retryTimer = null
  #retryDelay = kBalancerRetryMinMs

  constructor (parts) {
    this.#options = parts.options
    this.#limits = parts.limits
    this.#isDirect = parts.isDirect
    this.#native = parts.native
    this.#slots = parts.slots
    this.#state = parts.state
    this.#waiting = parts.waiting
    this.#workers = parts.workers
    this.#settler = parts.settler
    this.#poller = parts.poller
    this.#scaler = parts.scaler
  }

  // False: the task has to wait. One that failed at it is settled, which is true.
  dispatch (task) {
    if (this.#workers.size === 0 || !this.#slots.hasFree) return false
    if (this.#state.isBalanced) return this.#dispatchBalanced(task)
    const isExclusive = this.#state.isExclusive(task)
    if (!isExclusive && task.packed === undefined) {
      if (!this.#isDirect && this.#isFull) return false
      if (this.#dispatchDirect(task)) return true
      // From now on it is a task that goes by port.
    }
    const worker = this.#findWorker(isExclusive)
    const lane = isExclusive ? kLaneExclusive : kLaneShared
    return worker !== null && this.#assign(task, worker, lane)
  }

  get #isFull () { return this.#state.demandHanded >= this.#state.capacity }

  // To whichever worker is free first. False: its value has to go by port.
  #dispatchDirect (task) {
    const slot = this.#slots.take()
    const isWritten = this.#write(slot, task)
    if (this.#settler.isOver(task) || !isWritten) {
      this.#slots.giveBack(slot)
      return task.isSettled
    }
    this.#took(task, slot, null)
    this.#poller.submitTask(slot, task.waited)
    return true
  }

  #dispatchBalanced (task) {
    const candidates = this.#workers.readyViews
    let chosen
    try {
      chosen = this.#options.loadBalancer(task.interface, candidates)
    } catch (error) {
      this.#settler.rejectWaiting(task, error)
      return true
    }
    if (this.#settler.isOver(task)) return true
    const worker = this.#workers.ofView(chosen)
    return worker !== null && this.#slots.hasFree && this.#assign(task, worker, kLaneForced)
  }

  // A worker with a free place (all places free for an exclusive task), the
  // least busy first. Tasks in the ready queue are older: they go first.
  #findWorker (isExclusive) {
    const { core } = this.#native
    if (core.readyLength(true) > 0) return null
    let found = null
    let leastUsage = isExclusive ? 1 : this.#limits.concurrentTasksPerWorker
    for (const worker of this.#workers.list) {
      const usage = core.workerUsage(worker.index)
      if (usage < leastUsage) {
        found = worker
        leastUsage = usage
      }
    }
    return found
  }

  // Gives a task to one worker. False: it has no place for it, and nothing was sent.
  #assign (task, worker, lane) {
    if (!this.#slots.hasFree) return false
    // First of all: what is posted cannot be taken back, and buffers are detached by it.
    const places = this.#native.core.reserve(worker.index, lane)
    if (places === 0) return false
    const slot = this.#slots.take()
    const isSent = (task.packed === undefined && this.#write(slot, task)) ||
      this.#post(slot, task, worker)
    if (!isSent || this.#settler.isOver(task) || worker.isDestroyed) {
      this.#slots.giveBack(slot)
      this.#native.core.unreserve(worker.index, places)
      return task.isSettled || this.#wasLost(task)
    }
    this.#poller.submitTo(slot, worker, places, task.waited)
    this.#took(task, slot, worker)
    this.#retryDelay = kBalancerRetryMinMs
    return true
  }

  // Puts a task's value into a slot. False: it goes by port, or a getter of it threw and the
  // task is settled.
  #write (slot, task) {
    const { functions, memory } = this.#native
    try {
      const place = functions.bind(slot, task.filename, task.name)
      if (place === kInMessage) {
        task.packed = encode(task.task)
        return false
      }
      if (memory.write(slot, task.task, 0, place)) return true
      task.packed = memory.takePacked()
    } catch (error) {
      this.#settler.rejectWaiting(task, error)
    }
    return false
  }

  // Sends a task's value to the worker that has a place for it. False: it cannot be sent, and
  // the task is settled.
  #post (slot, task, worker) {
    if (this.#settler.isOver(task)) return false
    const { filename, name } = task
    const { functions, memory } = this.#native
    const place = functions.bind(slot, filename, name)
    let message
    try {
      const [content, transferList] = pack(task.task, task.packed, task.transferList)
      if (place === kInMessage) content.taskFunction = { filename, name }
      message = worker.post(content, transferList)
    } catch (error) { // DataCloneError, or thrown by a getter
      this.#settler.rejectWaiting(task, error)
      return false
    }
    memory.writePort(slot, kForm.portRequest, 0, place, message)
    return true
  }

  // A task whose worker was ended by what a getter of its value called. False: it can be sent
  // to another one.
  #wasLost (task) {
    if (task.transferList === undefined) {
      if (task.packed !== null) task.packed = undefined // its memory has gone with the message
      return false
    }
    this.#settler.rejectWaiting(task, createTerminated())
    return true
  }

  #took (task, slot, worker) {
    task.slot = slot
    task.worker = worker
    this.#slots.setTask(slot, task)
    this.#state.begin()
    if (worker !== null) this.#state.assign(task, worker)
  }

  // ---- the queue ----

  // Puts a task that could not be handed over into the queue. Throws what the queue throws.
  enqueue (task) {
    this.#waiting.push(task)
    this.#state.updateWaiting()
    this.#callForHelp(false)
  }

  // The waiting tasks, as far as there is room for them.
  flush () {
    if (this.#isFlushing || this.#waiting.size === 0) return
    this.#isFlushing = true
    let isStuck
    try {
      isStuck = this.#dispatchWaiting()
    } finally {
      this.#isFlushing = false
    }
    this.#state.updateWaiting()
    if (this.#waiting.size > 0) this.#callForHelp(isStuck)
    else this.#scaler.growToDemand() // a hook may have ended a worker
  }

  // True: the queue has a task, and does not give it.
  #dispatchWaiting () {
    while (this.#waiting.size > 0 && this.#hasRoom) {
      const task = this.#waiting.take()
      if (task === null) return true
      if (this.#settler.isOver(task)) continue
      if (!this.dispatch(task)) {
        this.#waiting.putBack(task)
        break
      }
    }
    return false
  }

  // Whether it makes sense to take a task out of the queue. A balancer decides
  // for itself.
  get #hasRoom () {
    return this.#slots.hasFree && this.#workers.size > 0 &&
      (this.#isDirect || this.#state.isBalanced || !this.#isFull)
  }

  // Tasks wait: more workers may help.
  #callForHelp (isStuck) {
    this.#scaler.growToDemand()
    const { isBalanced } = this.#state
    if (isBalanced) this.#scaler.growForBalancer(0)
    if (isBalanced || isStuck) this.#retryLater()
  }

  // While tasks are under way, the end of one of them is a reason to try again. Otherwise only
  // a timer is: for a balancer that chose no worker, or a queue that gave no task.
  #retryLater () {
    if (this.#state.active > 0 || this.#retryTimer !== null || !this.#native.isOpen) return
    this.#retryTimer = startTimer(() => {
      this.#retryTimer = null
      this.#retryDelay = Math.min(2 * this.#retryDelay, kBalancerRetryMaxMs)
      this.flush()
    }, this.#retryDelay)
  }

  // The native pool is gone.
  reset () {
    stopTimer(this.#retryTimer)
    this.#retryTimer = null
  }
}

module.exports = { Dispatcher }
