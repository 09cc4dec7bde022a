'use strict'

// The life of the workers of a pool: ready(), resize(), and the options recycle and teardown.

const { Object } = require('../base/globals')
const { normalizeSize, poolLimits } = require('./options')
const { Recycler } = require('./recycler')

class Life {
  #options
  #limits
  #strict
  #state
  #workers
  #scaler
  #dispatcher
  #readiness
  #recycler = null

  constructor (parts) {
    this.#options = parts.options
    this.#limits = parts.limits
    this.#strict = parts.strict
    this.#state = parts.state
    this.#workers = parts.workers
    this.#scaler = parts.scaler
    this.#dispatcher = parts.dispatcher
    this.#readiness = parts.readiness
    if (parts.options.recycle !== undefined) this.#recycler = new Recycler(parts)
  }

  ready () { return this.#readiness.wait(() => this.#scaler.startMin()) }

  resize (size) {
    Object.assign(this.#options, normalizeSize(size, this.#options, { strict: this.#strict }))
    const { minThreads, maxThreads, maxLiving } = poolLimits(this.#options)
    Object.assign(this.#limits, { __proto__: null, minThreads, maxThreads, maxLiving })
    this.#state.resize()
    this.#workers.shrink()
    if (!this.#state.isEnding) this.#scaler.replace()
    this.#dispatcher.flush()
    this.#state.checkFull()
    this.#state.checkDrained()
    this.#workers.watchIdle()
    this.#readiness.check()
  }

  // To be called when something about a worker may have changed.
  check () {
    if (this.#workers.leaving.size > 0) this.#workers.leaving.check()
    this.#readiness.check()
    this.#recycler?.checkReplacements()
    this.#recycler?.watch()
  }

  // To be called when tasks have ended.
  watch () { this.#recycler?.watch() }

  // To be called when all workers are gone.
  reset () { this.#recycler?.reset() }
}

module.exports = { Life }
