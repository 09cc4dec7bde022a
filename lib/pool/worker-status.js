'use strict'

// What a worker does now, for `pool.workers`.

const { Math } = require('../base/globals')
const { memberOf } = require('../base/own')
const { now } = require('../base/time')

// A share is taken over this time at least, so that calls one after the other give the same.
const kMinSampleMs = 1000

function statusOf (worker, core) {
  refreshHeap(worker)
  return {
    id: worker.thread.threadId,
    state: stateOf(worker, core),
    tasks: core.workerRunning(worker.index),
    busy: busyShareOf(worker),
    heapUsed: worker.heapUsed
  }
}

// Of a worker that leaves, the tasks that it still has are told as those of others.
function stateOf ({ index, isDestroyed, isLeaving }, core) {
  if (isDestroyed) return 'ending'
  if (!core.workerReady(index)) return 'starting'
  if (core.workerRunning(index) > 0) return 'busy'
  return isLeaving && core.workerUsage(index) === 0 ? 'ending' : 'idle'
}

// The share of the time since an earlier call, or since the start of the thread, for which the
// event loop of the worker was not idle.
function busyShareOf (worker) {
  const { performance } = worker.thread
  const sample = performance.eventLoopUtilization()
  const { utilization } = worker.busySince === null
    ? sample
    : performance.eventLoopUtilization(sample, worker.busySince)
  if (now() - worker.busySampled >= kMinSampleMs) {
    worker.busySince = sample
    worker.busySampled = now()
  }
  return Math.min(1, Math.max(0, utilization))
}

// The thread answers when its event loop turns, so the answer is there at a later call. Node 20 has
// no such request.
function refreshHeap (worker) {
  const { thread } = worker
  if (worker.isHeapAsked || typeof memberOf(thread, 'getHeapStatistics') !== 'function') return
  worker.isHeapAsked = true
  thread.getHeapStatistics().then((statistics) => {
    worker.heapUsed = statistics.used_heap_size
    worker.isHeapAsked = false
  }, () => {}) // the thread has ended
}

module.exports = { stateOf, statusOf }
