'use strict'

const assert = require('node:assert/strict')
const { createSecretKey } = require('node:crypto')
const { open } = require('node:fs/promises')
const net = require('node:net')
const { test } = require('node:test')
const { transferableAbortSignal } = require('node:util')
const vm = require('node:vm')
const { MessageChannel } = require('node:worker_threads')
const { Channel } = require('../..')
const {
  isMovable, isTransferable, kQueueOptions, kTransferable, kValue, markMovable, move
} = require('../../lib/transport/move')
const Piscina = require('../../lib/piscina')
const { Codec } = require('../fixtures/codec')
const { usePool } = require('../fixtures/use-pool')

test('the symbols are the ones that Piscina registered', () => {
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

test('a moved buffer or port is both the value and what is transferred', (t) => {
  const { port1, port2 } = new MessageChannel()
  t.after(() => { port1.close(); port2.close() })
  for (const value of [new ArrayBuffer(8), port1]) {
    const moved = move(value)
    assert.ok(isMovable(moved))
    assert.equal(moved[kTransferable], value)
    assert.equal(moved[kValue], value)
  }
})

test('a moved view is the value, and its buffer is transferred', () => {
  for (const view of [new Uint16Array(4), new DataView(new ArrayBuffer(8), 2), Buffer.alloc(4)]) {
    const moved = move(view)
    assert.equal(moved[kTransferable], view.buffer)
    assert.equal(moved[kValue], view)
  }
})

test('a Buffer from a pool cannot be transferred and stays as it is', () => {
  for (const buffer of [
    Buffer.from('text'),
    Buffer.allocUnsafe(100),
    new Codec().roundTrip(Buffer.from('received'))
  ]) {
    assert.equal(move(buffer), buffer)
    assert.equal(isMovable(buffer), false)
  }
})

test('an object with both symbols is marked and not wrapped', () => {
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

test('move() of a moved value returns the same value', () => {
  const moved = move(new ArrayBuffer(8))
  assert.equal(move(moved), moved)
})

test('another copy of the module recognizes the mark', () => {
  const file = require.resolve('../../lib/transport/move')
  const cached = require.cache[file]
  delete require.cache[file]
  const copy = require('../../lib/transport/move')
  require.cache[file] = cached
  assert.notEqual(copy.move, move)
  assert.ok(copy.isMovable(move(new ArrayBuffer(8))))
})

const never = {
  'a plain object': () => ({ buffer: new ArrayBuffer(8) }),
  'an object without a prototype': () => Object.create(null),
  'an object of another realm': () => vm.runInNewContext('({ a: 1 })'),
  'an array': () => [new ArrayBuffer(8)],
  'an array of another realm': () => vm.runInNewContext('[]'),
  'an instance': () => new (class Report { pages = 1 })(),
  'a Map': () => new Map(),
  'a Date': () => new Date(),
  'an error': () => new Error('no'),
  'a promise': () => Promise.resolve(),
  'a proxy': () => new Proxy(new ArrayBuffer(8), {}),
  'a SharedArrayBuffer': () => new SharedArrayBuffer(8),
  'a view on a SharedArrayBuffer': () => new Uint8Array(new SharedArrayBuffer(8)),
  'an object with one of the two symbols': () => ({ [kTransferable]: new ArrayBuffer(8) })
}

for (const [name, make] of Object.entries(never)) {
  test(`move() refuses ${name}, and Piscina.move() leaves it to the platform`, () => {
    assert.throws(() => move(make()), (error) => {
      assert.equal(error.code, 'ERR_TELAR_INVALID_ARGUMENT')
      assert.ok(error instanceof TypeError)
      assert.match(error.message,
        /^Expected move\(\) to get an ArrayBuffer, a view .* but received .*\. .*without move\(\)/i)
      return true
    })
    const value = make()
    assert.equal(Piscina.move(value)[kValue], value)
  })
}

test('move() leaves to the platform what some version of Node can transfer', async (t) => {
  const handle = await open(__filename)
  t.after(() => handle.close())
  const { port1 } = new MessageChannel()
  t.after(() => port1.close())
  const values = [
    handle, port1, new ReadableStream(), new WritableStream(),
    new TransformStream(), new Blob([]), new net.BlockList(),
    transferableAbortSignal(new AbortController().signal),
    createSecretKey(Buffer.from('key')), new ArrayBuffer(8, { maxByteLength: 16 })
  ]
  for (const value of values) assert.equal(move(value)[kTransferable], value)
})

test('the result of move() is refused as a part of a value', async (t) => {
  const pool = usePool(t, 'values.js')
  const refused = { name: 'DataCloneError', message: /What move\(\) returned.* transferList/ }
  const buffer = Buffer.alloc(100_000)
  await assert.rejects(pool.run({ part: move(buffer) }), refused)
  await assert.rejects(pool.run(10, { name: 'moveInside' }), refused)
  await assert.rejects(new Channel().send(move(buffer)), refused)
  assert.equal(buffer.length, 100_000)
})
