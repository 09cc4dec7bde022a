'use strict'

// Whatever the source, the items, the options and the way in which the loop ends: each item runs
// once at most, and its result arrives once, in order where that is asked for.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const fc = require('fast-check')
const { setImmediate: turn } = require('node:timers/promises')
const { Pool } = require('../..')
const { until } = require('../fixtures/until')
const { task } = require('../fixtures/use-pool')

const pools = [
  { minThreads: 1, maxThreads: 1 },
  { minThreads: 2, maxThreads: 2, concurrentTasksPerWorker: 2 }
].map((options) => new Pool({ filename: task('many.js'), name: 'follow', ...options }))
test.after(() => Promise.all(pools.map((pool) => pool.close())))

const sources = {
  array: (plans) => plans,
  * generator (plans, seen) {
    try {
      for (const plan of plans) {
        seen.taken++
        yield plan
      }
    } finally {
      seen.isClosed = true
    }
  },
  async * asyncGenerator (plans, seen) {
    try {
      for (const [i, plan] of plans.entries()) {
        if (i % 7 === 3) await turn()
        seen.taken++
        yield plan
      }
    } finally {
      seen.isClosed = true
    }
  },
  promises: (plans) => plans.map(async (plan) => plan),
  * failing (plans) {
    yield * plans
    throw new RangeError('of the source')
  }
}

const plan = fc.oneof(
  { weight: 20, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: fc.record({ delay: fc.integer({ min: 0, max: 2 }) }) },
  { weight: 2, arbitrary: fc.record({ spin: fc.integer({ min: 0, max: 2000 }) }) },
  { weight: 1, arbitrary: fc.constant({ error: 'of the item' }) }
)

const call = fc.record({
  plans: fc.array(plan, { maxLength: 120, size: 'max' }),
  source: fc.constantFrom(...Object.keys(sources)),
  pool: fc.nat({ max: pools.length - 1 }),
  leaveAt: fc.option(fc.nat({ max: 100 }), { nil: Infinity }),
  options: fc.record({
    batch: fc.constantFrom('auto', 1, 2, 10, 1000),
    ordered: fc.boolean(),
    concurrency: fc.constantFrom(1, 2, 5, Infinity)
  }, { requiredKeys: [] })
})

const isFailing = ({ error }) => error !== undefined

async function consume (results, leaveAt) {
  const values = []
  let error = null
  try {
    for await (const value of results) {
      values.push(value)
      if (values.length > leaveAt) break
    }
  } catch (thrown) {
    error = thrown
  }
  return { values, error, wasLeft: values.length > leaveAt }
}

test('map() gives each result once, and ends with the first error', async () => {
  await fc.assert(fc.asyncProperty(call, async ({ plans, source, pool, leaveAt, options }) => {
    const items = plans.map((plan, value) => ({ ...plan, value }))
    const seen = { taken: 0, isClosed: false }
    const results = pools[pool].map(sources[source](items, seen), options)
    const { values, error, wasLeft } = await consume(results, leaveAt)
    assert.deepEqual(await results.next(), { value: undefined, done: true })

    const firstBad = items.findIndex(isFailing)
    assert.equal(new Set(values).size, values.length)
    assert.ok(values.every((value) => !isFailing(items[value])))
    if (options.ordered !== false) assert.deepEqual(values, [...values.keys()])
    if (wasLeft) {
      assert.equal(error, null)
    } else if (firstBad >= 0) {
      assert.equal(error.message, 'of the item')
      assert.ok(isFailing(items[error.itemIndex]))
      if (options.ordered !== false) assert.equal(values.length, firstBad)
    } else {
      assert.equal(values.length, items.length)
      assert.equal(error?.message, source === 'failing' ? 'of the source' : undefined)
    }
    if (seen.taken > 0) await until(() => seen.isClosed)
  }), { numRuns: 150 })
})

test('runMany() gives each result at its place', async () => {
  await fc.assert(fc.asyncProperty(call, async ({ plans, source, pool, options }) => {
    const items = plans.map((plan, value) => ({ ...plan, value }))
    const { ordered, ...others } = options
    const outcomes = pools[pool].runMany(sources[source](items, { taken: 0 }), {
      ...others, settle: true
    })
    if (source === 'failing') {
      await assert.rejects(outcomes, { message: 'of the source' })
      return
    }
    assert.deepEqual((await outcomes).map(({ value, reason }) => reason?.itemIndex ?? value),
      [...items.keys()])
    assert.deepEqual((await outcomes).map(({ status }) => status === 'rejected'),
      items.map(isFailing))
  }), { numRuns: 60 })
})
