'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const fc = require('fast-check')
const { ArrayTaskQueue, FixedQueue, isTaskQueue } = require('../../lib/pool/task-queues')
const { collectGarbage } = require('../fixtures/collect-garbage')

class Task {
  constructor (id) { this.id = id }
}

// The plain array that both queues must behave like.
class Model {
  tasks = []
  get size () { return this.tasks.length }
  push (task) { this.tasks.push(task) }
  unshift (task) { this.tasks.unshift(task) }
  shift () { return this.tasks.shift() ?? null }

  remove (task) {
    const index = this.tasks.indexOf(task)
    if (index !== -1) this.tasks.splice(index, 1)
  }
}

// An operation that runs several times, so that the queue grows beyond its sizes and shrinks again.
// `pick` chooses the task among all that were ever made: those in the queue, those that have left
// it and, with `reuse`, some that are queued a second time.
const operation = fc.record({
  kind: fc.constantFrom('push', 'push', 'unshift', 'shift', 'remove', 'remove'),
  times: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 150 })),
  pick: fc.double({ min: 0, max: 1, noNaN: true })
})

function follow (queue, operations, { reuse }) {
  const model = new Model()
  const tasks = []
  const pickTask = (pick, step) => tasks[Math.floor(pick * tasks.length + step * 7) % tasks.length]
  for (const { kind, times, pick } of operations) {
    for (let step = 0; step < times; step++) {
      if (kind === 'push' || kind === 'unshift') {
        const isReused = reuse && tasks.length > 0 && step % 5 === 0
        const task = isReused ? pickTask(pick, step) : new Task(tasks.length)
        tasks.push(task)
        queue[kind](task)
        model[kind](task)
      } else if (kind === 'shift') {
        assert.equal(queue.shift(), model.shift())
      } else if (tasks.length > 0) {
        const task = pickTask(pick, step)
        queue.remove(task)
        model.remove(task)
      }
      assert.equal(queue.size, model.size)
    }
  }
  while (model.size > 0) assert.equal(queue.shift(), model.shift())
  assert.equal(queue.shift(), null)
  assert.equal(queue.size, 0)
}

for (const Queue of [FixedQueue, ArrayTaskQueue]) {
  test(`${Queue.name} behaves like an array`, () => {
    fc.assert(fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      follow(new Queue(), operations, { reuse: false })
    }), { numRuns: 150 })
  })

  test(`${Queue.name} behaves like an array if tasks are queued twice`, () => {
    fc.assert(fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      follow(new Queue(), operations, { reuse: true })
    }), { numRuns: 150 })
  })

  test(`${Queue.name} is a task queue`, () => {
    assert.ok(isTaskQueue(new Queue()))
  })
}

for (const kind of ['push', 'unshift']) {
  test(`remove() takes the first of two after many removals and another ${kind}()`, () => {
    const queue = new FixedQueue()
    const model = new Model()
    const tasks = Array.from({ length: 10 }, (_, id) => new Task(id))
    for (const task of tasks) { queue.push(task); model.push(task) }
    for (let round = 0; round < 1000; round++) queue.remove(new Task(round))
    for (const each of [queue, model]) {
      each[kind](tasks[4])
      each.remove(tasks[4])
    }
    while (model.size > 0) assert.equal(queue.shift(), model.shift())
    assert.ok(queue.isEmpty())
  })
}

test('a queue is empty after every task was removed in any order', () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 3000 }).chain((length) =>
      fc.shuffledSubarray(Array.from({ length }, (_, id) => id), { minLength: length })),
    (order) => {
      const tasks = order.map((_, id) => new Task(id))
      const queue = new FixedQueue()
      for (const task of tasks) queue.push(task)
      for (const [done, id] of order.entries()) {
        queue.remove(tasks[id])
        assert.equal(queue.size, order.length - done - 1)
      }
      assert.ok(queue.isEmpty())
      assert.equal(queue.shift(), null)
    }
  ), { numRuns: 30 })
})

test('a queue does not grow through endless pushes and removals', () => {
  // The first task stays, so the queue is never empty. Each round leaves a hole.
  const queue = new FixedQueue()
  const first = new Task('first')
  queue.push(first)
  const rounds = 200_000
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  for (let round = 0; round < rounds; round++) {
    const task = new Task(round)
    queue.push(task)
    queue.remove(task)
  }
  collectGarbage()
  const grown = process.memoryUsage().heapUsed - before
  assert.ok(grown < rounds * 8,
    `a slot per round would be ${rounds * 8} bytes or more, not ${grown}`)
  assert.equal(queue.shift(), first)
  assert.ok(queue.isEmpty())
})

test('a queue keeps no shifted or removed task alive', async () => {
  const queue = new FixedQueue()
  const stays = new Task('stays')
  const references = (() => {
    const tasks = Array.from({ length: 100 }, (_, id) => new Task(id))
    for (const task of tasks) queue.push(task)
    queue.push(stays)
    // Enough removals for the queue to make its map of positions.
    for (let round = 0; round < 100; round++) queue.remove(new Task(round))
    for (const task of tasks.slice(50)) queue.remove(task)
    for (let count = 0; count < 50; count++) queue.shift()
    return tasks.map((task) => new WeakRef(task))
  })()
  await new Promise((resolve) => setImmediate(resolve))
  collectGarbage()
  assert.equal(references.filter((reference) => reference.deref() !== undefined).length, 0)
  assert.equal(queue.shift(), stays)
})

test('isTaskQueue() requires size, push, shift and remove', () => {
  const methods = { push () {}, shift () {}, remove () {} }
  assert.ok(isTaskQueue({ size: 0, ...methods }))
  for (const value of [
    null, undefined, 0, 'text', () => {}, {}, new Date(), [], methods,
    { size: 0, push () {}, shift () {} },
    { size: 0, ...methods, remove: 1 }
  ]) {
    assert.equal(isTaskQueue(value), false)
  }
})
