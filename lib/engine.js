'use strict'

// The owner's side of a pool: takes tasks, hands them to the scheduler, settles
// them, and keeps as many threads as the tasks need. Pool and the Piscina face
// are its public shapes.
//
// A task's way: `run` puts it straight into the scheduler if it can (nearly
// always). Otherwise it becomes a Task, and waits in the task queue until there
// is a slot, a place or a worker for it.

const { performance } = require('node:perf_hooks')
const native = require('./native')
const { Crew } = require('./crew')
const { AbortError, createError, createTerminated, recognise } = require('./errors')
const { HistogramView } = require('./histogram')
const { kMovable } = require('./move')
const { normalizeCloseOptions, normalizeRunOptions, poolLimits, timerDelay } = require('./options')
const { pack, unpack } = require('./packet')
const { isUsed } = require('./shared')
const { SlotMemory, kError, kForm, kFormMask, kSlotBytes } = require('./slot')
const { Task, createTaskResource } = require('./task')
const { WaitingTasks } = require('./waiting')

// Tasks that the scheduler holds at once; more wait in the task queue.
const kSlots = 4096
const kBatch = 1024
// With at most this many tasks under way the owner looks for results before it
// lets its event loop sleep; with more, the loop has enough to do by itself.
const kPollTasks = 48
const kPollNs = 4000
// After so many looks in a row the event loop gets a turn; a look that brought
// many results counts for several.
const kPollsInARow = 250

// A load balancer that has no worker for a task, while none is busy, is asked
// again after so long, and twice as long each time.
const kAskAgainFirstMs = 1
const kAskAgainMostMs = 50
// Threads that end while they start, without an error, until the pool gives up.
const kBootsInVain = 3

const kLane = Object.freeze({ shared: 0, exclusive: 1, forced: 2 })
const kNone = -1
// What the scheduler says of a task to be cancelled; else the worker that runs it.
const kCancel = Object.freeze({ finished: -1, queued: -2 })

// In place of a task that was settled while its slot is still out.
const kAbandoned = Symbol('telar.abandoned')

const resolved = Promise.resolve()
let capturedResolve
// One function for all promises: an executor for each would be one more
// allocation for each task.
function capture (resolve) {
  capturedResolve = resolve
}

class Engine {
  options
  completed = 0
  needsDrain = false
  #host // the EventEmitter that users see
  #strict
  #resourceType
  #limits
  #maxCapacity
  #start = performance.now()

  #core = null // the native pool; there is one while there are threads
  #memory = null
  #buffer = null
  #batch = new Uint32Array(kBatch)
  #histograms = null

  #crew
  #bootFailure = null
  #bootsInVain = 0 // in a row

  // By slot: how to settle its promise (with a rejected one, to reject it: one
  // function to keep instead of two), or its Task.
  #resolves = new Array(kSlots).fill(undefined)
  #tasks = new Array(kSlots).fill(undefined)
  #free = new Int32Array(kSlots)
  #freeTop = 0

  #waiting // the task queue
  #active = 0 // tasks handed over and not settled
  #extraPlaces = 0 // that tasks with a worker to themselves take beyond one each
  #fastLimit = 0 // with fewer tasks than this, another needs neither thread nor queue
  #isDirect // tasks may go to the scheduler before a worker is free
  #isFast // and need no Task object
  #handlers = new Map()
  #askTimer = null // asks the load balancer again
  #askDelay = kAskAgainFirstMs
  #lastMessage = 0

  #isPolling = false
  #isAttended = true // a look is due, or the bell will ring for the next result
  #polls = 0
  #pollBound = () => this.#poll()
  #emitDrainBound = () => this.#emitDrain()
  #isFlushing = false
  #isHeld = false // tasks wait in JavaScript; none may overtake them

  #isClosing = false
  #isDestroying = false
  #whenQuiet = []

