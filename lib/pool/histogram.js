'use strict'

// The waiting and running times of a pool's tasks, in milliseconds. Each worker records them in C;
// they are merged when read.

const { Float64Array, Map, Object } = require('../base/globals')
const native = require('../base/native')
const { setOwn } = require('../base/own')

const { kMetricRun: kRun, kMetricWait: kWait, kNone: kAllWorkers } = native.poolConstants
const kFixed = 5 // count, min, max, mean, stddev
const kNsPerMs = 1e6

const percentiles = {
  p0_001: 0.001,
  p0_01: 0.01,
  p0_1: 0.1,
  p1: 1,
  p2_5: 2.5,
  p10: 10,
  p25: 25,
  p50: 50,
  p75: 75,
  p90: 90,
  p97_5: 97.5,
  p99: 99,
  p99_9: 99.9,
  p99_99: 99.99,
  p99_999: 99.999
}
const percentileNames = Object.keys(percentiles)

class HistogramView {
  #core = null
  #isRecorded
  // The last figures of a native pool that was closed.
  #kept = new Map()

  constructor (core, isRecorded) {
    this.#core = core
    this.#isRecorded = isRecorded
  }

  // Reads from this native pool from now on.
  attach (core) {
    this.#core = core
  }

  // Undefined if times are not recorded.
  get runTime () { return this.#isRecorded ? this.#summary(kRun) : undefined }

  get waitTime () { return this.#isRecorded ? this.#summary(kWait) : undefined }

  resetRunTime () { this.#reset(kRun) }

  resetWaitTime () { this.#reset(kWait) }

  ofWorker (worker) {
    return summarize(this.#read(kRun, worker))
  }

  get totalRunTime () {
    const figures = this.#figures(kRun)
    return figures[0] * figures[3] / kNsPerMs
  }

  // To be called before the native pool is closed.
  keep () {
    for (const metric of [kWait, kRun]) this.#kept.set(metric, this.#read(metric, kAllWorkers))
    this.#core = null
  }

  #summary (metric) {
    return summarize(this.#figures(metric))
  }

  #figures (metric) {
    if (this.#core !== null) return this.#read(metric, kAllWorkers)
    return this.#kept.get(metric) ?? new Float64Array(kFixed + percentileNames.length)
  }

  #read (metric, worker) {
    const figures = new Float64Array(kFixed + percentileNames.length)
    percentileNames.forEach((name, i) => { figures[kFixed + i] = percentiles[name] })
    this.#core.histogram(metric, worker, figures)
    return figures
  }

  #reset (metric) {
    this.#kept.delete(metric)
    this.#core?.resetHistogram(metric)
  }
}

// Without any task the mean is NaN, as in Node's own histograms.
function summarize (figures) {
  const [count, min, max, mean, stddev] = figures
  const summary = {
    average: count === 0 ? NaN : mean / kNsPerMs,
    mean: count === 0 ? NaN : mean / kNsPerMs,
    stddev: count === 0 ? NaN : stddev / kNsPerMs,
    min: min / kNsPerMs,
    max: max / kNsPerMs
  }
  percentileNames.forEach((name, i) => setOwn(summary, name, figures[kFixed + i] / kNsPerMs))
  return summary
}

module.exports = { HistogramView }
