'use strict'

const { Object, Symbol } = require('../base/globals')
const { EventEmitterAsyncResource } = require('node:events')
const { Engine } = require('./engine')
const { normalizePoolOptions } = require('./options')

// The class that Pool and Piscina extend: the methods and properties of a pool, on top of an
// engine. `Base`: the class of event emitters to extend.
const createPoolClass = (Base, { strict, resourceType, name }) => class extends Base {
  #engine
  #hasEnded = false

  constructor (options) {
    const normalized = normalizePoolOptions(options, { strict })
    super({ __proto__: null, name })
    const hasOwnQueue = options !== undefined && Object.hasOwn(options, 'taskQueue') &&
      options.taskQueue !== undefined
    this.#engine = new Engine(this, normalized, { strict, resourceType, hasOwnQueue })
  }

  run (task, options) { return this.#engine.run(task, options) }

  runSync (task, options) { return this.#engine.calls.runSync(task, options) }

  exec (fn, ...args) { return this.#engine.calls.exec(fn, args) }

  define (name, fn, options) { this.#engine.calls.define(name, fn, options) }

  proxy (options) { return this.#engine.calls.proxy(options) }

  broadcast (task, options) { return this.#engine.calls.broadcast(task, options) }

  map (iterable, options) { return require('./many/map').map(this.#engine, iterable, options) }

  runMany (array, options) {
    return require('./many/run-many').runMany(this.#engine, array, options)
  }

  transform (options) {
    return require('./many/transform').transform(this.#engine, options)
  }

  transformStream (options) {
    return require('./many/transform').transformStream(this.#engine, options)
  }

  stream (task, options) { return this.#engine.calls.stream(task, options) }

  ready () { return this.#engine.ready() }

  resize (size) { this.#engine.resize(size) }

  close (options = {}) { return this.#end(this.#engine.close(options)) }

  destroy () { return this.#end(this.#engine.destroy()) }

  // Test runners look for async resources that were not destroyed. A pool that is used again after
  // its end is not one of them: a resource can be destroyed only once.
  async #end (ended) {
    try {
      return await ended
    } finally {
      if (!this.#hasEnded) this.emitDestroy()
      this.#hasEnded = true
    }
  }

  [Symbol.dispose] () { this.close() }

  [Symbol.asyncDispose] () { return this.close() }

  dump () { return this.#engine.dump() }

  get options () { return this.#engine.options }

  get minThreads () { return this.#engine.options.minThreads }

  get maxThreads () { return this.#engine.options.maxThreads }

  get threads () { return this.#engine.threads }

  get workers () { return this.#engine.workers }

  get idleThreads () { return this.#engine.idleThreads }

  get queueSize () { return this.#engine.queueSize }

  get completed () { return this.#engine.completed }

  get duration () { return this.#engine.duration }

  get utilization () { return this.#engine.utilization }

  get needsDrain () { return this.#engine.needsDrain }

  get histogram () { return this.#engine.histogram }
}

class Pool extends createPoolClass(EventEmitterAsyncResource, {
  strict: true,
  resourceType: 'Telar.Task',
  name: 'Telar'
}) {}

module.exports = { Pool, createPoolClass }
