'use strict'

// Ten thousand interrupts in a row, of one worker.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { abortable, useSteered } = require('../fixtures/use-steered')

const names = ['spin', 'spinInMicrotask', 'spinInTick', 'backtrack', 'sleepForever', 'never']

test('ten thousand interrupts leave one worker and no task', async (t) => {
  const { gate, pool } = useSteered(t)
  const thread = await pool.run(0, { name: 'thread' })
  for (let i = 0; i < 10_000; i++) {
    const name = names[i % names.length]
    const { stop, options } = abortable('interrupt', name, { interruptMs: Infinity })
    const before = gate.count(1)
    const running = pool.run(1, options)
    if (i % 4 !== 0) await gate.reached(1, before + 1)
    stop.abort(i)
    await assert.rejects(running, { code: 'ERR_TELAR_ABORTED', cause: i })
  }
  assert.equal(await pool.run(0, { name: 'thread' }), thread)
  assert.equal(pool.completed, 10_002)
})
