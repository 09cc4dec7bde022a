'use strict'

// Hands tasks over: to the ready queue, from which the first free worker takes them; to the lane of
// a worker with a free place, if the value is sent by port or the task is exclusive; or to the lane
// of the worker that a load balancer chose. A task that cannot be handed over yet waits in the task
// queue, and is tried again here.

const { Math } = require('../base/globals')
const { createTerminated } = require('../base/errors')
const native = require('../base/native')
const { startTimer, stopTimer } = require('../base/time')
const { encode, pack } = require('../transport/packet')
const { kForm } = require('../transport/slot-memory')
const { kInMessage } = require('./task-functions')

// When no worker is busy, and a load balancer chooses none or a queue gives no task, they are asked
// again after this delay, which doubles each time.
const kBalancerRetryMinMs = 1
const kBalancerRetryMaxMs = 50

const { kLaneExclusive, kLaneForced, kLaneShared } = native.poolConstants

class Dispatcher {
  #options
  #limits
  #isDirect // tasks may enter the ready queue before a worker is free
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

  // Hands a task over. False: it has to wait. True also if that failed and the task was rejected.
  dispatch (task) {
    if (this.#workers.size === 0 || !this.#slots.hasFree) return false
    if (this.#state.isBalanced) return this.#dispatchBalanced(task)
    const isExclusive = this.#state.isExclusive(task)
    if (!isExclusive && task.packed === undefined) {
      if (!this.#isDirect && this.#isFull) return false
      if (this.#dispatchDirect(task)) return true
      // Its value has to be sent by port, now or when the task is tried again.
    }
    const worker = this.#findWorker(isExclusive)
    const lane = isExclusive ? kLaneExclusive : kLaneShared
    return worker !== null && this.#assign(task, worker, lane)
  }

  get #isFull () { return this.#state.activeDemand >= this.#state.capacity }

  // Hands a task over to the ready queue. False: its value has to be sent by port.
  #dispatchDirect (task) {
    const slot = this.#slots.take()
    const isWritten = this.#write(slot, task)
    if (this.#settler.isOver(task) || !isWritten) {
      this.#slots.giveBack(slot)
      return task.isSettled
    }
    this.#recordHandOver(task, slot, null)
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

  // The least busy of the workers with a free place; for an exclusive task, a worker whose places
  // are all free. Null: there is none, or tasks are in the ready queue, which are older and go
  // first.
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

  // Hands a task over to a certain worker. False: the worker has no place for it, and nothing was
  // sent.
  #assign (task, worker, lane) {
    if (!this.#slots.hasFree) return false
    // Reserved first: a message that was posted cannot be taken back, and its buffers are detached.
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
    this.#recordHandOver(task, slot, worker)
    this.#retryDelay = kBalancerRetryMinMs
    return true
  }

  // Writes the value of a task into a slot. False: it has to be sent by port, or one of its getters
  // threw and the task is settled.
  #write (slot, task) {
    const { functions, memory } = this.#native
    try {
      const entry = functions.bind(slot, task.filename, task.name)
      if (entry === kInMessage) {
        task.packed = encode(task.task)
        return false
      }
      if (memory.write(slot, task.task, 0, entry)) return true
      task.packed = memory.takePacked()
    } catch (error) {
      this.#settler.rejectWaiting(task, error)
    }
    return false
  }

  // Sends the value of a task by port, to the worker that has a place for it. False: it cannot be
  // sent, and the task is settled.
  #post (slot, task, worker) {
    if (this.#settler.isOver(task)) return false
    const { filename, name } = task
    const { functions, memory } = this.#native
    const entry = functions.bind(slot, filename, name)
    let message
    try {
      const [content, transferList] = pack(task.task, task.packed, task.transferList)
      if (entry === kInMessage) content.taskFunction = { filename, name }
      message = worker.post(content, transferList)
    } catch (error) { // DataCloneError, or thrown by a getter
      this.#settler.rejectWaiting(task, error)
      return false
    }
    memory.writePort(slot, kForm.portRequest, 0, entry, message)
    return true
  }

  // For a task whose worker was ended while the value was sent: a getter of the value has called
  // the pool. True: the task was rejected. False: it can be sent to another worker.
  #wasLost (task) {
    if (task.transferList === undefined) {
      if (task.packed !== null) task.packed = undefined // it was transferred with the message
      return false
    }
    this.#settler.rejectWaiting(task, createTerminated())
    return true
  }

  #recordHandOver (task, slot, worker) {
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
    this.#growForWaiting(false)
  }

  // Hands waiting tasks over, as long as there is room for them.
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
    if (this.#waiting.size > 0) this.#growForWaiting(isStuck)
    else this.#scaler.growToDemand() // user code that was called may have ended a worker
  }

  // True: the queue has tasks, but does not give one.
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

  // Whether to take a task out of the queue. A load balancer is always asked: it decides itself.
  get #hasRoom () {
    return this.#slots.hasFree && this.#workers.size > 0 &&
      (this.#isDirect || this.#state.isBalanced || !this.#isFull)
  }

  // Starts workers for waiting tasks. `isStuck`: the queue does not give its tasks.
  #growForWaiting (isStuck) {
    this.#scaler.growToDemand()
    const { isBalanced } = this.#state
    if (isBalanced) this.#scaler.growForBalancer(0)
    if (isBalanced || isStuck) this.#retryLater()
  }

  // Tries again by a timer, for a balancer that chose no worker, or a queue that gave no task.
  // While tasks are active no timer is needed: the end of each of them is a reason to try again.
  #retryLater () {
    if (this.#state.active > 0 || this.#retryTimer !== null || !this.#native.isOpen) return
    this.#retryTimer = startTimer(() => {
      this.#retryTimer = null
      this.#retryDelay = Math.min(2 * this.#retryDelay, kBalancerRetryMaxMs)
      this.flush()
    }, this.#retryDelay)
  }

  // To be called when the native pool was closed.
  reset () {
    stopTimer(this.#retryTimer)
    this.#retryTimer = null
  }
}

module.exports = { Dispatcher }
