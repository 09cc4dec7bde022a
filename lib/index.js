'use strict'

const context = require('./context')
const { AbortError, TelarError } = require('./errors')
const { kQueueOptions, kTransferable, kValue, move } = require('./move')
const { Pool } = require('./pool')
const { ArrayTaskQueue, FixedQueue } = require('./queues')
const { version } = require('../package.json')

module.exports = {
  AbortError,
  ArrayTaskQueue,
  FixedQueue,
  Pool,
  TelarError,
  isWorkerThread: context.isWorkerThread,
  move,
  queueOptionsSymbol: kQueueOptions,
  transferableSymbol: kTransferable,
  valueSymbol: kValue,
  version,
  workerData: context.workerData
}
