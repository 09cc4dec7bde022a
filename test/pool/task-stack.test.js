'use strict'

// The error of a task that is over its timeout says where the task was.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { outcomes } = require('../fixtures/fault-helpers')
const { runProgram } = require('../fixtures/run-program')
const { abortable, useSteered } = require('../fixtures/use-steered')

const limit = { timeout: 60_000 }
const options = (name, abort) => ({ name, abort, timeout: 100, graceMs: 60_000 })
const failureOf = (promise) => promise.then(() => null, (error) => error)

for (const abort of ['terminate', 'cooperative', 'interrupt']) {
  test(`${abort}: the error has the stack of an endless loop`, limit, async (t) => {
    const { gate, pool } = useSteered(t)
    const name = abort === 'cooperative' ? 'spinUntilOpen' : 'spin'
    const graceMs = abort === 'interrupt' ? 0 : Infinity
    const error = await failureOf(pool.run(1, { ...options(name, abort), graceMs }))
    assert.deepEqual([error.code, error.phase], ['ERR_TELAR_TIMEOUT', 'run'])
    assert.match(error.taskStack, /^ {4}at .*spin\w* \(.*steered\.js:\d+:\d+\)/)
    assert.doesNotMatch(error.taskStack, /main\.js|interrupts\.js/)
    gate.open(0)
    assert.equal(await pool.run(7), 7)
  })
}

test('a task that waits has no stack, and the error says so', limit, async (t) => {
  const { pool } = useSteered(t)
  const error = await failureOf(pool.run(1, { ...options('never', 'interrupt'), graceMs: 0 }))
  assert.equal(error.phase, 'run')
  assert.match(error.taskStack ?? '', /no stack: it waits/)
})

test('errors of other aborts have no stack', limit, async (t) => {
  const { gate, pool } = useSteered(t)
  const { stop, options } = abortable('interrupt', 'spin')
  const running = failureOf(pool.run(1, options))
  await gate.reached(1, 1)
  const waiting = failureOf(pool.run(3, { queueTimeout: 1 }))
  const late = await waiting
  stop.abort()
  for (const error of [await running, late]) {
    assert.equal(Object.hasOwn(error, 'taskStack'), false)
  }
})

test('tasks that are over their timeout together reject together', limit, async (t) => {
  const { pool } = useSteered(t, { concurrentTasksPerWorker: 100 })
  const running = Array.from({ length: 90 }, () =>
    pool.run(1, { name: 'waitForSignal', timeout: 50, abort: 'cooperative' }))
  for (const { reason } of await outcomes(running)) assert.equal(reason.phase, 'run')
  assert.equal(await pool.run(7), 7)
  assert.equal(pool.completed, 91)
})

test('destroy() does not keep such a task from rejecting', limit, async (t) => {
  const { gate, pool } = useSteered(t)
  const running = failureOf(pool.run(1, options('spin', 'terminate')))
  await gate.reached(1, 1)
  await new Promise((resolve) => setTimeout(resolve, 110))
  await pool.destroy()
  const { code } = await running
  assert.ok(code === 'ERR_TELAR_TIMEOUT' || code === 'ERR_TELAR_TERMINATED', code)
  assert.equal(await pool.run(7), 7)
  assert.equal(pool.completed, 2)
})

test('a program that only waits for the rejection gets it, and ends', limit, async () => {
  const program = `
    const { Pool } = require(${JSON.stringify(require.resolve('../..'))})
    const code = 'data:text/javascript,export default () => { for (;;); }'
    const pool = new Pool({ filename: code, maxThreads: 1, timeout: 20 })
    pool.run(1).catch((error) => console.log(error.phase, typeof error.taskStack))`
  const { code, stdout } = await runProgram(['-e', program])
  assert.deepEqual([code, stdout.trim()], [0, 'run string'])
})

test('where there is no inspector, the error has no stack', limit, async (t) => {
  const { pool } = useSteered(t)
  const program = `
    const { Pool } = require(telar)
    return async () => {
      const pool = new Pool({ filename: 'data:text/javascript,export default () => { for (;;); }' })
      const error = await pool.run(1, { timeout: 20 }).catch((error) => error)
      await pool.destroy()
      return [error.phase, typeof error.taskStack]
    }`
  const source = `import { createRequire } from 'node:module'
    const require = createRequire(${JSON.stringify(__filename)})
    const telar = '../..'
    export default (() => { ${program} })()`
  const filename = `data:text/javascript,${encodeURIComponent(source)}`
  assert.deepEqual(await pool.run(1, { filename }), ['run', 'undefined'])
})
