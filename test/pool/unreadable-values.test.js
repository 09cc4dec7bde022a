'use strict'

// A value that arrives and cannot be deserialized rejects its own task and no other. A task whose
// error cannot be sent settles, too.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { MessageChannel } = require('node:worker_threads')
const { Unreadable, ValuePort } = require('../../lib/transport/value-port')
const { ofNoClass, nested } = require('../fixtures/unreadable')
const { kindsOfUnsendable } = require('../fixtures/tasks/unreadable')
const { usePool } = require('../fixtures/use-pool')

const unreadable = (cause) => (error) => {
  assert.equal(error.code, 'ERR_TELAR_UNREADABLE_VALUE', error.stack)
  assert.match(error.message, /could not deserialize it: .+\. Send /)
  assert.match(error.message, cause)
  assert.match(error.cause.message, cause)
  return true
}
const noClass = unreadable(/no_such_file/)

// Only the platform serializes this value, so it travels by port.
const byPort = (value) => ({ value, memory: new SharedArrayBuffer(4) })

test('a value that the worker cannot deserialize rejects only its own task', async (t) => {
  const pool = usePool(t, 'unreadable.js')
  for (let i = 0; i < 3; i++) {
    await assert.rejects(pool.run(ofNoClass()), noClass)
    assert.equal((await pool.run(byPort(i))).value, i)
    assert.equal(await pool.run(i), i)
  }
})

test('a value that is too deep for the stack of the worker rejects its task', async (t) => {
  const pool = usePool(t, 'unreadable.js', { resourceLimits: { stackSizeMb: 0.5 } })
  await assert.rejects(pool.run(nested(3000)), unreadable(/Maximum call stack/))
  assert.equal((await pool.run(byPort(1))).value, 1)
})

test('a result that the owner cannot deserialize rejects only its own task', async (t) => {
  const pool = usePool(t, 'unreadable.js')
  for (let i = 0; i < 3; i++) {
    await assert.rejects(pool.run(i, { name: 'unreadable' }), noClass)
    await assert.rejects(pool.run(i, { name: 'throwUnreadable' }), noClass)
    assert.equal((await pool.run(byPort(i))).value, i)
  }
})

test('an unreadable value of an aborted task does not affect the next task', async (t) => {
  const pool = usePool(t, 'unreadable.js',
    { minThreads: 1, maxThreads: 1, concurrentTasksPerWorker: 1 })
  const controller = new AbortController()
  // The worker still starts.
  const aborted = pool.run(ofNoClass(), { signal: controller.signal })
  controller.abort()
  const next = pool.run(byPort('next'))
  await assert.rejects(aborted, { name: 'AbortError' })
  assert.equal((await next).value, 'next')
})

test('each of many tasks gets its own value or its own failure', async (t) => {
  const pool = usePool(t, 'unreadable.js',
    { minThreads: 2, maxThreads: 2, concurrentTasksPerWorker: 4 })
  const runs = Array.from({ length: 600 }, async (_, i) => {
    switch (i % 6) {
      case 0: return assert.rejects(pool.run(ofNoClass()), noClass)
      case 1: return assert.rejects(pool.run(i, { name: 'unreadable' }), noClass)
      case 2: return assert.equal((await pool.run(byPort(i))).value, i)
      // The name reaches the worker by port.
      case 3: return assert.deepEqual(await pool.run(i, { name: `named${i % 20}` }),
        { named: i % 20, value: i })
      case 4: return assert.rejects(pool.run(ofNoClass(), { name: `named${i % 20}` }), noClass)
      default: return assert.equal(await pool.run(i), i)
    }
  })
  await Promise.all(runs)
})

test('a value that cannot be sent takes no number, and the next ones arrive', async (t) => {
  const pool = usePool(t, 'unreadable.js')
  for (let i = 0; i < 3; i++) {
    await assert.rejects(pool.run(byPort(() => {})), { name: 'DataCloneError' })
    await assert.rejects(pool.run(ofNoClass()), noClass)
    await assert.rejects(pool.run(i, { name: 'unreadable' }), noClass)
    assert.equal((await pool.run(byPort(i))).value, i)
  }
})

