'use strict'

const { Channel } = require('./channel')
const context = require('./context')
const { AbortError, TelarError } = require('./errors')
const { kQueueOptions, kTransferable, kValue, move } = require('./move')
const { Pool } = require('./pool')
const { ArrayTaskQueue, FixedQueue } = require('./queues')
const { Barrier, Condition, Counter, Latch, Mutex, Once, RwLock, Semaphore, notify, wait, waitAsync } = require('./sync')
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
