'use strict'

// Buffers that are moved, in tasks and in results. Small ones are copied and detached, large ones
// are transferred: nobody can tell.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { MessageChannel, markAsUntransferable } = require('node:worker_threads')
const { move } = require('../..')
const Piscina = require('../../lib/piscina')
const { until } = require('../fixtures/until')
const { endAfter, task, usePool } = require('../fixtures/use-pool')

const limit = { timeout: 60_000 }
const kMiB = 2 ** 20
const lengths = [0, 8, 1000, 65_536, kMiB / 2 - 8, kMiB / 2, kMiB, 20 * kMiB]
const nodeMajor = Number(process.versions.node.split('.')[0])

const movedPool = (t, options) => usePool(t, 'moved.js', options)
const as = (pool, name, value, options) => pool.run(value, { name, ...options })

function filled (length) {
  const buffer = new ArrayBuffer(length)
  new Uint8Array(buffer).fill(7)
  return buffer
}

function assertFilled (buffer, length) {
  assert.ok(buffer instanceof ArrayBuffer)
  assert.equal(buffer.byteLength, length)
  assert.ok(new Uint8Array(buffer).every((byte) => byte === 7))
}

// Blocks the only worker of a pool, and returns a function that lets it go on.
async function block (pool) {
  const words = new Int32Array(new SharedArrayBuffer(8))
  const blocked = as(pool, 'block', words)
  await until(() => Atomics.load(words, 1) === 1)
  return async () => {
    Atomics.store(words, 0, 1)
    Atomics.notify(words, 0)
    await blocked
  }
}

for (const length of lengths) {
  test(`${length} bytes are empty at the sender and whole at the receiver`, limit, async (t) => {
    const pool = movedPool(t)
    for (const send of [
      (buffer) => pool.run(move(buffer)),
      (buffer) => pool.run(buffer, { transferList: [buffer] }),
      (buffer) => as(pool, 'move', move(buffer)),
      (buffer) => pool.run({ buffer }, { transferList: [buffer] }).then((value) => value.buffer)
    ]) {
      const buffer = filled(length)
      assertFilled(await send(buffer), length)
      assert.equal(buffer.byteLength, 0)
    }
  })

  test(`a view and a Buffer on ${length} bytes keep their place`, limit, async (t) => {
    const pool = movedPool(t)
    for (const name of ['keepAndMove', 'move']) {
      const words = new Uint16Array(filled(length + 16), 4, length / 2)
      const otherView = new Uint8Array(words.buffer)
      const back = await as(pool, name, move(words))
      assert.equal(words.length, 0)
      assert.equal(otherView.length, 0)
      assert.ok(back instanceof Uint16Array)
      assert.deepEqual([back.byteOffset, back.length, back.buffer.byteLength],
        [4, length / 2, length + 16])
      const buffer = Buffer.from(filled(length + 16), 8, length)
      const received = await as(pool, name, move(buffer))
      assert.equal(buffer.length, 0)
      assert.ok(Buffer.isBuffer(received))
      assert.deepEqual([received.byteOffset, received.length, received.buffer.byteLength],
        [8, length, length + 16])
      assert.ok(received.every((byte) => byte === 7))
    }
  })
}

test('what a task moves is empty in its worker', limit, async (t) => {
  const pool = movedPool(t)
  for (const length of lengths) {
    assertFilled(await as(pool, 'keepAndMove', filled(length)), length)
    assert.equal(await as(pool, 'isKeptEmpty'), true)
  }
})

test('several buffers of one value, some of them moved', limit, async (t) => {
  const pool = movedPool(t)
  for (const [first, second, third] of [[8, 16, 24], [kMiB, 16, kMiB], [16, kMiB, kMiB]]) {
    const value = {
      moved: [filled(first), filled(second)],
      copied: filled(third),
      view: null,
      again: null
    }
    value.view = new Uint8Array(value.moved[0])
    value.again = value.moved[1]
    const back = await pool.run(value, { transferList: value.moved })
    assert.deepEqual(value.moved.map(({ byteLength }) => byteLength), [0, 0])
    assert.equal(value.copied.byteLength, third)
    assertFilled(back.moved[0], first)
    assertFilled(back.moved[1], second)
    assertFilled(back.copied, third)
    assert.equal(back.view.buffer, back.moved[0])
    assert.equal(back.again, back.moved[1])
    const returned = await as(pool, 'moveParts', back)
    assertFilled(returned.moved[0], first)
    assert.equal(returned.again, returned.moved[1])
  }
})

