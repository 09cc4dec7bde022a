'use strict'

// The drop-in replacement for Piscina: its class, static members, messages and async_hooks
// events, on top of telar's engine.

const { EventEmitterAsyncResource } = require('node:events')
require('./shared-classes')
const context = require('./worker/context')
const { kQueueOptions, kTransferable, kValue, moveUnchecked } = require('./transport/move')
const { createPoolClass } = require('./pool/pool')
const { ArrayTaskQueue, FixedQueue } = require('./pool/task-queues')
// The version of Piscina whose interface this is: programs compare it.
const kPiscinaVersion = '5.3.2'

class Piscina extends createPoolClass(EventEmitterAsyncResource, {
  strict: false,
  resourceType: 'Piscina.Task',
  name: 'Piscina'
}) {
  static get Piscina () { return Piscina }
  static get ArrayTaskQueue () { return ArrayTaskQueue }
  static get FixedQueue () { return FixedQueue }
  static get isWorkerThread () { return context.isWorkerThread }
  static get workerData () { return context.workerData }
  static get version () { return kPiscinaVersion }
  static get queueOptionsSymbol () { return kQueueOptions }
  static get transferableSymbol () { return kTransferable }
  static get valueSymbol () { return kValue }
  static move (value) { return moveUnchecked(value) }
}

module.exports = Piscina
