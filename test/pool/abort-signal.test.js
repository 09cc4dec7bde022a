'use strict'

// Every call that waits and takes a signal: all of them take the same signals, and add one listener
// to each.

const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const { EventEmitter, getEventListeners } = require('node:events')
const path = require('node:path')
const { test } = require('node:test')
const { promisify } = require('node:util')
const { calls, open } = require('../fixtures/waiting-calls')
const { outcomes } = require('../fixtures/fault-helpers')

const limit = { timeout: 60_000 }

for (const name of Object.keys(calls)) {
  test(`${name}: an emitter of 'abort' works as a signal`, limit, async (t) => {
    const wait = await open(t, name)
    const signal = new EventEmitter()
    const waiting = wait({ signal })
    await new Promise(setImmediate)
    signal.emit('abort')
    await assert.rejects(waiting, { name: 'AbortError', code: 'ERR_TELAR_ABORTED' })
    assert.equal(signal.listenerCount('abort'), 0)
  })

  test(`${name}: waits that share a signal add one listener and no warning`, limit, async (t) => {
    const wait = await open(t, name)
    const warnings = []
    const onWarning = (warning) => warnings.push(warning.message)
    process.on('warning', onWarning)
    t.after(() => process.off('warning', onWarning))
    const signals = [new AbortController().signal, new EventEmitter()]
    const listenersOf = (signal) => getEventListeners(signal, 'abort').length
    const waiting = signals.map((signal) =>
      outcomes(Array.from({ length: 100 }, () => wait({ signal }))))
    await new Promise(setImmediate)
    assert.deepEqual(signals.map(listenersOf), [1, 1])
    // The signals fire after all calls have begun to listen.
    signals[1].emit('abort')
    signals[0].dispatchEvent(new Event('abort'))
    for (const settled of await Promise.all(waiting)) {
      assert.deepEqual(settled.map(({ reason }) => reason?.code),
        Array(100).fill('ERR_TELAR_ABORTED'))
    }
    assert.deepEqual(signals.map(listenersOf), [0, 0])
    assert.deepEqual(warnings, [])
  })

  test(`${name}: the first wait adds the listener and the last removes it`, limit, async (t) => {
    const wait = await open(t, name)
    const calls = { once: 0, off: 0 }
    const signal = new EventEmitter()
    signal.on('newListener', () => { calls.once++ })
    signal.on('removeListener', (event) => { if (event === 'abort') calls.off++ })
    calls.once = 0
    for (let round = 1; round <= 3; round++) {
      const waiting = outcomes(Array.from({ length: 20 }, () => wait({ signal })))
      await new Promise(setImmediate)
      assert.equal(calls.once, round)
      signal.emit('abort')
      await waiting
      assert.equal(calls.off, round)
    }
  })

  for (const member of [
    'aborted', 'addEventListener', 'once', 'call of addEventListener()', 'call of once()'
  ]) {
    test(`${name}: what a signal throws rejects the call: ${member}`, limit, async (t) => {
      const wait = await open(t, name)
      const fail = () => { throw new Error('of the signal') }
      const signal = member.startsWith('call')
        ? { [/of (\w+)/.exec(member)[1]]: fail }
        : Object.defineProperty(new EventEmitter(), member, { get: fail })
      await assert.rejects(wait({ signal }), { message: 'of the signal' })
      // The failed call leaves nothing behind.
      const after = new AbortController()
      const waiting = wait({ signal: after.signal })
      after.abort('why')
      await assert.rejects(waiting, { code: 'ERR_TELAR_ABORTED', cause: 'why' })
    })
  }

  test(`${name}: a value that is no signal is refused`, limit, async (t) => {
    const wait = await open(t, name)
    for (const signal of [1, 'abort', {}, { on () {} }]) {
      await assert.rejects(wait({ signal }), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
    }
  })

  test(`${name}: a throwing reason aborts the call and becomes the cause`, limit, async (t) => {
    const wait = await open(t, name)
    const signal = Object.defineProperty(new EventEmitter(), 'reason',
      { get () { throw new Error('no reason') } })
    const waiting = wait({ signal })
    await new Promise(setImmediate)
    signal.emit('abort')
    const error = await waiting.catch((error) => error)
    assert.equal(error.code, 'ERR_TELAR_ABORTED')
    assert.equal(error.cause.message, 'no reason')
  })

  test(`${name}: a signal that throws afterwards causes an uncaught exception`, limit, async () => {
    const program = path.join(__dirname, '..', 'fixtures', 'throwing-signal.js')
    const { stdout } = await promisify(execFile)(process.execPath, [program, name])
    assert.deepEqual(JSON.parse(stdout), { settled: ['done', 'done'], uncaught: ['of off()'] })
  })
}
