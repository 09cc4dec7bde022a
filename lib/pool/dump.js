'use strict'

// pool.dump(): what each worker runs, since when, and where in it. Loaded when first called.

const { Promise, Symbol } = require('../base/globals')
const { ref, unref } = require('../base/time')
const { describeTasks } = require('./running-tasks')
const { stackOf } = require('./thread-inspector')
const { stateOf } = require('./worker-status')

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

async function dump ({ native, workers, running, state }) {
  const queued = state.queueSize // now: the stacks take a while
  const tasksOf = running.byWorker()
  const found = workers.all.map((worker) => {
    const tasks = tasksOf.get(worker.index) ?? []
    const dumped = { id: worker.id, state: stateOf(worker, native.core), tasks, stack: '' }
    return { worker, dumped }
  })
  const { completed } = state
  await addStacks(found.filter(({ dumped }) => dumped.state !== 'idle'))
  return new PoolDump(found.map(({ dumped }) => dumped), queued, completed)
}

async function addStacks (found) {
  if (found.length === 0) return
  ref() // workers that run no task do not keep the process alive
  await Promise.all(found.map(async ({ worker, dumped }) => {
    dumped.stack = await stackOf(worker, kStackTimeoutMs)
  }))
  unref()
}

module.exports = { dump }