  constructor (host, options, { strict, resourceType, hasOwnQueue }) {
    this.#host = host
    this.#strict = strict
    this.#resourceType = resourceType
    this.options = options
    this.#limits = poolLimits(options)
    this.#maxCapacity = this.#limits.maxThreads * this.#limits.concurrentTasksPerWorker
    this.#waiting = new WaitingTasks(options.taskQueue)
    // A queue or a balancer of the user's decides when a worker is free, not before.
    this.#isDirect = options.loadBalancer === undefined && !hasOwnQueue
    this.#isFast = this.#isDirect && !options.asyncHooks && options.filename !== null
    if (options.filename !== null) this.#handlerNumber(options.filename, options.name, true)

    this.#crew = new Crew(options, this.#limits, {
      onMessage: (message) => host.emit('message', message),
      onReady: (view) => host.emit('workerCreate', view),
      onGone: (view) => host.emit('workerDestroy', view),
      onExit: (thread, exitCode) => this.#onExit(thread, exitCode),
      onChange: () => this.#updateLimit(),
      histogramOf: (index) => this.#histograms.ofWorker(index)
    })
    this.#ensureThreads()
    const first = this.#crew.takeAsReady()
    queueMicrotask(() => { // so that listeners can be added before
      for (const thread of first) {
        this.#crew.announce(thread)
        this.#flush()
      }
    })
  }

  // ---- taking tasks ----

  run (value, options) {
    if (
      options === undefined && this.#isFast && !this.#isHeld && this.#active < this.#fastLimit && this.#freeTop > 0 &&
      !(typeof value === 'object' && value !== null && mayBeMoved(value))
    ) {
      const promise = this.#runFast(value, 0)
      if (promise !== undefined) return promise
    }
    return this.#runTask(value, options)
  }

  // The shortest way. Undefined: the value has to go another.
  #runFast (value, handler) {
    const slot = this.#free[--this.#freeTop]
    try {
      if (!this.#memory.write(slot, value, 0, handler)) {
        this.#free[this.#freeTop++] = slot
        return undefined
      }
    } catch (error) { // thrown by a getter of the value
      this.#free[this.#freeTop++] = slot
      return Promise.reject(error)
    }
    const promise = new Promise(capture)
    this.#resolves[slot] = capturedResolve
    if (++this.#active === this.#maxCapacity) this.#becomeFull()
    this.#handOver(slot)
    return promise
  }

  #handOver (slot) {
    if (this.#isPolling) {
      this.#core.submit(slot)
    } else if (this.#mayPoll()) {
      this.#pollSoon()
      this.#core.submitAwake(slot)
    } else {
      this.#core.submit(slot)
      this.#attend()
    }
  }

  #mayPoll () {
    return this.#active <= kPollTasks && this.#polls < kPollsInARow
  }

  // Looks for results before the event loop gets its turn.
  #pollSoon () {
    this.#isPolling = this.#isAttended = true
    resolved.then(this.#pollBound)
  }

  // After a look of ours the bell stays silent until its callback has run.
  #attend () {
    if (this.#isAttended) return
    this.#isAttended = true
    this.#core.ring()
  }

  #runTask (value, options) {
    if (options === undefined) options = {}
    const given = normalizeRunOptions(options, { strict: this.#strict })
    if (given.error !== null) return Promise.reject(given.error)
    if (this.#isClosing || this.#isDestroying) return Promise.reject(new AbortError('queue is being terminated'))
    given.filename ??= this.options.filename
    given.name ??= this.options.name
    if (given.filename === null) return Promise.reject(createError('ERR_TELAR_FILENAME_MISSING'))
    if (given.signal?.aborted) return Promise.reject(new AbortError(given.signal.reason))

    const handler = this.#handlerNumber(given.filename, given.name, false)
    const resource = this.options.asyncHooks
      ? createTaskResource(this.#resourceType, this.#host.asyncResource?.asyncId())
      : undefined
    let task
    try {
      task = new Task(value, given, handler, resource)
    } catch (error) { // thrown by a getter of a transferable
      return Promise.reject(error)
    }
    if (given.signal !== null) task.onAbort(() => this.#abort(task))
    try {
      this.#admit(task)
    } catch (error) { // thrown by the user's queue, or by a thread that cannot start
      this.#settleWaiting(task, error)
    }
    return task.promise
  }

  #admit (task) {
    // Before the task is handed over, so that it finds its thread.
    if (this.#demand() + 1 > this.#capacity()) this.#spawnOne()
    if (this.queueSize >= this.#limits.maxQueue && this.#demand() + this.#placesOf(task) > this.#capacity()) {
      task.settle(true, createError(this.#limits.maxQueue === 0 ? 'ERR_TELAR_NO_QUEUE' : 'ERR_TELAR_QUEUE_FULL'))
      return
    }
    if (this.#waiting.size > 0 || !this.#dispatch(task)) {
      this.#waiting.push(task)
      this.#hold()
      this.#callForHelp()
    }
    if (!this.needsDrain && this.#demand() >= this.#maxCapacity) this.#becomeFull()
  }

  #placesOf (task) {
    return this.#isExclusive(task) ? this.#limits.concurrentTasksPerWorker : 1
  }

  #isExclusive (task) {
    return task.isAbortable && this.#limits.concurrentTasksPerWorker > 1 && this.options.loadBalancer === undefined
  }

  // Numbers are told to the workers by port, before any task that uses them.
  #handlerNumber (filename, name, isOwn) {
    const key = `${name}\0${filename}`
    let number = this.#handlers.get(key)
    if (number === undefined) {
      number = isOwn ? 0 : Math.max(1, this.#handlers.size + 1)
      this.#handlers.set(key, number)
      this.#crew?.broadcast({ handler: number, filename, name })
    }
    return number
  }

  #handlerList () {
    return Array.from(this.#handlers, ([key, handler]) => {
      const end = key.indexOf('\0')
      return { handler, name: key.slice(0, end), filename: key.slice(end + 1) }
    })
  }

  // ---- handing tasks over ----

  // False: it has to wait. A task that failed at it is settled, which is true.
  #dispatch (task) {
    if (this.#crew.size === 0 || this.#freeTop === 0) return false
    if (this.options.loadBalancer !== undefined) return this.#dispatchBalanced(task)
    const isExclusive = this.#isExclusive(task)
    if (!isExclusive && task.transferList === undefined) {
      if (!this.#isDirect && this.#demandHanded() >= this.#capacity()) return false
      const slot = this.#free[--this.#freeTop]
      const isWritten = this.#write(slot, task)
      if (isWritten === undefined) return true
      if (isWritten) {
        this.#took(task, slot, null)
        const mayPoll = !this.#isPolling && this.#mayPoll()
        if (mayPoll) this.#pollSoon()
        this.#core.submitTask(slot, task.waited, mayPoll)
        this.#attend()
        return true
      }
      this.#free[this.#freeTop++] = slot
      // From now on it is a task that goes by port.
    }
    const thread = this.#findThread(isExclusive)
    return thread !== null && this.#assign(task, thread, isExclusive ? kLane.exclusive : kLane.forced)
  }

  #dispatchBalanced (task) {
    const candidates = this.#crew.threads.filter((thread) => thread.isReady).map((thread) => this.#crew.view(thread))
    let chosen
    try {
      chosen = this.options.loadBalancer(task.interface, candidates)
    } catch (error) {
      this.#settleWaiting(task, error)
      return true
    }
    const thread = this.#crew.ofView(chosen)
    return thread !== null && this.#assign(task, thread, kLane.forced)
  }

  // A thread with a free place (all places free for an exclusive task), the
  // least busy first. Tasks in the ready queue are older: they go first.
  #findThread (isExclusive) {
    if (this.#core.readyLength(true) > 0) return null
    let found = null
    let leastUsage = isExclusive ? 1 : this.#limits.concurrentTasksPerWorker
    for (const thread of this.#crew.threads) {
      const usage = this.#core.workerUsage(thread.index)
      if (usage < leastUsage) {
        found = thread
        leastUsage = usage
      }
    }
    return found
  }

  // Gives a task to one thread.
  #assign (task, thread, lane) {
    const slot = this.#free[--this.#freeTop]
    const isWritten = task.transferList === undefined ? this.#write(slot, task) : false
    if (isWritten === undefined) return true
    if (!isWritten) {
      const message = this.#lastMessage = (this.#lastMessage + 1) | 0
      try {
        const [content, transferList] = pack(task.task, task.transferList === undefined && this.#memory.isFull, task.transferList)
        thread.post({ message, ...content }, transferList)
      } catch (error) { // DataCloneError
        this.#free[this.#freeTop++] = slot
        task.settle(true, error)
        this.completed++
        return true
      }
      this.#memory.writePort(slot, kForm.portRequest, 0, task.handler, message)
    }
    if (!this.#core.submitTo(slot, thread.index, lane, task.waited)) {
      // Posted values are on their way and cannot be taken back.
      if (isWritten || !this.#core.submitTo(slot, thread.index, kLane.forced, task.waited)) {
        this.#free[this.#freeTop++] = slot
        return false
      }
    }
    this.#attend()
    this.#took(task, slot, thread)
    this.#askDelay = kAskAgainFirstMs
    return true
  }

  // Undefined: a getter of the value threw, and the task is settled.
  #write (slot, task) {
    try {
      return this.#memory.write(slot, task.task, 0, task.handler)
    } catch (error) {
      this.#free[this.#freeTop++] = slot
      task.settle(true, error)
      this.completed++
      return undefined
    }
  }

  #took (task, slot, thread) {
    task.slot = slot
    task.thread = thread
    this.#tasks[slot] = task
    if (++this.#active === this.#maxCapacity) this.#becomeFull()
    if (thread !== null) {
      thread.assigned.add(task)
      if (this.#isExclusive(task)) {
        this.#extraPlaces += this.#limits.concurrentTasksPerWorker - 1
        this.#updateLimit()
      }
    }
  }

  // The waiting tasks, as far as there is room for them.
  #flush () {
    if (this.#isFlushing || this.#waiting.size === 0) return
    this.#isFlushing = true
    try {
      while (this.#waiting.size > 0 && this.#hasRoom()) {
        const task = this.#waiting.take()
        if (task === null) break
        if (task.isSettled) continue
        if (!this.#dispatch(task)) {
          this.#waiting.putBack(task)
          break
        }
      }
    } finally {
      this.#isFlushing = false
    }
    this.#hold()
    if (this.#waiting.size > 0) this.#callForHelp()
  }

  // Whether it makes sense to take a task out of the queue. A balancer decides
  // for itself.
  #hasRoom () {
    return this.#freeTop > 0 && this.#crew.size > 0 &&
      (this.#isDirect || this.options.loadBalancer !== undefined || this.#demandHanded() < this.#capacity())
  }

  // Tasks wait: more threads may help. Nobody but a timer asks a balancer again
  // that has work for no worker while no task is under way.
  #callForHelp () {
    this.#spawnForDemand()
    if (this.options.loadBalancer === undefined) return
    this.#spawnOne()
    if (this.#active > 0 || this.#askTimer !== null) return
    this.#askTimer = setTimeout(() => {
      this.#askTimer = null
      this.#askDelay = Math.min(2 * this.#askDelay, kAskAgainMostMs)
      this.#flush()
    }, this.#askDelay)
  }

  // The process lives on while tasks wait in JavaScript.
  #hold () {
    const isHeld = this.#waiting.size > 0
    if (isHeld === this.#isHeld || this.#core === null) return
    this.#isHeld = isHeld
    this.#core.hold(isHeld)
  }

  // ---- results ----

  #poll () {
    this.#isPolling = false
    if (this.#core === null) return
    const count = this.#core.poll(kPollNs)
    this.#polls += 1 + (count >> 2)
    if (count === 0) return // the bell rings for the next one
    this.#isAttended = false
    this.#settle(count)
    this.#afterSettling()
    if (this.#core === null || this.#active === 0 || this.#isPolling) return
    if (this.#mayPoll()) this.#pollSoon()
    else this.#attend()
  }

  // From the event loop. 0: something about a worker may have changed.
  #onDone (count) {
    this.#polls = 0
    this.#isAttended = true
    if (count > 0) this.#settle(count)
    if (this.#crew.isBooting && this.#crew.lookForReady()) {
      this.#bootsInVain = 0
      this.#flush()
    }
    // A balancer is asked again when a task has ended or a worker has come.
    if (count > 0 || this.options.loadBalancer === undefined) this.#afterSettling()
  }

  #settle (count) {
    const batch = this.#batch
    const memory = this.#memory
    for (let i = 0; i < count; i++) {
      const slot = batch[i]
      if (this.#tasks[slot] !== undefined) {
        this.#settleTask(slot, this.#tasks[slot])
        continue
      }
      const resolve = this.#resolves[slot]
      this.#resolves[slot] = undefined
      const form = memory.form(slot)
      let value
      let isError = (form & kError) !== 0
      try {
        value = form === kForm.number ? memory.read(slot) : this.#receive(slot, form)
      } catch (error) {
        value = error
        isError = true
      }
      this.#free[this.#freeTop++] = slot
      resolve(isError ? Promise.reject(recognise(value)) : value)
      this.#active--
      this.completed++
    }
  }

  #settleTask (slot, task) {
    this.#tasks[slot] = undefined
    const form = this.#memory.form(slot)
    let value
    let isError = (form & kError) !== 0
    try {
      value = this.#receive(slot, form)
    } catch (error) {
      value = error
      isError = true
    }
    this.#free[this.#freeTop++] = slot
    if (task !== kAbandoned) this.#finish(task, isError, isError ? recognise(value) : value)
  }

  #receive (slot, form) {
    switch (form & kFormMask) {
      case kForm.portResult:
        return unpack(this.#crew.at(this.#memory.who(slot)).receive(this.#memory.message(slot)))
      case kForm.portRequest: // cancelled before a worker took it
        return undefined
      default: {
        const value = this.#memory.read(slot)
        if (this.#memory.isBlockLarge(slot)) this.#core.release(slot)
        return value
      }
    }
  }

  // Settles a task that was handed over.
  #finish (task, isError, value) {
    const { thread } = task
    if (!task.settle(isError, value)) return
    this.completed++
    this.#active--
    if (thread !== null) {
      thread.assigned.delete(task)
      if (this.#isExclusive(task)) {
        this.#extraPlaces -= this.#limits.concurrentTasksPerWorker - 1
        this.#updateLimit()
      }
    }
  }

  #afterSettling () {
    if (this.#waiting.size > 0) this.#flush()
    if (this.needsDrain && this.#demand() < this.#maxCapacity) this.#becomeDrained()
    this.#crew.watchIdle()
    if (this.#whenQuiet.length > 0) this.#checkQuiet()
  }

  #becomeFull () {
    if (this.needsDrain) return
    this.needsDrain = true
    if (this.#host.listenerCount('needsDrain') > 0) queueMicrotask(() => this.#host.emit('needsDrain'))
  }

  // In a promise's microtask: queueMicrotask() costs as much as three tasks. What
  // a listener throws is an uncaught exception all the same.
  #emitDrain () {
    try {
      this.#host.emit('drain')
    } catch (error) {
      process.nextTick(() => { throw error })
    }
  }

  #becomeDrained () {
    this.needsDrain = false
    resolved.then(this.#emitDrainBound)
  }

  // ---- abort ----

  #abort (task) {
    if (task.isSettled) return
    const error = new AbortError(task.signal.reason)
    if (task.slot < 0) {
      task.settle(true, error)
      this.#waiting.remove(task)
      this.completed++
      this.#hold()
      this.#afterSettling()
      return
    }
    // For Piscina a task runs as soon as a worker has been chosen for it.
    const assignedTo = this.#strict ? null : task.thread
    this.#tasks[task.slot] = kAbandoned
    const answer = this.#core.cancel(task.slot, assignedTo === null ? kNone : assignedTo.index)
    this.#finish(task, true, error)
    const thread = answer >= 0 ? this.#crew.at(answer) : assignedTo
    if (thread !== null && answer !== kCancel.finished) {
      this.#crew.destroy(thread)
      this.#ensureThreads()
    }
    this.#afterSettling()
  }

  // ---- threads ----

  #capacity () {
    return this.#crew.size * this.#limits.concurrentTasksPerWorker
  }

  // Places that are wanted: by tasks handed over, and by all tasks.
  #demandHanded () {
    return this.#active + this.#extraPlaces
  }

  #demand () {
    return this.#demandHanded() + this.#waiting.size
  }

  #updateLimit () {
    const isGrown = this.#crew.size >= this.#limits.maxThreads
    this.#fastLimit = this.#isClosing || this.#isDestroying || this.#crew.size === 0
      ? 0
      : this.#capacity() - this.#extraPlaces + (isGrown ? this.#limits.maxQueue : 0)
  }

  #ensureThreads () {
    if (this.#isDestroying || this.#bootFailure !== null) return
    while (this.#crew.size < this.#limits.minThreads) {
      if (!this.#spawnOne()) return
    }
    this.#spawnForDemand()
  }

  #spawnForDemand () {
    while (!this.#isDestroying && this.#bootFailure === null && this.#demand() > this.#capacity()) {
      if (!this.#spawnOne()) return
    }
  }

  // False: there are as many as there may be.
  #spawnOne () {
    if (this.#crew.isFull || this.#isDestroying) return false
    try {
      return this.#crew.start(() => this.#startup())
    } catch (error) {
      if (this.#crew.isGone) this.#shut()
      throw error
    }
  }

  #startup () {
    if (this.#core === null) this.#open()
    return {
      pool: this.#core.id,
      buffer: this.#buffer,
      slots: kSlots,
      niceIncrement: this.options.niceIncrement,
      handlers: this.#handlerList(),
      isStripped: isUsed() // workerData is a clone
    }
  }

  #onExit (thread, exitCode) {
    const wasDestroyed = thread.isDestroyed
    // What it had finished counts.
    for (let count; (count = this.#core.poll(0)) > 0;) this.#settle(count)
    this.#isAttended = true
    const hasStarted = this.#core.workerReady(thread.index)
    const left = this.#retire(thread)
    this.#crew.forget(thread)

    let error = thread.error
    if (error === null) {
      error = wasDestroyed ? createTerminated() : createError('ERR_TELAR_WORKER_EXITED', exitCode)
    }
    if (!wasDestroyed) {
      this.#bootFailure = hasStarted || this.#mayBootAgain(thread) ? null : error
      this.#ensureThreads()
    }
    const hadTasks = this.#settleLeft(left, error, hasStarted)
    if (this.#bootFailure !== null) {
      this.#failBoot(hadTasks)
    } else if (!wasDestroyed && thread.error !== null && !hadTasks) {
      this.#host.emit('error', error)
    }
    this.#afterSettling()
  }

  #retire (thread) {
    const left = []
    for (;;) {
      const { count, claimed } = this.#core.retireWorker(thread.index)
      for (let i = 0; i < count; i++) left.push({ slot: this.#batch[i], isClaimed: i < claimed })
      if (count < kBatch) return left
    }
  }

  // The tasks of a thread that has ended. Those that it had not begun go to
  // another, if their values are still here.
  #settleLeft (left, error, mayMove) {
    let hadTasks = false
    for (const { slot, isClaimed } of left) {
      const task = this.#tasks[slot]
      if (task === kAbandoned) {
        this.#giveUp(slot)
        continue
      }
      if (
        mayMove && !isClaimed && task !== undefined && this.options.loadBalancer === undefined &&
        !this.#isExclusive(task) && (this.#memory.form(slot) & kFormMask) !== kForm.portRequest
      ) {
        task.thread?.assigned.delete(task)
        task.thread = null
        this.#submitAgain(slot)
        continue
      }
      hadTasks = true
      this.#rejectSlot(slot, error)
      this.#free[this.#freeTop++] = slot
    }
    return hadTasks
  }

  // A slot that came back unclaimed, its value still in place.
  #submitAgain (slot) {
    const task = this.#tasks[slot]
    if (task === undefined) this.#core.submit(slot)
    else this.#core.submitTask(slot, task.waited, false)
    this.#attend()
  }

  // Of a task that was settled while its slot was out.
  #giveUp (slot) {
    this.#tasks[slot] = undefined
    this.#free[this.#freeTop++] = slot
  }

  // Settles the promise of a slot, whose memory may still be in use.
  #rejectSlot (slot, error) {
    const task = this.#tasks[slot]
    this.#tasks[slot] = undefined
    if (task === undefined) {
      const resolve = this.#resolves[slot]
      this.#resolves[slot] = undefined
      this.#active--
      this.completed++
      resolve(Promise.reject(error))
    } else if (task !== kAbandoned) {
      this.#finish(task, true, error)
    }
  }

  // A thread that was ended from outside while it started, in a pool whose
  // threads do start, says little of the next one.
  #mayBootAgain (thread) {
    return thread.error === null && this.completed > 0 && ++this.#bootsInVain <= kBootsInVain
  }

  // A worker ended before it could take tasks, and so would the next. The pool
  // tries again when it is asked to run something.
  #failBoot (hadTasks) {
    const error = this.#bootFailure
    let isTold = hadTasks
    if (this.#crew.size === 0) {
      isTold = this.#rejectUnclaimed(error) || isTold
      this.#bootFailure = null
    }
    if (!isTold) this.#host.emit('error', error)
  }

  // Rejects what no worker has begun. False: there was nothing.
  #rejectUnclaimed (error) {
    let had = false
    while (this.#waiting.size > 0) {
      had = true
      this.#settleWaiting(this.#waiting.take(), error)
    }
    this.#hold()
    for (let count; this.#core !== null && (count = this.#core.withdraw()) > 0;) {
      for (const slot of this.#batch.slice(0, count)) {
        had = had || this.#tasks[slot] !== kAbandoned
        this.#rejectSlot(slot, error)
        this.#free[this.#freeTop++] = slot
      }
    }
    return had
  }

  #settleWaiting (task, error) {
    if (task.settle(true, error)) this.completed++
  }

  // ---- the native pool ----

  #open () {
    const slotBytes = kSlots * kSlotBytes
    const bytes = slotBytes + this.options.sharedMemory
    // Growable only to be aligned to a page, and reserved without being
    // touched: memory is committed where values are written.
    this.#buffer = new SharedArrayBuffer(bytes, { maxByteLength: bytes })
    this.#core = native.createPool(
      (count) => this.#onDone(count),
      this.#batch,
      kSlots,
      this.#limits.places,
      this.#limits.concurrentTasksPerWorker,
      this.options.recordTiming || this.options.workerHistogram,
      slotBytes,
      this.options.sharedMemory
    )
    this.#crew.core = this.#core
    this.#memory = new SlotMemory(this.#buffer, kSlots, this.#core.allocate)
    this.#histograms ??= new HistogramView(null, this.options.recordTiming)
    this.#histograms.attach(this.#core)
    for (let slot = 0; slot < kSlots; slot++) this.#free[slot] = kSlots - 1 - slot
    this.#freeTop = kSlots
    this.#isHeld = false
    this.#isAttended = false
  }

  #shut () {
    const core = this.#core
    if (core === null) return
    this.#histograms.keep()
    this.#core = null
    this.#memory = null
    this.#buffer = null
    this.#crew.shut()
    clearTimeout(this.#askTimer)
    this.#askTimer = null
    core.close()
  }

  // ---- the end ----

  async destroy () {
    this.#isDestroying = true
    this.#updateLimit()
    const error = createTerminated()
    this.#rejectUnclaimed(error)
    for (let slot = 0; slot < kSlots; slot++) {
      if (this.#tasks[slot] === undefined && this.#resolves[slot] === undefined) continue
      this.#rejectSlot(slot, createTerminated())
      this.#tasks[slot] = kAbandoned // until its thread has ended
    }
    await this.#crew.destroyAll()
    this.#shut()
    this.#tasks.fill(undefined)
    this.#bootFailure = null
    this.#isDestroying = false
    this.#updateLimit()
    if (this.#whenQuiet.length > 0) this.#checkQuiet()
  }

  async close (options) {
    const { error, force } = normalizeCloseOptions(options, { strict: this.#strict })
    if (error !== null) throw error
    this.#isClosing = true
    this.#updateLimit()
    if (force) this.#abortQueued()
    const isQuiet = await this.#quiet(timerDelay(this.options.closeTimeout))
    try {
      if (!isQuiet) this.#host.emit('error', createError('ERR_TELAR_CLOSE_TIMEOUT'))
    } finally {
      await this.#end()
    }
  }

  async #end () {
    try {
      await this.destroy()
    } finally {
      this.#isClosing = false
      this.#updateLimit()
      this.#host.emit('close')
    }
  }

  // Aborts what no worker has a place for.
  #abortQueued () {
    const error = () => new AbortError('pool is closed')
    while (this.#waiting.size > 0) this.#settleWaiting(this.#waiting.take(), error())
    this.#hold()
    const excess = this.#demandHanded() - this.#capacity()
    if (excess <= 0 || this.#core === null) return
    const slots = []
    for (let count; (count = this.#core.withdraw()) > 0;) {
      for (const slot of this.#batch.slice(0, count)) {
        if (this.#tasks[slot] === kAbandoned) this.#giveUp(slot)
        else slots.push(slot)
      }
    }
    const keep = Math.max(0, slots.length - excess)
    for (const slot of slots.slice(0, keep)) this.#submitAgain(slot)
    for (const slot of slots.slice(keep)) {
      this.#rejectSlot(slot, error())
      this.#free[this.#freeTop++] = slot
    }
  }

  // Resolves when every task is settled: true; or after the timeout: false.
  #quiet (timeout) {
    if (this.#demand() === 0) return Promise.resolve(true)
    return new Promise((resolve) => {
      const timer = timeout === null ? null : setTimeout(() => resolve(false), timeout).unref()
      this.#whenQuiet.push(() => {
        clearTimeout(timer)
        resolve(true)
      })
    })
  }

  #checkQuiet () {
    if (this.#demand() > 0) return
    for (const resolve of this.#whenQuiet.splice(0)) resolve()
  }

  // ---- figures ----

  get limits () { return this.#limits }

  get threads () { return this.#crew.threads.map((thread) => thread.worker) }

  get idleThreads () {
    const ready = this.#crew.threads.filter((thread) => thread.isReady).length
    return Math.max(0, ready - this.#active)
  }

  get queueSize () {
    return this.#waiting.size + Math.max(0, this.#demandHanded() - this.#capacity())
  }

  get duration () { return performance.now() - this.#start }

  get histogram () {
    this.#histograms ??= new HistogramView(null, this.options.recordTiming)
    return this.#histograms
  }

  // Share of the time that the threads could have worked, and did.
  get utilization () {
    const worked = this.histogram.totalRunTime
    return worked === 0 ? 0 : Math.min(1, worked / (this.duration * this.#limits.maxThreads))
  }
}

// A getter or a proxy may throw: the longer way deals with it.
function mayBeMoved (value) {
  try {
    return value[kMovable] === true
  } catch {
    return true
  }
}

module.exports = { Engine }
