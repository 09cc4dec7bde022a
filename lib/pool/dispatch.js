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
const { kForm, kKeyed } = require('../transport/slot-memory')
const { fitsSlot } = require('../transport/task-keys')
const { steeringOf } = require('./call-options')
const { kNone } = require('./route')
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
  #progress
  #deadlines
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
    this.#progress = parts.progress
    this.#deadlines = parts.deadlines
  }

  // Hands a task over. False: it has to wait. True also if that failed and the task was rejected.
  dispatch (task) {
    if (this.#workers.size === 0 || !this.#slots.hasFree) return false
    if (task.keyHash !== kNone || task.target !== null) return this.#dispatchRouted(task)
    if (this.#state.isBalanced) return this.#dispatchBalanced(task)
    if (this.#state.isIsolated) return this.#dispatchIsolated(task)
    const isExclusive = this.#state.isExclusive(task)
    if (!isExclusive && task.packed === undefined && !task.keepsUntilPlace) {
      if (!this.#isDirect && this.#isFull) return false
      if (this.#dispatchDirect(task)) return true
      // Its value has to be sent by port, now or when the task is tried again.
    }
    if (task.priority !== 0) return this.#dispatchRouted(task)
    const worker = this.#findWorker(isExclusive)
    const lane = isExclusive ? kLaneExclusive : kLaneShared
    return worker === null ? this.#postAhead(task) : this.#assign(task, worker, lane)
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
    if (task.isLimited) this.#deadlines.prepare(task.terms, task.waited)
    if (task.priority === 0) this.#poller.submitTask(slot, task)
    else this.#poller.submitTaskRouted(slot, task, null, kLaneShared)
    return true
  }

  // Hands a task over to the agenda of a worker: that of its key, the target of a broadcast, or, if
  // it has only a priority, the worker with the fewest tasks.
  #dispatchRouted (task) {
    if (!this.#isDirect && this.#isFull && task.target === null) return false
    if (this.#settler.isOver(task) || this.#hasLostTarget(task)) return true
    if (task.packed !== undefined) return this.#postRouted(task)
    const worker = task.keyHash === kNone ? task.target ?? this.#pickWorker() : null
    if (worker === undefined) return false
    const slot = this.#slots.take()
    const isWritten = this.#write(slot, task)
    if (isWritten && !this.#settler.isOver(task) && (worker === null || worker.isOpen)) {
      this.#submitRouted(task, slot, worker)
      return true
    }
    this.#slots.giveBack(slot)
    if (isWritten || task.isSettled) return task.isSettled || this.#hasLostTarget(task)
    return this.#postRouted(task)
  }

  #pickWorker () { return this.#workers.at(this.#native.core.pickWorker()) }

  // Hands a short task whose value is sent by port over to a worker that has no free place. If the
  // task waited here until there is one, owner and worker would both sleep between two such tasks.
  // False: it has to wait.
  #postAhead (task) {
    if (task.packed === undefined || !this.#state.mayBind(task)) return false
    const worker = this.#workers.at(this.#native.core.pickAhead())
    return worker !== undefined && this.#postTo(task, worker)
  }

  // The same for a task whose value has to be sent by port. False: there is no worker.
  #postRouted (task) {
    if (this.#settler.isOver(task) || this.#hasLostTarget(task)) return true
    const { core } = this.#native
    const worker = task.keyHash === kNone
      ? task.target ?? this.#pickWorker()
      : this.#workers.at(core.holdKey(task.keyHash))
    return worker !== undefined && this.#postTo(task, worker)
  }

  // False: not to this worker.
  #postTo (task, worker) {
    // It may have tasks of the key, which come back when its thread has ended.
    if (worker.isDestroyed) {
      this.#releaseKey(task)
      return false
    }
    const slot = this.#slots.take()
    const isSent = this.#post(slot, task, worker)
    if (isSent && !this.#settler.isOver(task) && worker.isOpen) {
      this.#submitRouted(task, slot, worker)
      return true
    }
    if (isSent) worker.drop(this.#native.memory.message(slot))
    this.#slots.giveBack(slot)
    this.#releaseKey(task)
    return task.isSettled || this.#hasLostTarget(task) || this.#wasLost(task)
  }

  #releaseKey ({ keyHash }) {
    if (keyHash !== kNone) this.#native.core.releaseKey(keyHash)
  }

  #submitRouted (task, slot, worker) {
    const mode = this.#state.isExclusive(task) ? kLaneExclusive : kLaneShared
    this.#recordHandOver(task, slot, null)
    if (task.isLimited) this.#deadlines.prepare(task.terms, task.waited)
    this.#poller.submitTaskRouted(slot, task, worker, mode)
  }

  // Whether the worker that a broadcast is for is not open any more. The task is rejected then.
  #hasLostTarget (task) {
    if (task.target === null || task.target.isOpen) return false
    this.#settler.rejectWaiting(task, task.target.error ?? createTerminated())
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

  // A worker that has run nothing gets the task, and leaves when it has run it. Another one is
  // started for the next task.
  #dispatchIsolated (task) {
    if (this.#workers.leaving.size >= this.#limits.maxThreads) return false
    const worker = this.#workers.findFresh()
    if (worker === null || !this.#assign(task, worker, kLaneExclusive)) return false
    if (task.worker === worker) this.#workers.leave(worker)
    this.#scaler.replace()
    return true
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
    const isWritten = task.packed === undefined && this.#write(slot, task)
    const isPosted = !isWritten && this.#post(slot, task, worker)
    const isSent = isWritten || isPosted
    if (!isSent || this.#settler.isOver(task) || !worker.isOpen) {
      if (isPosted) worker.drop(this.#native.memory.message(slot))
      this.#slots.giveBack(slot)
      this.#native.core.unreserve(worker.index, places)
      return task.isSettled || this.#wasLost(task)
    }
    if (task.isLimited) this.#deadlines.prepare(task.terms, task.waited)
    this.#poller.submitTo(slot, task, worker, places)
    this.#recordHandOver(task, slot, worker)
    this.#retryDelay = kBalancerRetryMinMs
    return true
  }

  // Writes the value of a task into a slot. False: it has to be sent by port, or one of its getters
  // threw and the task is settled.
  #write (slot, task) {
    const { functions, memory } = this.#native
    try {
      const entry = functions.bind(slot, task)
      if (entry === kInMessage || !fitsSlot(task.key)) {
        task.packed = encode(task.task, task.transferList)
        return false
      }
      if (this.#store(slot, task, entry)) return true
      task.packed = memory.takePacked()
    } catch (error) {
      this.#settler.rejectWaiting(task, error)
    }
    return false
  }

  #store (slot, task, entry) {
    const { memory } = this.#native
    const { task: value, transferList } = task
    const flags = this.#flags(slot, task)
    return transferList === undefined
      ? memory.write(slot, value, flags, entry)
      : memory.writeMoved(slot, value, flags, entry, transferList)
  }

  // Sends the value of a task by port, to the worker that has a place for it. False: it cannot be
  // sent, and the task is settled.
  #post (slot, task, worker) {
    if (this.#settler.isOver(task)) return false
    const { filename, name, kind } = task
    const { functions, memory } = this.#native
    const entry = functions.bind(slot, task)
    let message
    try {
      const [content, transferList, named] = pack(task.task, task.packed, task.transferList)
      if (entry === kInMessage) content.taskFunction = { filename, name, kind }
      if (!fitsSlot(task.key)) content.key = task.key
      message = worker.post(content, transferList)
      memory.hold(slot, named)
    } catch (error) { // DataCloneError, or thrown by a getter
      this.#settler.rejectWaiting(task, error)
      return false
    }
    memory.writePort(slot, kForm.portRequest, this.#flags(slot, task), entry, message)
    task.posted = worker
    return true
  }

  // Writes what the worker has to know of the task beside its value. Returns the flags for that.
  #flags (slot, task) {
    const { keys, words } = this.#native
    let flags = 0
    if (task.isSteered) {
      words.begin(slot, this.#progress.begin(task), task.terms.timeout)
      flags |= steeringOf(task.terms)
    }
    if (task.key !== undefined) {
      keys.write(slot, task.key)
      flags |= kKeyed
    }
    return flags
  }

  // For a task whose worker was ended while the value was sent: a getter of the value has called
  // the pool. True: the task was rejected. False: it can be sent to another worker.
  #wasLost (task) {
    task.posted = null
    if (task.transferList === undefined) {
      // Otherwise it was transferred with the message.
      if (task.packed !== null && !task.canPostAgain) task.packed = undefined
      return false
    }
    this.#settler.rejectWaiting(task, createTerminated())
    return true
  }

  #recordHandOver (task, slot, worker) {
    task.slot = slot
    task.worker = worker
    this.#deadlines.leave(task)
    this.#slots.setTask(slot, task)
    this.#state.begin()
    this.#state.assign(task, worker)
  }

  // ---- the queue ----

  // Puts a task that could not be handed over into the queue. Throws what the queue throws.
  enqueue (task) {
    this.#waiting.push(task)
    if (!task.isSettled) this.#deadlines.enter(task)
    this.#state.updateWaiting()
    this.#growForWaiting(false)
  }

  // Hands waiting tasks over, as long as there is room for them. User code that this calls may call
  // runSync(), for whose task it has to be called again.
  flush () {
    if ((this.#isFlushing && this.#state.blocked === 0) || this.#waiting.size === 0) return
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
