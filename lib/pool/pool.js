'use strict'

const { Object, Symbol } = require('../base/globals')
const { EventEmitterAsyncResource } = require('node:events')
const { Engine } = require('./engine')
const { normalizePoolOptions } = require('./options')

// The class that Pool and Piscina extend: the methods and properties of a pool, on top of an
// engine. `Base`: the class of event emitters to extend.
const createPoolClass = (Base, { strict, resourceType, name }) => class extends Base {
  #engine

  constructor (options) {
    const normalized = normalizePoolOptions(options, { strict })
    super({ __proto__: null, name })
    const hasOwnQueue = options !== undefined && Object.hasOwn(options, 'taskQueue') &&
      options.taskQueue !== undefined
    this.#engine = new Engine(this, normalized, { strict, resourceType, hasOwnQueue })
  }

  run (task, options) { return this.#engine.run(task, options) }

  close (options = {}) { return this.#engine.close(options) }

  destroy () { return this.#engine.destroy() }

  [Symbol.dispose] () { this.close() }

  [Symbol.asyncDispose] () { return this.close() }

  get options () { return this.#engine.options }

  get minThreads () { return this.#engine.options.minThreads }

  get maxThreads () { return this.#engine.options.maxThreads }

  get threads () { return this.#engine.threads }

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
