'use strict'

// The ways to call the functions of a pool beside run(), each of which loads what it needs when it
// is first used.

const { Object, Promise } = require('../base/globals')
const { isMarked } = require('../transport/move')
const { checkBroadcast, settleAll } = require('./broadcast')
const { RunOptions } = require('./call-options')

class Calls {
  #engine
  #parts
  #sync = null
  #inline = null

  // Used of the engine: what is public there, beside what the pool uses.
  constructor (parts, engine) {
    this.#parts = parts
    this.#engine = engine
  }

  // Runs a task once on every worker. A worker that is starting runs it when it has started.
  broadcast (value, options) {
    const { strict, workers } = this.#parts
    const given = this.#engine.readOptions(options)
    const error = given.error ?? checkBroadcast(given, this.#engine.options, strict)
    if (error !== null) return Promise.reject(error)
    return settleAll(workers.list.map((target) => {
      return this.#engine.accept(value, Object.assign(new RunOptions(), given, { target }))
    }))
  }

  // A task of a pinned function (pinned-function.js).
  run (pinned, value, options) {
    const { native, slots, state } = this.#parts
    if (
      options === undefined && this.#engine.isFastPinned && !isMarked(value) &&
      state.canSubmit && slots.hasFree && pinned.entryIn(native.functions) >= 0
    ) {
      return this.#engine.runFast(value, null, undefined, pinned) ??
        this.#engine.accept(value, this.#engine.ownRunOptions(pinned), native.memory.takePacked())
    }
    const given = this.#engine.readOptions(options, pinned)
    return given.error === null
      ? this.#engine.accept(value, given)
      : Promise.reject(given.error)
  }

  // `pinned`: null for a task of run().
  runSync (value, options, pinned = null) {
    this.#sync ??= new (require('./sync-call').SyncCalls)(this.#parts, this.#engine)
    return this.#sync.run(value, options, pinned)
  }

  // `pinned`: null for a task of stream().
  stream (value, options, pinned = null) {
    return require('./many/stream').stream(this.#engine, value, options, pinned)
  }

  get #inlineCalls () {
    return (this.#inline ??= new (require('./exec').InlineCalls)(this))
  }

  exec (fn, args) { return this.#inlineCalls.exec(fn, args) }

  define (name, fn, options) { this.#inlineCalls.define(name, fn, options) }

  // The function that the options name, if define() has given it that name; else undefined.
  defined ({ filename, name }) {
    return filename === null && name !== null ? this.#inline?.defined.get(name) : undefined
  }

  proxy (options) { return require('./proxy').createProxy(this, this.#engine.options, options) }
}

module.exports = { Calls }
