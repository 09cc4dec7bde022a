'use strict'

// A suite that uses a pool, a channel and a lock, as the users of a test runner would write it.

const assert = require('node:assert')
const path = require('node:path')
const { Channel, Mutex, Pool } = require('telar')

const filename = path.join(__dirname, 'tasks.js')

// `test`: that of the runner. `fake`: starts and stops its fake timers.
module.exports = function defineSuite ({ test, fake }) {
  const withPool = async (use) => {
    const pool = new Pool({ filename, maxThreads: 2 })
    await use((value, name, options) => pool.run(value, { name, ...options }))
    await pool.close()
  }
  const withFakeTimers = (use) => async () => {
    fake.start()
    try {
      await use()
    } finally {
      fake.stop()
    }
  }

  test('a task runs', () => withPool(async (run) => {
    assert.equal(await run(21, 'double'), 42)
  }))

  test('the error of a task is one of the classes of the test', () => withPool(async (run) => {
    const error = await run(0, 'fail').catch((error) => error)
    assert.ok(error instanceof RangeError)
    assert.ok(error instanceof Error)
    assert.match(error.stack, /tasks\.js/)
  }))

  test('values come back as objects of the test', () => withPool(async (run) => {
    const value = { list: [1, 2], map: new Map([['day', new Date(3)]]), bytes: new Uint8Array(3) }
    const result = await run(value, 'echo')
    assert.deepEqual(result, value)
    assert.ok(result.list instanceof Array)
    assert.ok(result.map instanceof Map)
    assert.ok(result.bytes instanceof Uint8Array)
  }))

  test('pools work with fake timers', withFakeTimers(() => withPool(async (run) => {
    assert.equal(await run(1, 'double'), 2)
    assert.equal(await run(2, 'double', { timeout: 60_000 }), 4)
  })))

  test('channels and locks work with fake timers', withFakeTimers(async () => {
    const channel = new Channel()
    const received = channel.receive()
    await channel.send(3)
    assert.equal((await received).value, 3)
    const { code } = await channel.receive({ timeout: 20 }).catch((error) => error)
    assert.equal(code, 'ERR_TELAR_TIMEOUT')
    const mutex = new Mutex()
    await mutex.lock()
    const waiting = mutex.lock()
    mutex.unlock()
    await waiting
    mutex.unlock()
  }))
}
