'use strict'

// How a process with pools lives and ends. Each case runs a program of fixtures/lifecycle in a
// process of its own.

const assert = require('node:assert/strict')
const path = require('node:path')
const { test } = require('node:test')
const { runProgram } = require('../fixtures/run-program')

// Far more than the promised 200 ms, so that a busy machine does not fail the test.
const kEndWithinMs = 1000

const program = (name) => path.join(__dirname, '..', 'fixtures', 'lifecycle', name)

// ---- The process ends by itself, and not before its tasks ----

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
  test(`a process ends by itself with all its output: ${name}`, async () => {
    const { code, signal, stdout, stderr } = await runProgram([program('natural.js'), name])
    assert.equal(stderr, '')
    assert.equal(stdout.trim(), expected)
    assert.deepEqual([code, signal], [0, null])
  })
}

// ---- The process is ended, whatever its pools are doing ----

const states = [
  'booting', 'idle', 'spinning', 'sleeping', 'queued', 'saturated', 'destroying', 'closing',
  'several', 'nested'
]

for (const state of states) {
  for (const [way, expectedCode] of [['exit', 3], ['uncaught', 1], ['rejection', 1]]) {
    test(`a process ends soon by ${way} with a pool that is ${state}`, async (t) => {
      const args = [program('exit.js'), state, way]
      const { code, signal, stdout, stderr, endedAt } = await runProgram(args)
      assert.deepEqual([code, signal], [expectedCode, null], stderr)
      if (way === 'exit') assert.equal(stderr, '')
      else assert.match(stderr, /Error: of the owner/)
      const took = endedAt - Number(/end at (\d+)/.exec(stdout)[1])
      t.diagnostic(`${took} ms`)
      assert.ok(took <= kEndWithinMs, `the process took ${took} ms to end`)
    })
  }

  test(`a process ends soon by SIGTERM with a pool that is ${state}`, async (t) => {
    let sentAt = 0
    const onOutput = ({ stdout }, child) => {
      if (sentAt !== 0 || !stdout.includes('ready')) return
      sentAt = Date.now()
      child.kill('SIGTERM')
    }
    const args = [program('exit.js'), state, 'signal']
    const { signal, stderr, endedAt } = await runProgram(args, { onOutput })
    assert.equal(signal, 'SIGTERM', stderr)
    assert.equal(stderr, '')
    const took = endedAt - sentAt
    t.diagnostic(`${took} ms`)
    assert.ok(took <= kEndWithinMs, `the process took ${took} ms to end`)
  })
}

// ---- Owners that are not the main thread, or not the only ones ----

for (const [name, expected, what] of [
  ['only-workers.js', 'survived', 'a process survives pools that only its workers own'],
  ['owner-dies.js', 'survived', 'a process survives the end of workers that own a pool'],
  ['cluster.js', '100 100 100', 'each process of a cluster has a pool of its own']
]) {
  test(what, async () => {
    const { code, signal, stdout, stderr } = await runProgram([program(name)])
    assert.deepEqual([code, signal], [0, null], stderr)
    assert.equal(stdout.trim(), expected)
    assert.equal(stderr, '')
  })
}
