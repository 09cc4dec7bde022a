'use strict'

// A task may return a thenable that is no native promise. Then its result is what `await` makes of
// the thenable, and later calls of the thenable have no effect.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { task, usePool } = require('../fixtures/use-pool')
const { makers } = require('../fixtures/tasks/thenables')

const limit = { timeout: 30_000 }

async function outcome (answer) {
  try {
    return { value: structuredClone(await answer()) } // as a result arrives
  } catch (error) {
    return { name: error.name, message: error.message }
  }
}

for (const name of Object.keys(makers)) {
  for (const options of [undefined, { filename: task('thenables.js'), name: 'default' }]) {
    const how = options === undefined ? '' : ', by a file of its own'
    test(`a task that returns ${name} settles as await does${how}`, limit, async (t) => {
      const pool = usePool(t, options === undefined ? 'thenables.js' : null)
      const expected = await outcome(makers[name])
      // The second run uses a function that is already loaded.
      for (let i = 0; i < 2; i++) {
        assert.deepEqual(await outcome(() => pool.run(name, options)), expected)
        assert.deepEqual(await outcome(() => pool.run('victim', options)), { value: 'own result' })
      }
      assert.equal(pool.completed, 4)
    })
  }
}

test('late calls of thenables do not touch a thousand other tasks', limit, async (t) => {
  const pool = usePool(t, 'thenables.js', { concurrentTasksPerWorker: 100 })
  const names = ['twiceLate', 'rejectsLate', 'functionTwice', 'twice', 'victim']
  const runs = Array.from({ length: 1000 }, (_, i) => names[i % names.length])
  const values = await Promise.all(runs.map((name) => pool.run(name)))
  assert.deepEqual(values, runs.map((name) => name === 'victim' ? 'own result' : 'first'))
  assert.equal(pool.completed, 1000)
})
