'use strict'

require('./shared-classes')
const { Channel } = require('./channel/channel')
const context = require('./worker/context')
const { AbortError, TelarError } = require('./base/errors')
const { kQueueOptions, kTransferable, kValue, move } = require('./transport/move')
const { Pool } = require('./pool/pool')
const { ArrayTaskQueue, FixedQueue } = require('./pool/task-queues')
const {
  Barrier, Condition, Counter, Latch, Mutex, Once, RwLock, Semaphore, notify, wait, waitAsync
} = require('./sync')
const { version } = require('../package.json')

module.exports = {
  AbortError,
  ArrayTaskQueue,
  Barrier,
  Channel,
  Condition,
  Counter,
  FixedQueue,
  Latch,
  Mutex,
  Once,
  Pool,
  RwLock,
  Semaphore,
  TelarError,
  isWorkerThread: context.isWorkerThread,
  move,
  notify,
  queueOptionsSymbol: kQueueOptions,
  transferableSymbol: kTransferable,
  valueSymbol: kValue,
  version,
  wait,
  waitAsync,
  workerData: context.workerData
}
