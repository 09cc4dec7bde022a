'use strict'

// What a task leaves to ticks and microtasks is done before the task is. So a failure there is
// the task's, by one rule: whichever function it is, however it ends, whatever its result is.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { faces, usePool } = require('../fixtures/fault-helpers')
const { task } = require('../fixtures/use-pool')

const limit = { timeout: 60_000 }
const filename = task('left-behind.js')

const failures = ['rejection', 'tick', 'microtask', 'rejectionOfTick', 'chain', 'listenerThrows']

// By `name`: as the pool's own function, and as one that the task names, in its first call in
// the worker and in a later one.
const calls = [
  ["the pool's own function", (name) => ({ options: { name } })],
  ["the pool's own function, called before", (name) => ({ options: { name }, isWarm: true })],
  ['a function that the task names', (name) => ({ runOptions: { name } })],
  ['a function that the task names, called before', (name) => ({ runOptions: { name }, isWarm: true })],
  ['a function of a file that the task names', (name) => ({ runOptions: { name, filename: task('left-behind-module.mjs') } })]
]

// How the function ends: at once, by a promise that is fulfilled already, after a turn of the
// event loop; with a result in shared memory, or one that goes by port; with an error; after output.
const ways = ['sync', 'async', 'later', 'port', 'portLater', 'throws', 'rejects', 'prints', 'thenable']

for (const [face, Class] of faces) {
  // One engine serves both faces, so one row is enough for the second.
  for (const [what, prepare] of face === 'Pool' ? calls : calls.slice(2, 3)) {
    test(`${face}: what is left behind and fails rejects its task: ${what}`, limit, async (t) => {
      for (const way of ways) {
        const { options, runOptions, isWarm } = prepare(way)
        const pool = usePool(t, Class, { filename, minThreads: 1, maxThreads: 1, ...options })
        const events = []
        pool.on('error', (error) => events.push(error.message))
        for (const how of failures) {
          if (isWarm) await pool.run('nothing', runOptions).catch(() => {})
          await assert.rejects(pool.run(how, runOptions), { message: `left by ${how}` }, `${way}, ${how}`)
        }
        await pool.destroy()
        assert.deepEqual(events, [], way)
      }
    })
  }

  test(`${face}: a task that leaves the end of its worker behind rejects with it`, limit, async (t) => {
    for (const name of ways) {
      const pool = usePool(t, Class, { filename, minThreads: 1, maxThreads: 1 })
      for (const how of ['exit', 'exitOfMicrotask']) {
        await assert.rejects(pool.run(how, { name }), { code: 'ERR_TELAR_WORKER_EXITED', message: 'worker exited with code: 7' })
      }
      await pool.destroy()
    }
  })

  test(`${face}: what is left behind and does not fail leaves the result alone`, limit, async (t) => {
    const pool = usePool(t, Class, { filename, minThreads: 1, maxThreads: 1 })
    const [worker] = pool.threads
    for (const name of ['sync', 'async', 'later', 'prints', 'thenable']) {
      for (const how of ['nothing', 'handled']) assert.equal(await pool.run(how, { name }), name)
    }
    assert.equal(pool.threads[0], worker)
  })

  test(`${face}: what fails after a turn of the event loop is an 'error' event, the result stands`, limit, async (t) => {
    for (const name of ['sync', 'async', 'later']) {
      const pool = usePool(t, Class, { filename, minThreads: 1, maxThreads: 1 })
      const event = new Promise((resolve) => pool.once('error', resolve))
      assert.equal(await pool.run('timer', { name }), name)
      assert.equal((await event).message, 'left by timer')
      await pool.destroy()
    }
  })

  test(`${face}: results that go by port and others keep their order and their values`, limit, async (t) => {
    const pool = usePool(t, Class, { filename, minThreads: 1, maxThreads: 1, concurrentTasksPerWorker: 8 })
    const names = ['port', 'sync', 'portLater', 'later', 'portPrints', 'async', 'prints', 'port']
    const runs = Array.from({ length: 400 }, (_, i) => pool.run({ i }, { name: 'numbered' + names[i % 8] }))
    for (const [i, value] of (await Promise.all(runs)).entries()) assert.equal(value.i, i)
  })
}
