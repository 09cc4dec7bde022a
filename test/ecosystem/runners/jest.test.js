'use strict'

/* global jest, test */
const assert = require('node:assert')

require('./suite')({
  test, fake: { start: () => jest.useFakeTimers(), stop: () => jest.useRealTimers() }
})

test('copies of one module registry after the other share their objects', async () => {
  const first = require('telar')
  jest.resetModules()
  const second = require('telar')
  assert.notEqual(second.Mutex, first.Mutex)
  const mutex = new first.Mutex()
  assert.equal(second.Mutex.from(mutex), mutex)
  const filename = require.resolve('./tasks.js')
  for (const { Pool } of [first, second]) {
    const pool = new Pool({ filename, name: 'echo', maxThreads: 1 })
    assert.equal(await pool.run(mutex), mutex)
    const error = await pool.run(0, { nam: 'echo' }).catch((error) => error)
    assert.ok(error instanceof first.TelarError && error instanceof second.TelarError)
    assert.ok(error instanceof TypeError)
    await pool.close()
  }
})
