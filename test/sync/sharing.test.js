'use strict'

// How shared objects travel: each kind, each way.

const assert = require('node:assert/strict')
const path = require('node:path')
const { test } = require('node:test')
const { MessageChannel, receiveMessageOnPort, setEnvironmentData } = require('node:worker_threads')
const telar = require('../..')
const { startThread, inThread } = require('../fixtures/sync/threads')

const { Pool } = telar
const kinds = {
  Barrier: () => new telar.Barrier(2),
  Condition: () => new telar.Condition(),
  Counter: () => new telar.Counter(),
  Latch: () => new telar.Latch(2),
  Mutex: () => new telar.Mutex(),
  Once: () => new telar.Once(),
  RwLock: () => new telar.RwLock(),
  Semaphore: () => new telar.Semaphore(2)
}
const usePool = (t, options) => {
  const pool = new Pool({ filename: path.join(__dirname, '..', 'fixtures', 'sync', 'tasks.js'), minThreads: 1, maxThreads: 1, ...options })
  t.after(() => pool.destroy())
  return pool
}

for (const [kind, make] of Object.entries(kinds)) {
  test(`${kind}: a clone has one property, and from() makes the object of it`, () => {
    const object = make()
    assert.deepEqual(Object.keys(object), ['telar:shared'])
    const clone = structuredClone(object)
    assert.equal(clone instanceof telar[kind], false)
    assert.equal(telar[kind].from(clone), object, 'there is one for each thread')
    assert.equal(telar[kind].from(object), object)
  })

  test(`${kind}: by workerData, postMessage and setEnvironmentData`, async (t) => {
    const object = make()
    setEnvironmentData('telar', { object })
    const thread = startThread(t, ({ kind, nested }, telar, { getEnvironmentData, parentPort }) => {
      const Class = telar[kind]
      parentPort.once('message', (message) => {
        const object = Class.from(message)
        parentPort.postMessage([
          object instanceof Class,
          object === Class.from(nested.object),
          object === Class.from(getEnvironmentData('telar').object)
        ])
      })
    }, { kind, nested: { object } })
    thread.worker.postMessage(object)
    assert.deepEqual(await thread.message(), [true, true, true])
    setEnvironmentData('telar', undefined)
  })

  test(`${kind}: as a task and as its result, and inside of them`, async (t) => {
    const pool = usePool(t)
    const object = make()
    assert.equal(await pool.run({ kind, object }, { name: 'isOfKind' }), true)
    assert.equal(await pool.run(object), object)
    const inside = { list: [1, { object }], map: new Map([[object, { object }]]), set: new Set(['a', object, 'b']) }
    inside.self = inside
    const back = await pool.run(inside)
    assert.equal(back.list[1].object, object)
    assert.deepEqual([...back.map], [[object, { object }]])
    assert.deepEqual([...back.set], ['a', object, 'b'])
    assert.equal(back.self, back)
  })

  test(`${kind}: made in a worker of a pool`, async (t) => {
    const pool = usePool(t)
    const object = await pool.run(kind, { name: 'make' })
    assert.ok(object instanceof telar[kind])
    assert.equal(await pool.run({ kind, object }, { name: 'isOfKind' }), true)
    assert.equal(await pool.run({ object }, { name: 'isMade' }), true)
  })

  test(`${kind}.from() refuses what is none`, () => {
    for (const wrong of [null, undefined, 5, 'text', {}, [], new (kind === 'Latch' ? telar.Mutex : telar.Latch)(1), { 'telar:shared': { kind } },
      { 'telar:shared': { kind, id: 1n << 60n, memory: new SharedArrayBuffer(8) } }]) {
      assert.throws(() => telar[kind].from(wrong), { code: 'ERR_TELAR_NOT_SHARED', name: 'TypeError' })
    }
  })
}

test('the workerData of a pool', async (t) => {
  const mutex = new telar.Mutex()
  const pool = usePool(t, { workerData: { deep: [mutex] } })
  assert.equal(await pool.run(null, { name: 'hasMutexInWorkerData' }), true)
})

test('with a transfer list', async (t) => {
  const pool = usePool(t)
  const { port1, port2 } = new MessageChannel()
  const counter = new telar.Counter()
  await pool.run({ port: port1, counter }, { name: 'countByPort', transferList: [port1] })
  assert.equal(counter.value, 1)
  assert.deepEqual(receiveMessageOnPort(port2).message, 'counted')
  port2.close()
})

test('a deep value, and one with a million elements', async (t) => {
  const pool = usePool(t)
  const counter = new telar.Counter()
  let deep = { counter }
  for (let i = 0; i < 1000; i++) deep = i % 2 === 0 ? [deep] : { deep }
  let back = await pool.run(deep)
  while (!('counter' in back)) back = Array.isArray(back) ? back[0] : back.deep
  assert.equal(back.counter, counter)
  const sparse = []
  sparse[2 ** 30] = counter
  sparse.extra = counter
  const result = await pool.run({ sparse, list: Array.from({ length: 1e6 }, (_, i) => i) })
  assert.equal(result.sparse[2 ** 30], counter)
  assert.equal(result.sparse.extra, counter)
  assert.equal(result.list[999_999], 999_999)
})

test('a plain object with that property stays what it is', async (t) => {
  const pool = usePool(t)
  for (const value of [{ 'telar:shared': 5 }, { 'telar:shared': { kind: 'Nothing' } }, { 'telar:shared': { kind: 'toString' } }]) {
    const sent = { value, counter: new telar.Counter() }
    assert.deepEqual((await pool.run(sent)).value, value)
  }
})

test('objects that nobody has any more are collected', async () => {
  const { spawnSync } = require('node:child_process')
  const program = `
    const { Mutex } = require(${JSON.stringify(path.join(__dirname, '..', '..'))})
    const { isUsed } = require(${JSON.stringify(path.join(__dirname, '..', '..', 'lib', 'shared', 'registry'))})
    const seen = []
    const registry = new FinalizationRegistry(() => seen.push(1))
    for (let i = 0; i < 100; i++) registry.register(new Mutex(), i)
    const look = () => { gc(); if (seen.length >= 90) console.log('collected', isUsed()); else setTimeout(look, 5) }
    setTimeout(look, 5)`
  const { stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', '-e', program], { encoding: 'utf8' })
  assert.equal(stdout.trim(), 'collected true', stderr)
})

test('a thread has one object however it came by it', async (t) => {
  const mutex = new telar.Mutex()
  const result = await inThread(t, async (data, { Mutex }, { parentPort }) => {
    const first = Mutex.from(data)
    const guard = first.lockSync()
    try {
      Mutex.from(structuredClone(first)).lockSync()
    } catch (error) {
      return error.code
    } finally {
      guard.unlock()
    }
  }, mutex)
  assert.equal(result, 'ERR_TELAR_DEADLOCK')
})
