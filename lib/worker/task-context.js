'use strict'

// In a worker: what a task knows of itself. A function with two parameters gets a TaskContext as
// the second one, and currentTask() returns it. This file is loaded with the first task that needs
// it.

const { AbortController, Map, Set } = require('../base/globals')
const { now } = require('../base/time')
const { sendNote, valueOf } = require('../transport/note')
const { kKeyed, kSteered } = require('../transport/slot-memory')
const { TaskKeys } = require('../transport/task-keys')
const { TaskWords } = require('../transport/task-words')

// Set by TaskContext: tasks see its objects, and these are not for tasks.
let close, fire, isTold, keepNote

class TaskContext {
  name
  key
  deadline = undefined
  input = undefined // set by stream.js
  #contexts
  #slot
  #isOpen // the task words of the slot are those of this task
  #notice = 0 // once it is closed: what the task word said last
  #note = null // the note with the reason of an abort
  #progress = 0 // the number that values of progress are sent with; 0: nobody wants them
  #controller = null

  // `words`: the task words, if those of the slot are valid, or null.
  constructor (contexts, slot, name, key, words) {
    this.#contexts = contexts
    this.#slot = slot
    this.name = name
    this.key = key
    this.#isOpen = words !== null
    if (!this.#isOpen) return
    this.#progress = words.progress(slot)
    const timeout = words.timeout(slot)
    if (timeout !== Infinity) this.deadline = now() + timeout
  }

  get aborted () { return this.#read() !== 0 }

  get signal () {
    if (this.#controller === null) {
      this.#controller = new AbortController()
      if (this.aborted) this.#fire()
      else if (this.#isOpen) this.#contexts.watch(this)
    }
    return this.#controller.signal
  }

  throwIfAborted () {
    if (!this.aborted) return
    const { signal } = this
    this.#fire()
    throw signal.reason
  }

  // The owner drops what a task reports after its abort, and need not read it ever.
  progress (value) {
    if (this.#progress === 0 || !this.#isOpen || this.aborted) return
    this.#contexts.send(this.#progress, this.#slot, value)
  }

  #read () { return this.#isOpen ? this.#contexts.notice(this.#slot) : this.#notice }

  // Does nothing if the signal has fired.
  #fire () { this.#contexts.fire(this, () => this.#controller.abort(this.#reason())) }

  // Undefined, for which the platform substitutes an AbortError, if the reason could not be sent.
  #reason () {
    this.#contexts.collectNotes()
    const note = this.#note
    if (note === null || note.note !== this.#read()) return undefined
    try {
      require('../shared-classes') // objects of these classes may be inside
      return valueOf(note)
    } catch {
      return undefined
    }
  }

  static {
    isTold = (context) => context.#read() !== 0
    fire = (context) => context.#fire()
    keepNote = (context, note) => { context.#note = note }
    close = (context) => {
      context.#notice = context.#read()
      context.#isOpen = false
    }
  }
}

// The contexts of the tasks that this worker runs.
class TaskContexts {
  #bySlot = new Map()
  #watched = new Set() // those whose signal exists and may fire
  #words
  #keys
  #longKeys = new Map() // by slot: keys that came with messages
  #core
  #getByPort
  storage = null // see track()

  // getByPort(): see by-port.js, which gives the notes that come to keepNote().
  constructor (words, keys, core, getByPort) {
    this.#words = words
    this.#keys = keys
    this.#core = core
    this.#getByPort = getByPort
  }

  get isTracking () { return this.storage !== null }

  // From now on each task runs with its context in the AsyncLocalStorage that this returns.
  track () {
    const { AsyncLocalStorage } = require('node:async_hooks')
    this.storage = new AsyncLocalStorage()
    return this.storage
  }

  // The context of a task that begins, or has begun. `form`: that of its request, which says what
  // of the slot is valid.
  open (slot, name, form) {
    let context = this.#bySlot.get(slot)
    if (context === undefined) {
      const key = (form & kKeyed) === 0 ? undefined : this.#keyOf(slot)
      const words = (form & kSteered) === 0 ? null : this.#words
      context = new TaskContext(this, slot, name, key, words)
      this.#bySlot.set(slot, context)
    }
    return context
  }

  #keyOf (slot) { return this.#keys.read(slot) ?? this.#longKeys.get(slot) }

  // The key of a task that begins next, if it came with its message.
  keepKey (slot, key) { this.#longKeys.set(slot, key) }

  // To be called when the task has ended, before its slot is completed.
  close (slot) {
    const context = this.#bySlot.get(slot)
    if (context === undefined) return
    this.#bySlot.delete(slot)
    this.#watched.delete(context)
    close(context)
  }

  // Calls the function of a task. `passesTask`: with its context as the second argument.
  call (context, run, value, passesTask) {
    const storage = this.storage
    if (storage === null) return passesTask ? run(value, context) : run(value)
    return passesTask ? storage.run(context, run, value, context) : storage.run(context, run, value)
  }

  // ---- aborts ----

  notice (slot) { return this.#words.notice(slot) }

  watch (context) { this.#watched.add(context) }

  // Whether there may be something for fireDue().
  get isWatching () { return this.#watched.size > 0 }

  // Fires the signals of the tasks that were aborted. Listeners run in the context of their task.
  fireDue () {
    for (const context of this.#watched) {
      if (isTold(context)) fire(context)
    }
  }

  fire (context, abort) {
    this.#watched.delete(context)
    if (this.storage === null) abort()
    else this.storage.run(context, abort)
  }

  // ---- notes ----

  collectNotes () {
    const byPort = this.#getByPort()
    while (byPort.takeMessage());
  }

  // A note that has come. The task may have ended in the meantime.
  keepNote (note) {
    const context = this.#bySlot.get(note.slot)
    if (context !== undefined) keepNote(context, note)
  }

  send (number, slot, value) {
    sendNote(this.#getByPort().port, number, slot, value)
    this.#core.notifyOwner()
  }
}

function openContexts ({ taskKeys, taskWords }, core, getByPort) {
  const words = new TaskWords(taskWords)
  return new TaskContexts(words, new TaskKeys(taskKeys), core, getByPort)
}

module.exports = { openContexts }