test('buffers of the list that are not in the value are emptied too', limit, async (t) => {
  const pool = movedPool(t)
  for (const length of [8, kMiB]) {
    for (const value of [5, undefined, { text: 'text' }]) {
      const buffer = filled(length)
      assert.deepEqual(await pool.run(value, { transferList: [buffer] }), value)
      assert.equal(buffer.byteLength, 0)
    }
  }
})

test('a list that the platform refuses leaves everything as it was', limit, async (t) => {
  const pool = movedPool(t)
  const { port1, port2 } = new MessageChannel()
  t.after(() => port1.close())
  for (const length of [8, kMiB]) {
    const marked = filled(length)
    markAsUntransferable(marked)
    const buffer = filled(length)
    const lists = [[buffer, buffer], [buffer, 5], [buffer, {}], [buffer, port1, port1]]
    if (nodeMajor >= 22) lists.push([buffer, marked])
    for (const transferList of lists) {
      let expected
      try {
        port2.postMessage(1, transferList)
        assert.fail('the platform took it')
      } catch (error) {
        expected = error.name
      }
      for (const value of [buffer, { buffer }, 5]) {
        await assert.rejects(pool.run(value, { transferList }), { name: expected })
        assertFilled(buffer, length)
      }
    }
    await assert.rejects(as(pool, 'moveTwice', buffer), { name: 'DataCloneError' })
    await assert.rejects(pool.run({ buffer, bad () {} }, { transferList: [buffer] }),
      { name: 'DataCloneError' })
    assertFilled(buffer, length)
  }
})

test('an empty list is as none', limit, async (t) => {
  const pool = movedPool(t)
  const bytes = Buffer.from('bytes')
  const { nested } = await pool.run({ nested: bytes }, { transferList: [] })
  assert.ok(Buffer.isBuffer(nested))
  assert.equal(bytes.toString(), 'bytes')
})

test('a resizable buffer and a port beside a buffer are left to the platform', limit, async (t) => {
  const pool = movedPool(t)
  const resizable = new ArrayBuffer(8, { maxByteLength: 16 })
  assert.equal((await pool.run(resizable, { transferList: [resizable] })).maxByteLength, 16)
  assert.equal(resizable.byteLength, 0)
  const { port1, port2 } = new MessageChannel()
  t.after(() => port1.close())
  const buffer = filled(8)
  assert.equal(await as(pool, 'size', { byteLength: 1, buffer, port2 }, {
    transferList: [port2, buffer]
  }), 1)
  assert.equal(buffer.byteLength, 0)
})

test('a task without a signal is copied and emptied at once', limit, async (t) => {
  const pool = movedPool(t)
  const goOn = await block(pool)
  const buffer = filled(16)
  const sent = pool.run(move(buffer))
  assert.equal(buffer.byteLength, 0)
  await goOn()
  assertFilled(await sent, 16)
})

test('a task that is aborted while it waits has moved nothing', limit, async (t) => {
  const pool = movedPool(t)
  for (const length of [8, kMiB]) {
    const goOn = await block(pool)
    const controller = new AbortController()
    const buffer = filled(length)
    const sent = pool.run(buffer, { transferList: [buffer], signal: controller.signal })
    assert.equal(buffer.byteLength, length)
    controller.abort()
    await assert.rejects(sent, { name: 'AbortError' })
    await goOn()
    assertFilled(buffer, length)
    const { signal } = new AbortController()
    assertFilled(await pool.run(buffer, { transferList: [buffer], signal }), length)
  }
})

test('many moved values at once, more than there are slots and memory for', limit, async (t) => {
  const pool = movedPool(t, { minThreads: 2, maxThreads: 2, sharedMemory: kMiB })
  const all = await Promise.all(Array.from({ length: 5000 }, (_, i) =>
    as(pool, i % 2 === 0 ? 'size' : 'move', move(filled(i)))))
  all.forEach((result, i) => {
    if (i % 2 === 0) assert.equal(result, i)
    else assertFilled(result, i)
  })
})

test('Piscina.move() and a load balancer', limit, async (t) => {
  const pool = endAfter(t, new Piscina({
    filename: task('moved.js'), loadBalancer: (_, [worker]) => worker ?? null
  }))
  for (const length of [8, kMiB]) {
    const buffer = filled(length)
    assertFilled(await pool.run(Piscina.move(buffer), { name: 'move' }), length)
    assert.equal(buffer.byteLength, 0)
  }
})
