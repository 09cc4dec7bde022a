'use strict'

// How processes live and end with pools in them. Each case is a process of its
// own: a program of fixtures/lifecycle.

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')

// Far above the 200 ms that are promised: a busy machine is no failure.
const kEndWithinMs = 1000
const kWholeProcessMs = 60_000

const program = (name) => path.join(__dirname, '..', 'fixtures', 'lifecycle', name)

// Runs a program to its end. `onOutput` may act on the child when it has printed.
function run (args, onOutput = () => {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: kWholeProcessMs, killSignal: 'SIGKILL' })
    const result = { code: null, signal: null, stdout: '', stderr: '', endedAt: 0 }
    child.stdout.setEncoding('utf8').on('data', (text) => {
      result.stdout += text
      onOutput(result, child)
    })
    child.stderr.setEncoding('utf8').on('data', (text) => { result.stderr += text })
    child.on('error', reject)
    child.on('exit', () => { result.endedAt = Date.now() })
    child.on('close', (code, signal) => resolve({ ...result, code, signal }))
  })
}

// ---- the process ends by itself, and not before its tasks ----

const natural = {
  untouched: 'created',
  idle: 'result',
  idleAbove: 'first second',
  slow: 'slow result',
  waiting: '3',
  manyWaiting: '10000',
  ownQueue: '3',
  balancer: '3',
  balancerAlone: 'ran',
  balancerLater: 'ran',
  abortedLast: '9',
  destroyed: 'destroyed',
  closed: 'closed',
  closedWithTimer: 'slow result',
  last: 'thousand',
  print: 'from the task\nafter it',
  printAndExit: Array.from({ length: 100 }, (_, i) => `line ${i}`).join('\n'),
  nested: 'deep',
  nestedLeft: 'deep\ndestroyed',
  several: '0 0 1 1 2 2 3 3 4 4',
  manyOwners: '0 0 1 1 2 2 3 3 4 4\n'.repeat(3) + '0 0 0'
}

for (const [name, expected] of Object.entries(natural)) {
  test(`a process ends by itself, with all its output: ${name}`, async () => {
    const { code, signal, stdout, stderr } = await run([program('natural.js'), name])
    assert.equal(stderr, '')
    assert.equal(stdout.trim(), expected)
    assert.deepEqual([code, signal], [0, null])
  })
}

// ---- the process is ended, whatever its pools are doing ----

const states = ['booting', 'idle', 'spinning', 'sleeping', 'queued', 'saturated', 'destroying', 'closing', 'several', 'nested']

for (const state of states) {
  for (const [way, expectedCode] of [['exit', 3], ['uncaught', 1], ['rejection', 1]]) {
    test(`the end by ${way} with a pool that is ${state}`, async (t) => {
      const { code, signal, stdout, stderr, endedAt } = await run([program('exit.js'), state, way])
      assert.deepEqual([code, signal], [expectedCode, null], stderr)
      if (way === 'exit') assert.equal(stderr, '')
      else assert.match(stderr, /Error: of the owner/)
      const took = endedAt - Number(/end at (\d+)/.exec(stdout)[1])
      t.diagnostic(`${took} ms`)
      assert.ok(took <= kEndWithinMs, `the process took ${took} ms to end`)
    })
  }

  test(`the end by SIGTERM with a pool that is ${state}`, async (t) => {
    let sentAt = 0
    const { signal, stderr, endedAt } = await run([program('exit.js'), state, 'signal'], ({ stdout }, child) => {
      if (sentAt !== 0 || !stdout.includes('ready')) return
      sentAt = Date.now()
      child.kill('SIGTERM')
    })
    assert.equal(signal, 'SIGTERM', stderr)
    assert.equal(stderr, '')
    const took = endedAt - sentAt
    t.diagnostic(`${took} ms`)
    assert.ok(took <= kEndWithinMs, `the process took ${took} ms to end`)
  })
}

// ---- owners that are not the main thread, or not alone ----

for (const [name, expected] of [['only-workers.js', 'survived'], ['owner-dies.js', 'survived'], ['cluster.js', '100 100 100']]) {
  test(name, async () => {
    const { code, signal, stdout, stderr } = await run([program(name)])
    assert.deepEqual([code, signal], [0, null], stderr)
    assert.equal(stdout.trim(), expected)
    assert.equal(stderr, '')
  })
}
