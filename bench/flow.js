'use strict'

const { isDeepStrictEqual } = require('node:util')

// How often the clock is read. Reading it for each task would slow down the fast drivers.
const CHECK_MILLISECONDS = 5
const SAMPLES = 16

function assertEcho (value, result) {
  if (!isDeepStrictEqual(result, value)) {
    const change = `${preview(value)} became ${preview(result)}`
    throw new Error(`A task gave back something else than it got: ${change}`)
  }
}

function preview (value) {
  return require('node:util').inspect(value, { maxArrayLength: 8, maxStringLength: 40, depth: 2 })
}

/**
 * Keeps `inFlight` tasks in flight, by as many loops that each await one task at a time: first for
 * `warm` milliseconds, then for `measure` milliseconds. Returns the number of tasks completed in
 * the second period, and its exact length. The periods are times and not numbers of tasks, so that
 * a slow driver does not take forever.
 */
async function flow (run, values, { inFlight, warm, measure }) {
  for (const value of values) assertEcho(value, await run(value))

  const samples = []
  let turn = 0
  let completed = 0
  let step = 1
  let checkAt = 1
  let running = true

  let warming = true
  let started = performance.now()
  let startedAt = 0
  let result

  function check (value, returned) {
    const elapsed = performance.now() - started
    const done = completed - startedAt
    if (warming && elapsed >= warm) {
      warming = false
      started += elapsed
      startedAt = completed
    } else if (!warming && elapsed >= measure) {
      result = { tasks: done, milliseconds: elapsed }
      running = false
    }
    if (done > 0) step = Math.max(1, Math.round(done / elapsed * CHECK_MILLISECONDS))
    checkAt = completed + step
    // The samples are compared after the end, since comparing a megabyte here would be measured
    // too.
    if (samples.length < SAMPLES) samples.push([value, returned])
  }

  async function loop () {
    while (running) {
      const value = values[turn++ % values.length]
      const returned = await run(value)
      if (++completed === checkAt) check(value, returned)
    }
  }

  await Promise.all(Array.from({ length: inFlight }, loop))
  for (const [value, returned] of samples) assertEcho(value, returned)
  return result
}

/** Awaits one task after the other. The clock is read once for each task, between two tasks. */
async function latencies (run, values, { warm, measure }) {
  const times = []
  let turn = 0

  const begin = performance.now()
  let last = begin
  while (last - begin < warm) {
    await run(values[turn++ % values.length])
    last = performance.now()
  }

  const end = last + measure
  while (last < end) {
    await run(values[turn++ % values.length])
    const now = performance.now()
    times.push(now - last)
    last = now
  }
  return Float64Array.from(times).sort()
}

module.exports = { flow, latencies, assertEcho }
