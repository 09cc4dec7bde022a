'use strict'

// Ticks and microtasks that a task leaves behind run before the task is done. So if they fail, the
// task rejects, whichever function it is, however it ends and whatever its result is.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { faces, usePool } = require('../fixtures/fault-helpers')
const { task } = require('../fixtures/use-pool')

const limit = { timeout: 60_000 }
const filename = task('left-behind.js')

const failures = ['rejection', 'tick', 'microtask', 'rejectionOfTick', 'chain', 'listenerThrows']

// How a function is called: as the pool's own function or as one that the task names, in its first
// call in the worker or in a later one.
const calls = [
  ["the pool's own function", (name) => ({ options: { name } })],
  ["the pool's own function, called before", (name) => ({ options: { name }, isWarm: true })],
  ['a function that the task names', (name) => ({ runOptions: { name } })],
  [
    'a function that the task names, called before',
    (name) => ({ runOptions: { name }, isWarm: true })
  ],
  [
    'a function of a file that the task names',
    (name) => ({ runOptions: { name, filename: task('left-behind-module.mjs') } })
  ]
]

// How the function ends: at once, with a promise that is already fulfilled, or after a turn of the
// event loop; with a result in shared memory or by port; with an error; after output.
const ways = [
  'sync', 'async', 'later', 'port', 'portLater', 'throws', 'rejects', 'prints', 'thenable'
]

for (const [face, Class] of faces) {
  // One engine serves both faces, so one row is enough for the second face.
  for (const [what, prepare] of face === 'Pool' ? calls : calls.slice(2, 3)) {
    test(`${face}: a failure left behind rejects its task: ${what}`, limit, async (t) => {
      for (const way of ways) {
        const { options, runOptions, isWarm } = prepare(way)
        const pool = usePool(t, Class, { filename, minThreads: 1, maxThreads: 1, ...options })
        const events = []
        pool.on('error', (error) => events.push(error.message))
        for (const how of failures) {
          if (isWarm) await pool.run('nothing', runOptions).catch(() => {})
          await assert.rejects(pool.run(how, runOptions), { message: `left by ${how}` },
            `${way}, ${how}`)
        }
        await pool.destroy()
        assert.deepEqual(events, [], way)
      }
    })
  }

  test(`${face}: a task that leaves an exit behind rejects with it`, limit, async (t) => {
    for (const name of ways) {
      const pool = usePool(t, Class, { filename, minThreads: 1, maxThreads: 1 })
      for (const how of ['exit', 'exitOfMicrotask']) {
        await assert.rejects(pool.run(how, { name }),
          { code: 'ERR_TELAR_WORKER_EXITED', message: /^worker exited with code: 7/ })
      }
      await pool.destroy()
    }
  })

  test(`${face}: work left behind that does not fail keeps the result`, limit, async (t) => {
    const pool = usePool(t, Class, { filename, minThreads: 1, maxThreads: 1 })
    const [worker] = pool.threads
    for (const name of ['sync', 'async', 'later', 'prints', 'thenable']) {
      for (const how of ['nothing', 'handled']) assert.equal(await pool.run(how, { name }), name)
    }
    assert.equal(pool.threads[0], worker)
  })

  test(`${face}: a later failure emits an 'error' event, the result stands`, limit, async (t) => {
    for (const name of ['sync', 'async', 'later']) {
      const pool = usePool(t, Class, { filename, minThreads: 1, maxThreads: 1 })
      const event = new Promise((resolve) => pool.once('error', resolve))
      assert.equal(await pool.run('timer', { name }), name)
      assert.equal((await event).message, 'left by timer')
      await pool.destroy()
    }
  })

  test(`${face}: results by port and others keep their order and values`, limit, async (t) => {
    const pool = usePool(t, Class,
      { filename, minThreads: 1, maxThreads: 1, concurrentTasksPerWorker: 8 })
    const names = ['port', 'sync', 'portLater', 'later', 'portPrints', 'async', 'prints', 'port']
    const runs = Array.from({ length: 400 }, (_, i) =>
      pool.run({ i }, { name: 'numbered' + names[i % 8] }))
    for (const [i, value] of (await Promise.all(runs)).entries()) assert.equal(value.i, i)
  })
}
