'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { MessageChannel } = require('node:worker_threads')
const { Codec } = require('./fixtures/codec')
const { isMovable, isTransferable, kQueueOptions, kTransferable, kValue, markMovable, move } = require('../lib/move')

test('the symbols are those that Piscina registered', () => {
  assert.equal(kTransferable, Symbol.for('Piscina.transferable'))
  assert.equal(kValue, Symbol.for('Piscina.valueOf'))
  assert.equal(kQueueOptions, Symbol.for('Piscina.queueOptions'))
})

test('primitives and functions come back as they are', () => {
  const functionValue = () => {}
  for (const value of [null, undefined, 0, NaN, 'text', true, 1n, Symbol.iterator, functionValue]) {
    assert.ok(Object.is(move(value), value))
    assert.equal(isMovable(value), false)
  }
})

test('a buffer and a port stand for themselves', (t) => {
  const { port1, port2 } = new MessageChannel()
  t.after(() => { port1.close(); port2.close() })
  for (const value of [new ArrayBuffer(8), port1]) {
    const moved = move(value)
    assert.ok(isMovable(moved))
    assert.equal(moved[kTransferable], value)
    assert.equal(moved[kValue], value)
  }
})

test('a view is the value, its buffer what is transferred', () => {
  for (const view of [new Uint16Array(4), new DataView(new ArrayBuffer(8), 2), Buffer.alloc(4)]) {
    const moved = move(view)
    assert.equal(moved[kTransferable], view.buffer)
    assert.equal(moved[kValue], view)
  }
})

test('a Buffer in a pool cannot be transferred, and is left as it is', () => {
  for (const buffer of [Buffer.from('text'), Buffer.allocUnsafe(100), new Codec().roundTrip(Buffer.from('received'))]) {
    assert.equal(move(buffer), buffer)
    assert.equal(isMovable(buffer), false)
  }
})

test('an object that knows how it is transferred is marked, not wrapped', () => {
  class Own {
    buffer = new ArrayBuffer(4)
    get [kTransferable] () { return this.buffer }
    get [kValue] () { return 'value' }
  }
  const own = new Own()
  assert.ok(isTransferable(own))
  assert.equal(isMovable(own), false)
  assert.equal(move(own), own)
  assert.ok(isMovable(own))
  assert.deepEqual(Object.keys(own), ['buffer'], 'the mark is hidden')
})

test('an object without the two symbols is not transferable', () => {
  assert.equal(isTransferable({ [kTransferable]: {} }), false)
  assert.equal(isTransferable({ [kValue]: {} }), false)
  const object = {}
  markMovable(object)
  assert.equal(isMovable(object), false)
})

test('moving twice is moving once', () => {
  const moved = move(new ArrayBuffer(8))
  assert.equal(move(moved), moved)
})

test('another copy of the module knows the mark', () => {
  const file = require.resolve('../lib/move')
  const cached = require.cache[file]
  delete require.cache[file]
  const copy = require('../lib/move')
  require.cache[file] = cached
  assert.notEqual(copy.move, move)
  assert.ok(copy.isMovable(move(new ArrayBuffer(8))))
})
