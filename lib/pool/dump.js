'use strict'

// pool.dump(): what each worker runs, since when, and where in it. Loaded when first called.

const { Promise, Symbol } = require('../base/globals')
const { describeTasks } = require('./running-tasks')
const { noStack, withInspector } = require('./thread-inspector')

// A worker in an endless loop answers within a tenth of a second or so; one in a native call only
// when that returns.
const kStackTimeoutMs = 2000

const kInspect = Symbol.for('nodejs.util.inspect.custom')

class PoolDump {
  workers
  waiting // how many tasks no worker has begun
  completed

  constructor (workers, waiting, completed) {
    this.workers = workers
    this.waiting = waiting
    this.completed = completed
  }

  [kInspect] () { return this.toString() }

  toString () {
    const running = this.workers.reduce((sum, { tasks }) => sum + tasks.length, 0)
    const count = this.workers.length
    const workers = count === 1 ? 'worker' : 'workers'
    const title = `Pool: ${count} ${workers}; ` +
      `tasks: ${running} running, ${this.waiting} waiting, ${this.completed} completed`
    return [title, ...this.workers.map(textOf)].join('\n')
  }
}

function textOf ({ id, state, tasks, stack }) {
  const lines = [`Worker ${id}: ${state}`]
  for (const task of tasks) {
    lines.push(`  ${describeTasks([task])}${task.isAborted ? ', aborted' : ''}`)
  }
  if (stack !== '') lines.push(stack)
  return lines.join('\n')
}

async function dump ({ workers, running, state }) {
  const queued = state.queueSize // now: the stacks take a while
  const tasksOf = running.byWorker()
  const found = workers.all.map((worker) => {
    const tasks = tasksOf.get(worker.index) ?? []
    return { id: worker.id, state: stateOf(worker, tasks), tasks, stack: '' }
  })
  const { completed } = state
  await addStacks(found.filter(({ tasks }) => tasks.length > 0))
  return new PoolDump(found, queued, completed)
}

function stateOf (worker, tasks) {
  if (worker.isDestroyed) return 'ending'
  if (tasks.length > 0) return 'busy'
  return worker.isReady ? 'idle' : 'starting'
}

async function addStacks (workers) {
  if (workers.length === 0) return
  try {
    await withInspector((inspector) => Promise.all(workers.map(async (worker) => {
      worker.stack = await inspector.stackOf(worker.id, kStackTimeoutMs)
    })))
  } catch (error) { // there is no inspector
    for (const worker of workers) worker.stack = noStack(error.message)
  }
}

module.exports = { dump }
