'use strict'

// ready(): the workers of the pool can take tasks, or it is known why not.

const assert = require('node:assert/strict')
const path = require('node:path')
const { test } = require('node:test')
const { createGate, faces, filename, usePool } = require('../fixtures/fault-helpers')
const { runProgram } = require('../fixtures/run-program')

const limit = { timeout: 30_000 }
const boot = (name) => path.join(__dirname, '..', 'fixtures', 'boot', name)

for (const [face, Class] of faces) {
  test(`${face}: ready() resolves when minThreads workers have loaded`, limit, async (t) => {
    const gate = createGate()
    const pool = usePool(t, Class,
      { filename: boot('fails-at.js'), minThreads: 3, maxThreads: 3, workerData: gate.buffer })
    assert.equal(await pool.ready(), undefined)
    assert.equal(gate.count(0), 3)
    await Promise.all([pool.ready(), pool.ready()]) // at once
    assert.equal(gate.count(0), 3)
  })

  test(`${face}: ready() resolves at once if minThreads is 0`, limit, async (t) => {
    const pool = usePool(t, Class, { minThreads: 0, maxThreads: 2 })
    await pool.ready()
    assert.equal(pool.threads.length, 0)
  })

  for (const [file, code] of [
    ['throws.js', 'E_LOAD'], ['rejects.mjs', 'E_LOAD'], ['exits.js', 'ERR_TELAR_WORKER_EXITED'],
    ['missing.js', 'MODULE_NOT_FOUND']
  ]) {
    for (const minThreads of [1, 3]) {
      const title = `${face}: ${file}, ${minThreads} threads`
      test(`${title}: ready() rejects, and no 'error' is emitted`, limit, async (t) => {
        const gate = createGate()
        const pool = usePool(t, Class,
          { filename: boot(file), minThreads, maxThreads: 3, workerData: gate.buffer })
        const errors = []
        pool.on('error', (error) => errors.push(error))
        await assert.rejects(pool.ready(), { code })
        assert.deepEqual(pool.threads, [])
        await assert.rejects(pool.ready(), { code }) // it tries again
        assert.deepEqual(errors, [])
      })
    }
  }

  test(`${face}: ready() rejects if one of the workers fails`, limit, async (t) => {
    const gate = createGate()
    gate.set(2, 0b010)
    const pool = usePool(t, Class,
      { filename: boot('fails-at.js'), minThreads: 3, maxThreads: 3, workerData: gate.buffer })
    const errors = []
    pool.on('error', (error) => errors.push(error))
    await assert.rejects(pool.ready(), { message: 'load 1 fails' })
    await pool.ready() // the pool has replaced it
    assert.deepEqual(errors, [])
    assert.equal(gate.count(0), 4)
  })

  test(`${face}: ready() and a task that waits both reject with the error`, limit, async (t) => {
    const gate = createGate()
    const pool = usePool(t, Class,
      { filename: boot('throws.js'), minThreads: 1, maxThreads: 1, workerData: gate.buffer })
    const settled = await Promise.allSettled([pool.ready(), pool.run(1)])
    assert.deepEqual(settled.map(({ reason }) => reason.code), ['E_LOAD', 'E_LOAD'])
  })

  test(`${face}: ready() rejects when the pool is destroyed or closing`, limit, async (t) => {
    const pool = usePool(t, Class, { minThreads: 2, maxThreads: 2 })
    const early = assert.rejects(pool.ready(), { code: 'ERR_TELAR_TERMINATED' })
    const destroyed = pool.destroy()
    await assert.rejects(pool.ready(), { code: 'ERR_TELAR_ABORTED' })
    await Promise.all([early, destroyed])
    await pool.ready() // it starts the workers again
    assert.equal(pool.threads.length, 2)
  })

  test(`${face}: ready() rejects with what new Worker throws`, limit, async (t) => {
    const pool = usePool(t, Class, { minThreads: 0, maxThreads: 1, execArgv: ['--no-such-flag'] })
    pool.on('error', () => {})
    pool.resize({ minThreads: 1 })
    await assert.rejects(pool.ready(), { code: 'ERR_WORKER_INVALID_EXEC_ARGV' })
  })
}

test('a program that only waits for ready() stays alive', limit, async () => {
  const { code, stdout } = await runProgram(['-e', `
    const { Pool } = require(${JSON.stringify(path.join(__dirname, '..', '..'))})
    const pool = new Pool({ filename: ${JSON.stringify(filename)}, minThreads: 1, maxThreads: 1 })
    pool.ready().then(() => console.log('ready'))
  `])
  assert.equal(stdout, 'ready\n')
  assert.equal(code, 0)
})
