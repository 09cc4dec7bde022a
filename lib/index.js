'use strict'

require('./shared-classes')
const { Channel, select, selectSync } = require('./channel/channel')
const context = require('./worker/context')
const { getCurrentTask } = require('./worker/current-task')
const { AbortError, TelarError } = require('./base/errors')
const { kQueueOptions, kTransferable, kValue, move } = require('./transport/move')
const { Pool } = require('./pool/pool')
const { runAsWorker } = require('./worker/run-as-worker')
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
  createSyncFn: (...args) => require('./pool/sync-fn').createSyncFn(...args),
  // A getter: see current-task.js.
  get currentTask () { return getCurrentTask() },
  isWorkerThread: context.isWorkerThread,
  move,
  notify,
  queueOptionsSymbol: kQueueOptions,
  runAsWorker,
  select,
  selectSync,
  transferableSymbol: kTransferable,
  valueSymbol: kValue,
  version,
  wait,
  waitAsync,
  workerData: context.workerData
}
