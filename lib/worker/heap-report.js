'use strict'

// Publishes how large the JavaScript heap of this worker is, in shared memory, between tasks.

const { Atomics, Math } = require('../base/globals')
const v8 = require('node:v8')
const { startTimer } = require('../base/time')

const kWatchedMs = 10
const kIdleMs = 100
const kLeastSamples = 5
const kKiB = 1024

const usedBytes = () => v8.getHeapStatistics().used_heap_size

// For the option `memoryLimit`, where the owner cannot read that itself (Node 20). `words`: the
// heap in KiB, and whether the owner watches it.
function publishHeap (words) {
  Atomics.store(words, 0, usedBytes() / kKiB)
  startTimer(() => publishHeap(words), Atomics.load(words, 1) === 1 ? kWatchedMs : kIdleMs)
}

// For the option `recycle`. `heap`: a word for the bytes that were in use all the time; the rest
// may be garbage that was collected meanwhile.
function publishLeastHeap (heap, samples = []) {
  if (samples.push(usedBytes()) > kLeastSamples) samples.shift()
  heap[0] = Math.min(...samples)
  startTimer(() => publishLeastHeap(heap, samples), kIdleMs)
}

module.exports = { publishHeap, publishLeastHeap }
