'use strict'

// In a worker: runs the tasks that may be interrupted. Loaded with the first of them.
//
// An interrupt unwinds all JavaScript of the thread up to its event loop. No `catch` and no
// `finally` runs, not even those of telar and of Node. So the owner may send one only while the
// code of the task runs in a window (sched_interrupt.c): its function, and if the worker has no
// other task, the ticks and microtasks that this leaves. Such a task is not called by the pump, but
// by the event loop itself, where the native library sees that it was interrupted. Everything that
// telar does for the task, such as encoding its result, is outside the window.
//
// What hits a microtask ends all microtasks, and nothing more. What hits the function of a task
// leaves its ticks and microtasks. They run in a window too, so that they can be interrupted.
//
// A task that waits for something runs no JavaScript: when it is stopped, it is dropped. What runs
// later of it (timers, callbacks of sockets) cannot be interrupted: Node would end the process.

const { Array, Atomics, Int32Array, Map, Object, Promise, Reflect, SharedArrayBuffer, process } =
  require('../base/globals')
const native = require('../base/native')
const { kError } = require('../transport/slot-memory')

const { kWindowMarked, kWindowSpent } = native.poolConstants

const { apply } = Reflect
const promiseThen = Promise.prototype.then

// A task: that waits to be called, that is called, or that has returned a promise.
class Run {
  slot
  found // its TaskFunction
  value
  form
  isOver = false // its slot has been given back, or is about to be

  constructor (slot, found, value, form) {
    this.slot = slot
    this.found = found
    this.value = value
    this.form = form
  }
}

class Interrupts {
  #runs = new Map() // by slot: all tasks that are not over
  #deferred = new Array(0) // those that wait to be called
  #current = null // the one that is in the window
  #next = null // what to do when the window is closed
  #results = new Array(0) // what promises gave while a window was open
  #core
  #hooks
  #pause = new Int32Array(new SharedArrayBuffer(4))

  // The hooks are functions of main.js.
  constructor (core, hooks) {
    this.#core = core
    this.#hooks = hooks
  }

  get hasTasks () { return this.#runs.size > 0 }

  // The slot of the task whose code runs, or undefined.
  get slot () { return this.#current?.slot }

  // Takes a task over. It is called in a turn of the event loop of its own. Returns false, as all
  // functions that complete a task later.
  begin (slot, found, value, form) {
    const run = new Run(slot, found, value, form)
    this.#runs.set(slot, run)
    if (found.loaded === undefined) this.#load(run)
    else this.#defer(run)
    return false
  }

  async #load (run) {
    try {
      await run.found.load()
    } catch (error) {
      return this.#finish(run, error, kError)
    }
    if (!run.isOver) this.#defer(run)
  }

  #defer (run) {
    this.#deferred.push(run)
    this.#core.defer()
  }

  // Called from the event loop, where nothing else is on the stack. `wasHit`: what ran was
  // interrupted. Returns whether it has to be called again.
  step (wasHit) {
    if (wasHit) this.#recover()
    else if (this.#current === null) this.#begin()
    else this.#leave()
    return this.#current !== null
  }

  #begin () {
    const run = this.#deferred.shift()
    if (this.#deferred.length > 0) this.#core.defer()
    if (run === undefined || run.isOver) return
    this.#hooks.setPumping(true)
    this.#hooks.settleTicks() // what other tasks have left must not be hit
    if (this.#open(run)) this.#call(run)
    else this.#hooks.setPumping(false)
  }

  #call (run) {
    const { call, promiseOf } = this.#hooks
    const { slot, found, value, form } = run
    let result
    let promise = null
    let flags = 0
    try {
      result = call(slot, found, value, form)
      promise = promiseOf(result)
    } catch (error) {
      result = error
      flags = kError
    }
    this.#next = () => {
      if (promise === null) this.#finish(run, result, flags)
      else this.#await(run, promise)
      this.#settleTicks(run)
    }
    this.#leave()
  }

  // Runs what the function of a task has left, also if the task was stopped. Of the microtasks of
  // other tasks, an interrupt would take those away that have not run. So if there are other tasks,
  // this is left to the pump.
  #settleTicks (run) {
    if (!this.#core.isAlone()) return
    this.#core.reopenWindow(run.slot)
    this.#current = run
    this.#hooks.settleTicks()
    this.#next = () => this.#finishAll()
    this.#leave()
  }

  #await (run, promise) {
    apply(promiseThen, promise, [
      (value) => this.#finish(run, value, 0), (error) => this.#finish(run, error, kError)
    ])
  }

  #finish (run, value, flags) {
    if (run.isOver) return // it was stopped, and the slot may belong to another task
    if (this.#current !== null) {
      this.#results.push({ run, value, flags })
      return
    }
    run.isOver = true
    this.#runs.delete(run.slot)
    this.#hooks.finishLater(run.slot, value, flags)
  }

  #finishAll () {
    for (const { run, value, flags } of this.#results.splice(0)) this.#finish(run, value, flags)
  }

  // ---- the window ----

  // False: the task was stopped, and is over.
  #open (run) {
    if (this.#core.openWindow(run.slot)) {
      this.#current = run
      return true
    }
    this.#finish(run, undefined, 0)
    return false
  }

  // Closes the window, and goes on. If the owner has sent an interrupt, it is to come now. This
  // waits for a moment only: an interrupt that was spent on microtasks is answered when all
  // JavaScript has returned to the event loop (on Node 20; later, at once).
  #leave () {
    const run = this.#current
    const window = this.#core.closeWindow(run.slot)
    if (window === kWindowMarked) {
      Atomics.wait(this.#pause, 0, 0, 1)
      return
    }
    this.#current = null
    if (window === kWindowSpent) {
      clearAsyncIds(this.#core)
      this.#finish(run, undefined, 0)
    }
    this.#next()
    if (this.#current === null) this.#hooks.setPumping(false)
  }

  #recover () {
    const run = this.#current
    this.#current = null
    this.#core.windowWasHit()
    clearAsyncIds(this.#core)
    if (run !== null) this.#finish(run, undefined, 0)
    this.#finishAll()
    if (run !== null) this.#settleTicks(run)
    if (this.#current === null) this.#hooks.setPumping(false)
  }

  // Drops the tasks that were stopped and run no JavaScript. To be called from the event loop.
  dropStopped () {
    for (const run of this.#runs.values()) {
      if (this.#core.isStopped(run.slot)) this.#finish(run, undefined, 0)
    }
  }
}

// Node has a stack of the ids of async contexts. What was interrupted has left its ids there, and
// Node would end the process for it. Node clears that stack after an uncaught exception that was
// handled, and there is no other way. So it gets one here, of which nobody hears.
function clearAsyncIds (core) {
  const own = Object.getOwnPropertyDescriptor(process, 'emit')
  Object.defineProperty(process, 'emit', {
    __proto__: null, configurable: true, writable: true, value: () => true
  })
  try {
    core.fatal(undefined)
  } finally {
    if (own === undefined) Reflect.deleteProperty(process, 'emit')
    else Object.defineProperty(process, 'emit', own)
  }
}

function openInterrupts (core, hooks) {
  const interrupts = new Interrupts(core, hooks)
  core.setRunDeferred((wasHit) => interrupts.step(wasHit))
  return interrupts
}

module.exports = { openInterrupts }
