'use strict'

// How shared objects of each kind travel, by every route.

const assert = require('node:assert/strict')
const path = require('node:path')
const { test } = require('node:test')
const { MessageChannel, receiveMessageOnPort, setEnvironmentData } = require('node:worker_threads')
const telar = require('../..')
const { startThread, inThread } = require('../fixtures/sync/threads')
const fixtures = require('../fixtures/use-pool')

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
const usePool = (t, options) => fixtures.usePool(t, '../sync/tasks.js', options)

for (const [kind, make] of Object.entries(kinds)) {
  test(`${kind}: a clone has one property, and from() turns it into the object`, () => {
    const object = make()
    assert.deepEqual(Object.keys(object), ['telar:shared'])
    const clone = structuredClone(object)
    assert.equal(clone instanceof telar[kind], false)
    assert.equal(telar[kind].from(clone), object, 'there is one for each thread')
    assert.equal(telar[kind].from(object), object)
  })

  test(`${kind}: it travels by workerData, postMessage() and setEnvironmentData()`, async (t) => {
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

  test(`${kind}: it travels as a task, as a result, and inside of both`, async (t) => {
    const pool = usePool(t)
    const object = make()
    assert.equal(await pool.run({ kind, object }, { name: 'isOfKind' }), true)
    assert.equal(await pool.run(object), object)
    const inside = {
      list: [1, { object }],
      map: new Map([[object, { object }]]),
      set: new Set(['a', object, 'b'])
    }
    inside.self = inside
    const back = await pool.run(inside)
    assert.equal(back.list[1].object, object)
    assert.deepEqual([...back.map], [[object, { object }]])
    assert.deepEqual([...back.set], ['a', object, 'b'])
    assert.equal(back.self, back)
  })

  test(`${kind}: an object made in a worker of a pool arrives as itself`, async (t) => {
    const pool = usePool(t)
    const object = await pool.run(kind, { name: 'make' })
    assert.ok(object instanceof telar[kind])
    assert.equal(await pool.run({ kind, object }, { name: 'isOfKind' }), true)
    assert.equal(await pool.run({ object }, { name: 'isMade' }), true)
  })

  test(`${kind}.from() refuses any other value`, () => {
    const Other = kind === 'Latch' ? telar.Mutex : telar.Latch
    for (const wrong of [
      null, undefined, 5, 'text', {}, [], new Other(1), { 'telar:shared': { kind } },
      { 'telar:shared': { kind, id: 1n << 60n, memory: new SharedArrayBuffer(8) } }
    ]) {
      assert.throws(() => telar[kind].from(wrong),
        { code: 'ERR_TELAR_NOT_SHARED', name: 'TypeError' })
    }
  })
}

test('the workerData of a pool carries a mutex', async (t) => {
  const mutex = new telar.Mutex()
  const pool = usePool(t, { workerData: { deep: [mutex] } })
  assert.equal(await pool.run(null, { name: 'hasMutexInWorkerData' }), true)
})

test('a task with a transfer list carries a counter', async (t) => {
  const pool = usePool(t)
  const { port1, port2 } = new MessageChannel()
  const counter = new telar.Counter()
  await pool.run({ port: port1, counter }, { name: 'countByPort', transferList: [port1] })
  assert.equal(counter.value, 1)
  assert.deepEqual(receiveMessageOnPort(port2).message, 'counted')
  port2.close()
})

test('a deep value and one with a million elements carry a counter', async (t) => {
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

test('a plain object with the property telar:shared stays as it is', async (t) => {
  const pool = usePool(t)
  for (const value of [
    { 'telar:shared': 5 },
    { 'telar:shared': { kind: 'Nothing' } },
    { 'telar:shared': { kind: 'toString' } }
  ]) {
    const sent = { value, counter: new telar.Counter() }
    assert.deepEqual((await pool.run(sent)).value, value)
  }
})

test('shared objects that are no longer referenced are collected', async () => {
  const { spawnSync } = require('node:child_process')
  const root = path.join(__dirname, '..', '..')
  const program = `
    const { Mutex } = require(${JSON.stringify(root)})
    const { isUsed } = require(${JSON.stringify(path.join(root, 'lib', 'shared', 'registry'))})
    const seen = []
    const registry = new FinalizationRegistry(() => seen.push(1))
    for (let i = 0; i < 100; i++) registry.register(new Mutex(), i)
    const poll = () => {
      gc()
      if (seen.length >= 90) console.log('collected', isUsed())
      else setTimeout(poll, 5)
    }
    setTimeout(poll, 5)`
  const args = ['--expose-gc', '-e', program]
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.equal(stdout.trim(), 'collected true', stderr)
})

test('a thread has one object for a mutex, however it received it', async (t) => {
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
