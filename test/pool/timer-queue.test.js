'use strict'

// The queue of timers gives the same timers as a sorted list.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const fc = require('fast-check')
const { TimerQueue } = require('../../lib/base/timer-queue')

const due = fc.integer({ min: 0, max: 20 })
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ verb: fc.constant('add'), due }) },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant('remove'), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('take') }) }
)

test('a timer queue gives its timers in order of their due times and no removed ones', () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const queue = new TimerQueue()
    const present = new Set()
    const removed = []
    for (const { verb, due, which } of steps) {
      if (verb === 'add') {
        const timer = { due, place: -1 }
        queue.add(timer)
        present.add(timer)
      } else if (present.size > 0) {
        const timer = verb === 'take' ? queue.first : [...present][which % present.size]
        assert.equal(queue.remove(timer), true)
        assert.ok(present.delete(timer))
        removed.push(timer)
      }
      for (const timer of removed) assert.equal(queue.remove(timer), false)
      const dues = [...present].map(({ due }) => due)
      assert.equal(queue.due, Math.min(...dues))
      assert.equal(queue.first?.due, present.size > 0 ? Math.min(...dues) : undefined)
      if (present.size > 0) assert.ok(present.has(queue.first))
    }
    const rest = []
    for (; queue.first !== undefined; queue.remove(queue.first)) rest.push(queue.first.due)
    assert.deepEqual(rest, [...present].map(({ due }) => due).sort((a, b) => a - b))
  }))
})
