'use strict'

const { isDeepStrictEqual } = require('node:util')

// How often the clock is read. Reading it for each task would slow down the fast drivers.
const CHECK_MILLISECONDS = 5
const SAMPLES = 16

function assertEcho (value, result, isEqual = isDeepStrictEqual) {
  if (!isEqual(value, result)) {
    const change = `${preview(value)} became ${preview(result)}`
    throw new Error(`A task gave back something else than it got: ${change}`)
  }
}

function preview (value) {
  return require('node:util').inspect(value, { maxArrayLength: 8, maxStringLength: 40, depth: 2 })
}

/**
 * Where the values of the tasks come from. `take()` gives the next one, and `result()` takes what
 * its task has returned. A value that is moved is empty afterwards, so the task after it gets the
 * result. `fresh` makes a value for each task, as most programs do: memories of earlier values do
 * not help then.
 */
class Source {
  #values
  #moves
  #fresh
  #turn = 0

  constructor (values, { moves = false, fresh }) {
    this.#values = [...values]
    this.#moves = moves
    this.#fresh = fresh
  }

  take () {
    if (this.#moves) return this.#values.pop()
    const turn = this.#turn++
    return this.#fresh === undefined ? this.#values[turn % this.#values.length] : this.#fresh(turn)
  }

  result (value) {
    if (this.#moves) this.#values.push(value)
  }

  /** When no task is in flight: the values that were moved last. */
  get left () { return this.#values }
}

/**
 * Keeps `inFlight` tasks in flight, by as many loops that each await one task at a time: first for
 * `warm` milliseconds, then for `measure` milliseconds. Returns the number of tasks completed in
 * the second period, its exact length, and the CPU time of all threads in it. The periods are times
 * and not numbers of tasks, so that a slow driver does not take forever. `values` may be replaced
 * by what their tasks return.
 */
async function flow (run, values, { inFlight, warm, measure, moves, fresh, isEqual }) {
  const samples = []
  const expected = moves ? structuredClone(values) : values
  for (const [i, value] of values.entries()) {
    const returned = await run(value)
    assertEcho(expected[i], returned, isEqual)
    if (moves) values[i] = returned
  }

  const source = new Source(values, { moves, fresh })
  let completed = 0
  let step = 1
  let checkAt = 1
  let running = true

  let warming = true
  let started = performance.now()
  let startedAt = 0
  let cpu
  let result

  function check (value, returned) {
    const elapsed = performance.now() - started
    const done = completed - startedAt
    if (warming && elapsed >= warm) {
      warming = false
      started += elapsed
      startedAt = completed
      cpu = process.cpuUsage()
    } else if (!warming && elapsed >= measure) {
      const { user, system } = process.cpuUsage(cpu)
      result = { tasks: done, milliseconds: elapsed, cpuMicroseconds: user + system }
      running = false
    }
    if (done > 0) step = Math.max(1, Math.round(done / elapsed * CHECK_MILLISECONDS))
    checkAt = completed + step
    // The samples are compared after the end, since comparing a megabyte here would be measured
    // too.
    if (samples.length < SAMPLES && !moves) samples.push([value, returned])
  }

  async function loop () {
    while (running) {
      const value = source.take()
      const returned = await run(value)
      source.result(returned)
      if (++completed === checkAt) check(value, returned)
    }
  }

  await Promise.all(Array.from({ length: inFlight }, loop))
  for (const [value, returned] of samples) assertEcho(value, returned, isEqual)
  if (moves) {
    values.splice(0, values.length, ...source.left)
    // Each begins with its index.
    for (const value of values) assertEcho(expected[value[0]], value)
  }
  return result
}

/** Awaits one task after the other. The clock is read once for each task, between two tasks. */
async function latencies (run, values, { warm, measure, moves, fresh }) {
  const times = []
  const source = new Source(values, { moves, fresh })

  const begin = performance.now()
  let last = begin
  while (last - begin < warm) {
    source.result(await run(source.take()))
    last = performance.now()
  }

  const end = last + measure
  while (last < end) {
    source.result(await run(source.take()))
    const now = performance.now()
    times.push(now - last)
    last = now
  }
  return Float64Array.from(times).sort()
}

module.exports = { Source, flow, latencies, assertEcho }
