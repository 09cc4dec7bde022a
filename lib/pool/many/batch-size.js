'use strict'

// How many items the next batch of a map has. A batch costs its worker and its owner some
// microseconds each. So it is to run for a millisecond: then the items have nearly all of the
// time, and the last batches of several workers still end together. Items that take longer go
// alone.

const { Math } = require('../../base/globals')

const kTargetMs = 1
const kMaxItems = 2048
// The items after those that were measured may take longer.
const kGrowth = 8
// How much a new measurement counts.
const kWeight = 0.5
// A slow consumer gets batches that last it this long, so that the source is not read far ahead.
const kConsumerMs = 5

class BatchSize {
  #fixed
  #size = 1
  #itemMs = -1
  #consumerMs = 0

  // `batch`: the number of items, or 'auto'.
  constructor (batch) {
    this.#fixed = batch === 'auto' ? 0 : batch
  }

  get isFixed () { return this.#fixed !== 0 }

  // Of the next batch.
  get items () { return this.isFixed ? this.#fixed : this.#size }

  // `ms`: how long a batch of `count` items took to be encoded and to run.
  ran (count, ms) {
    if (this.isFixed) return
    const itemMs = ms / count
    this.#itemMs = this.#itemMs < 0 ? itemMs : mean(this.#itemMs, itemMs)
    this.#update(count)
  }

  // How long its values took to be consumed.
  consumed (count, ms) {
    if (this.isFixed) return
    this.#consumerMs = mean(this.#consumerMs, ms / count)
    this.#update(count)
  }

  #update (count) {
    const fitting = Math.min(fit(kTargetMs, this.#itemMs), fit(kConsumerMs, this.#consumerMs))
    const most = Math.max(this.#size, kGrowth * count)
    this.#size = Math.max(1, Math.min(kMaxItems, Math.floor(fitting), most))
  }
}

const mean = (old, ms) => old + kWeight * (ms - old)

const fit = (targetMs, itemMs) => itemMs <= 0 ? kMaxItems : targetMs / itemMs

module.exports = { BatchSize, kTargetMs }