test('messages keep their order and numbers if a getter sends others', (t) => {
  const { port1, port2 } = new MessageChannel()
  t.after(() => port1.close())
  const [from, to] = [new ValuePort(port1), new ValuePort(port2)]
  const sent = []
  const send = (value) => sent.push(from.send({ value }))
  send({
    get inner () {
      send({
        get inner () {
          send(ofNoClass())
          assert.throws(() => send(() => {}), { name: 'DataCloneError' })
          return 1
        }
      })
      send(ofNoClass())
      return 2
    }
  })
  assert.throws(() => from.send({ value: 3 }, [port1]), { name: 'DataCloneError' })
  send(4)
  const received = []
  for (let message; (message = to.receive()) !== undefined;) received.push(message)
  assert.deepEqual(received.map(({ message }) => message), sent)
  assert.deepEqual(sent, [1, 2, 3, 4, 5])
  const values = received.map((message) =>
    message instanceof Unreadable ? 'unreadable' : message.value)
  assert.deepEqual(values, ['unreadable', { inner: 1 }, 'unreadable', { inner: 2 }, 4])
})

test('values that an accessor sends are not mixed up with its own value', async (t) => {
  const pool = usePool(t, 'unreadable.js', { concurrentTasksPerWorker: 8 })
  await pool.run(0) // so that there is a worker to send to
  const runs = []
  const send = (i, depth) => {
    const value = { i, depth, memory: new SharedArrayBuffer(4) }
    if (depth > 0) {
      Object.defineProperty(value, 'inner',
        { enumerable: true, get () { send(i, depth - 1); return `inner of ${i}` } })
      Object.defineProperty(value, 'unreadable', {
        enumerable: true,
        get () { runs.push(assert.rejects(pool.run(ofNoClass()), noClass)); return i }
      })
    }
    runs.push(pool.run(value).then((result) =>
      assert.deepEqual([result.i, result.depth], [i, depth])))
  }
  for (let i = 0; i < 50; i++) {
    send(i, 2)
    await Promise.all(runs.splice(0))
  }
})

for (const kind of kindsOfUnsendable) {
  test(`a task settles whatever the size of its unsendable error: ${kind}`, async (t) => {
    const pool = usePool(t, 'unreadable.js', { sharedMemory: 1 << 20 })
    for (const size of [10, 300, 10_000, 2_000_000]) {
      for (const name of ['giveUnsendable', 'giveUnsendableLater']) {
        const error = await pool.run({ kind, size }, { name })
          .then(() => assert.fail('resolved'), (error) => error)
        if (kind === 'getter of a null') assert.equal(error, null)
        else assert.equal(Object.getPrototypeOf(error), Error.prototype)
        if (kind === 'getter' || kind === 'getter of an error') {
          assert.equal(error.message, 'm'.repeat(size))
        }
        if (kind === 'getter of an error') assert.equal(error.name, 'TypeError')
      }
      await assert.rejects(pool.run({ size }, { name: 'throwUnsendable' }),
        { name: 'DataCloneError' })
      assert.equal(await pool.run(size), size)
    }
  })
}

test('tasks whose errors cannot be sent settle while the memory is in use', async (t) => {
  const pool = usePool(t, 'unreadable.js', { sharedMemory: 1 << 20, concurrentTasksPerWorker: 16 })
  const waiting = Array.from({ length: 200 }, () => pool.run('v'.repeat(60_000)))
  const failing = Array.from({ length: 200 }, () => pool.run({ kind: 'getter', size: 60_000 },
    { name: 'giveUnsendable' }).catch((error) => error.message.length))
  assert.deepEqual(await Promise.all(failing), new Array(200).fill(60_000))
  await Promise.all(waiting)
})
