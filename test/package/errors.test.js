'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { inspect } = require('node:util')
const { describe } = require('../../lib/base/describe')
const {
  AbortError, TelarError, createError, createTerminated, table
} = require('../../lib/base/errors')

test('every code makes an error that carries it', () => {
  for (const code of Object.keys(table)) {
    const error = createError(code, 'detail')
    assert.equal(error.code, code)
    assert.ok(error instanceof Error, code)
    assert.ok(error instanceof TelarError, code)
    assert.equal(typeof error.message, 'string')
    assert.notEqual(error.message, '', code)
    assert.match(code, /^ERR_TELAR_[A-Z_]+$/)
    assert.match(table[code].when, /\.$/, `${code} tells in a sentence when it occurs`)
  }
})

test('messages are the ones that users of Piscina match on', () => {
  const messages = {
    ERR_TELAR_ABORTED: 'The task has been aborted',
    ERR_TELAR_CLOSE_TIMEOUT: 'Close operation timed out',
    ERR_TELAR_FILENAME_MISSING: 'filename must be provided to run() or in options object',
    ERR_TELAR_NO_QUEUE: 'No task queue available and all Workers are busy',
    ERR_TELAR_QUEUE_FULL: 'Task queue is at limit',
    ERR_TELAR_TERMINATED: 'Terminating worker thread'
  }
  for (const [code, message] of Object.entries(messages)) {
    assert.equal(createError(code).message, message)
  }
  assert.equal(createError('ERR_TELAR_WORKER_EXITED', 42).message, 'worker exited with code: 42')
  assert.equal(createError('ERR_TELAR_NO_HANDLER', '/a.js', 'why').message,
    'No handler function exported from /a.js: why')
  assert.deepEqual(createTerminated(), createError('ERR_TELAR_TERMINATED'))
})

test('invalid arguments are TypeErrors, conflicts RangeErrors, and both TelarErrors', () => {
  const type = createError('ERR_TELAR_INVALID_ARGUMENT', 'no')
  const range = createError('ERR_TELAR_OPTION_CONFLICT', 'no')
  assert.ok(type instanceof TypeError)
  assert.equal(type.name, 'TypeError')
  assert.ok(range instanceof RangeError)
  assert.equal(range.name, 'RangeError')
  assert.ok(type instanceof TelarError && range instanceof TelarError)
  assert.equal(createError('ERR_TELAR_QUEUE_FULL') instanceof TypeError, false)
})

test('instanceof TelarError is false for other values', () => {
  for (const other of [
    new Error('x'), new TypeError('x'), null, undefined, 'text', { code: 'ERR_TELAR_ABORTED' }
  ]) {
    assert.equal(other instanceof TelarError, false)
  }
  assert.equal(createError('ERR_TELAR_QUEUE_FULL') instanceof AbortError, false)
})

test('instanceof TelarError is true for errors of another copy of telar', () => {
  const file = require.resolve('../../lib/base/errors')
  const cached = require.cache[file]
  delete require.cache[file]
  const copy = require('../../lib/base/errors')
  require.cache[file] = cached
  assert.notEqual(copy.TelarError, TelarError)
  assert.ok(copy.createError('ERR_TELAR_INVALID_ARGUMENT', 'no') instanceof TelarError)
})

test('an AbortError has its reason as the cause, even if that is undefined', () => {
  const reason = new Error('because')
  const error = new AbortError(reason)
  assert.equal(error.name, 'AbortError')
  assert.equal(error.code, 'ERR_TELAR_ABORTED')
  assert.equal(error.cause, reason)
  assert.ok(Object.hasOwn(new AbortError(), 'cause'))
  assert.equal(createError('ERR_TELAR_ABORTED', reason).cause, reason)
})

test('an error shows only its code, and its stack starts with name and message', () => {
  const error = createError('ERR_TELAR_QUEUE_FULL')
  assert.deepEqual(Object.keys(error), ['code'])
  assert.match(error.stack, /^(TelarError|Error): Task queue is at limit\n/)
  assert.match(inspect(error), /code: 'ERR_TELAR_QUEUE_FULL'/)
})

test('describe() names what was received, and never throws', () => {
  assert.equal(describe('text'), '"text"')
  assert.equal(describe('x'.repeat(1000)), `"${'x'.repeat(40)}"… (1000 characters)`)
  assert.equal(describe(-0), '-0')
  assert.equal(describe(NaN), 'NaN')
  assert.equal(describe(10n), '10n')
  assert.equal(describe(Symbol('s')), 'Symbol(s)')
  assert.equal(describe(null), 'null')
  assert.equal(describe(undefined), 'undefined')
  assert.equal(describe([1, 2]), 'an array of 2')
  assert.equal(describe({}), 'an object')
  assert.equal(describe(Object.create(null)), 'an object')
  assert.equal(describe(new Date()), 'an instance of Date')
  assert.equal(describe(function named () {}), 'function named')
  assert.equal(describe(() => {}), 'an anonymous function')
  assert.equal(describe({ get constructor () { throw new Error('no') } }), 'an object')
})

test('the type declarations list the same codes', () => {
  const types = fs.readFileSync(path.join(__dirname, '..', '..', 'index.d.ts'), 'utf8')
  const [, union] = /export type TelarErrorCode =([^\n]*(?:\n {2}\|[^\n]*)+)/.exec(types)
  assert.deepEqual(union.match(/ERR_TELAR_[A-Z_]+/g).sort(), Object.keys(table).sort())
})
