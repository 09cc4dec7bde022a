'use strict'

// The options setup and teardown: functions of the pool's file that run at the start and at the end
// of each worker.

const assert = require('node:assert/strict')
const path = require('node:path')
const { test } = require('node:test')
const { Pool } = require('../..')
const { faces, outcomes, until } = require('../fixtures/fault-helpers')
const { filename, useLife } = require('../fixtures/life/use-life')
const { runProgram } = require('../fixtures/run-program')

const limit = { timeout: 20_000 }
const root = path.join(__dirname, '..', '..')

for (const [face, Class] of faces) {
  const create = (t, options) => {
    const { gate, pool } = useLife(t, Class, { minThreads: 2, maxThreads: 2, ...options })
    const errors = []
    pool.on('error', (error) => errors.push(error))
    return { errors, gate, pool }
  }

  // ---- setup ----

  for (const setup of ['setup', 'setupNow']) {
    test(`${face}: ${setup}() is done in each worker before its first task`, limit, async (t) => {
      const { gate, pool } = create(t, { setup })
      await Promise.all(Array.from({ length: 50 }, () => pool.run(null)))
      await pool.ready()
      assert.equal(gate.count(0), 2)
      assert.equal(gate.count(2), 0)
      // Also before tasks of other exports.
      await pool.run(null, { name: 'id' })
      assert.equal(gate.count(0), 2)
    })
  }

  test(`${face}: a setup that fails is a failure to boot`, limit, async (t) => {
    const { errors, gate, pool } = create(t, { setup: 'setupFails' })
    const settled = await outcomes([pool.run(1), pool.run(2), pool.ready()])
    for (const { reason } of settled) {
      assert.deepEqual([reason.code, reason.message], ['E_SETUP', 'the setup fails'])
    }
    await until(() => pool.threads.length === 0)
    assert.ok(gate.count(0) <= 2)
    assert.deepEqual(errors, [])
  })

  test(`${face}: a setup that is not exported is a failure to boot`, limit, async (t) => {
    const { pool } = create(t, { setup: 'setUp' })
    await assert.rejects(pool.ready(), {
      code: 'ERR_TELAR_NO_HANDLER', message: /the option setup asked for the export "setUp"/
    })
    await assert.rejects(pool.run(1), { code: 'ERR_TELAR_NO_HANDLER' })
  })

  // ---- teardown ----

  test(`${face}: close() waits for the teardown of all workers`, limit, async (t) => {
    const { errors, gate, pool } = create(t, { setup: 'setup', teardown: 'teardown' })
    const tasks = Array.from({ length: 20 }, () => pool.run(null))
    await pool.close()
    await Promise.all(tasks)
    assert.deepEqual([gate.count(0), gate.count(1)], [2, 2])
    assert.deepEqual(pool.threads, [])
    assert.deepEqual(errors, [])
    await pool.run(null) // the pool can be used again
    await pool.close()
    assert.deepEqual([gate.count(0), gate.count(1)], [3, 3])
  })

  test(`${face}: a worker that has been idle runs its teardown`, limit, async (t) => {
    const { gate, pool } = create(t, {
      minThreads: 0, maxThreads: 1, idleTimeout: 1, teardown: 'teardown'
    })
    await pool.run(null)
    await until(() => pool.threads.length === 0)
    assert.equal(gate.count(1), 1)
  })

  test(`${face}: a worker that goes by resize() runs its teardown`, limit, async (t) => {
    const { gate, pool } = create(t, { teardown: 'teardown' })
    await pool.ready()
    const running = [pool.run(null, { name: 'wait' }), pool.run(null, { name: 'wait' })]
    await gate.reached(4, 2)
    pool.resize({ maxThreads: 1 })
    gate.open(3)
    await Promise.all(running)
    await until(() => pool.threads.length === 1)
    assert.equal(gate.count(1), 1)
  })

  test(`${face}: destroy() and an abort run no teardown`, limit, async (t) => {
    const { gate, pool } = create(t, { teardown: 'teardown', minThreads: 1, maxThreads: 1 })
    await pool.ready()
    const controller = new AbortController()
    const running = pool.run(null, { name: 'wait', signal: controller.signal })
    await gate.reached(4, 1)
    controller.abort()
    await assert.rejects(running, { code: 'ERR_TELAR_ABORTED' })
    await pool.run(null)
    await pool.destroy()
    assert.equal(gate.count(1), 0)
  })

  test(`${face}: destroy() does not wait for a teardown`, limit, async (t) => {
    const { gate, pool } = create(t, { teardown: 'teardownHangs' })
    await pool.ready()
    const closed = pool.close()
    await gate.reached(1, 1)
    await pool.destroy()
    await closed
    assert.deepEqual(pool.threads, [])
  })

  test(`${face}: a teardown that fails is an 'error' event`, limit, async (t) => {
    const { errors, gate, pool } = create(t, { teardown: 'teardownFails' })
    await pool.ready()
    await pool.close()
    assert.equal(gate.count(1), 2)
    assert.deepEqual(errors.map(({ code }) => code), ['E_TEARDOWN', 'E_TEARDOWN'])
    assert.deepEqual(pool.threads, [])
  })

  test(`${face}: a teardown that takes too long is ended, with an 'error'`, limit, async (t) => {
    const { errors, pool } = create(t, { teardown: 'teardownHangs', teardownTimeout: 50 })
    await pool.ready()
    await pool.close()
    assert.deepEqual(pool.threads, [])
    assert.deepEqual(errors.map(({ code }) => code), ['ERR_TELAR_TIMEOUT', 'ERR_TELAR_TIMEOUT'])
    assert.equal(errors[0].message, 'The teardown of a worker timed out after 50 ms')
  })

  test(`${face}: when closeTimeout expires, only idle workers run it`, limit, async (t) => {
    const { errors, gate, pool } = create(t, { teardown: 'teardown', closeTimeout: 50 })
    await pool.ready()
    const looping = assert.rejects(pool.run(null, { name: 'spin' }),
      { code: 'ERR_TELAR_TERMINATED' })
    await pool.close()
    await looping
    assert.deepEqual(errors.map(({ code }) => code), ['ERR_TELAR_CLOSE_TIMEOUT'])
    assert.equal(gate.count(1), 1)
  })

  test(`${face}: close() during the boot sets up, and tears down`, limit, async (t) => {
    const { errors, gate, pool } = create(t, { setup: 'setup', teardown: 'teardown' })
    await pool.close()
    assert.deepEqual([gate.count(0), gate.count(1)], [2, 2])
    assert.deepEqual(errors, [])
  })
}

test('the process stays alive until the teardown is done, and its output arrives', async () => {
  const { code, stdout } = await runProgram(['-e', `
    const { Pool } = require(${JSON.stringify(root)})
    const pool = new Pool({
      filename: ${JSON.stringify(filename)}, workerData: new SharedArrayBuffer(64), minThreads: 1,
      maxThreads: 1, teardown: 'teardown', argv: ['--print']
    })
    pool.run(null).then(() => pool.close()).then(() => console.log('closed'))
  `])
  assert.equal(stdout, 'torn down\nclosed\n')
  assert.equal(code, 0)
})

test('setup and teardown need a file, and must be names', () => {
  for (const name of ['setup', 'teardown']) {
    assert.throws(() => new Pool({ [name]: 'x' }), { code: 'ERR_TELAR_OPTION_CONFLICT' })
    for (const value of ['', 3, () => {}]) {
      assert.throws(() => new Pool({ filename, [name]: value }), {
        code: 'ERR_TELAR_INVALID_ARGUMENT',
        message: new RegExp(`^options.${name} must be the name of an export or null; received`)
      })
    }
  }
  for (const teardownTimeout of [-1, 1.5, NaN, '5']) {
    assert.throws(() => new Pool({ teardownTimeout }), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
  }
})
