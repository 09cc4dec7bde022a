'use strict'

// The drop-in face: Piscina's class, statics, messages and async_hooks events
// over telar's engine.

const { EventEmitterAsyncResource } = require('node:events')
const context = require('./context')
const { kQueueOptions, kTransferable, kValue, move } = require('./move')
const { createPoolClass } = require('./pool')
const { ArrayTaskQueue, FixedQueue } = require('./queues')
// Of Piscina, whose surface this is: programs compare it.
const kPiscinaVersion = '5.3.2'

class Piscina extends createPoolClass(EventEmitterAsyncResource, { strict: false, resourceType: 'Piscina.Task', name: 'Piscina' }) {
  static get Piscina () { return Piscina }
  static get ArrayTaskQueue () { return ArrayTaskQueue }
  static get FixedQueue () { return FixedQueue }
  static get isWorkerThread () { return context.isWorkerThread }
  static get workerData () { return context.workerData }
  static get version () { return kPiscinaVersion }
  static get queueOptionsSymbol () { return kQueueOptions }
  static get transferableSymbol () { return kTransferable }
  static get valueSymbol () { return kValue }
  static move (value) { return move(value) }
}

module.exports = Piscina
