'use strict'

// Threads start and end while tasks arrive. No thread is ended with a task on its way to it.

const assert = require('node:assert/strict')
const { setTimeout: sleep } = require('node:timers/promises')
const { test } = require('node:test')
const { faces, usePool } = require('../fixtures/fault-helpers')

const limit = { timeout: 60_000 }

for (const [face, Class] of faces) {
  for (const idleTimeout of [1, 4]) {
    test(`${face}: tasks survive ending threads, idleTimeout ${idleTimeout}`, limit, async (t) => {
      const pool = usePool(t, Class, { minThreads: 0, maxThreads: 2, idleTimeout })
      let count = 0
      for (let round = 0; round < 60; round++) {
        const together = 1 + round % 3
        const values = Array.from({ length: together }, (_, i) => round + i)
        assert.deepEqual(await Promise.all(values.map((value) => pool.run(value))), values)
        count += together
        await sleep(round % (3 * idleTimeout))
      }
      assert.equal(pool.completed, count)
      assert.equal(pool.queueSize, 0)
    })
  }

  test(`${face}: a pool keeps its minimum of threads and ends the others`, limit, async (t) => {
    const pool = usePool(t, Class, { minThreads: 1, maxThreads: 3, idleTimeout: 5 })
    await Promise.all(Array.from({ length: 3 }, () => pool.run(20, { name: 'sleep' })))
    while (pool.threads.length > 1) await sleep(5)
    assert.equal(await pool.run('after'), 'after')
    await sleep(50)
    assert.equal(pool.threads.length, 1)
  })
}
