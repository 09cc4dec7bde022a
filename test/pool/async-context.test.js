'use strict'

// AsyncLocalStorage works without an option. async_hooks see tasks if the option `asyncHooks` is
// set.

const assert = require('node:assert/strict')
const { AsyncLocalStorage, createHook, executionAsyncId } = require('node:async_hooks')
const { setImmediate: turn } = require('node:timers/promises')
const { test } = require('node:test')
const { createGate, faces, usePool } = require('../fixtures/fault-helpers')

const limit = { timeout: 30_000 }

for (const [face, Class] of faces) {
  for (const asyncHooks of [false, true]) {
    test(`${face}: the context survives run(), asyncHooks ${asyncHooks}`, limit, async (t) => {
      const gate = createGate()
      const pool = usePool(t, Class, { maxThreads: 1, asyncHooks, workerData: gate.buffer })
      const storage = new AsyncLocalStorage()
      const seen = []
      const inContext = (store, work) => storage.run(store, async () => {
        await work()
        seen.push([store, storage.getStore()])
        await null
        assert.equal(storage.getStore(), store)
      })
      const controllers = Array.from({ length: 2 }, () => new AbortController())
      const busy = inContext('busy', () => pool.run({ mark: 0, until: 1 }, { name: 'wait' }))
      await gate.reached(0, 1)
      const all = [
        busy,
        // By the scheduler, by port, with a name, with a signal.
        ...Array.from({ length: 100 }, (_, i) => inContext(`plain ${i}`, () => pool.run(i))),
        inContext('port', () => pool.run(new SharedArrayBuffer(4))),
        inContext('named', () => pool.run(1, { name: 'echo' })),
        inContext('signal', () => pool.run(1, { signal: controllers[0].signal })),
        inContext('aborted', () =>
          assert.rejects(pool.run(1, { signal: controllers[1].signal }), { name: 'AbortError' })),
        inContext('refused', () => assert.rejects(pool.run(() => {}), { name: 'DataCloneError' })),
        inContext('rejected', () =>
          assert.rejects(pool.run('no', { name: 'throwError' }), { message: 'no' })),
        inContext('callbacks', () => new Promise((resolve, reject) => {
          pool.run(1).then(() => {
            assert.equal(storage.getStore(), 'callbacks')
          }).then(resolve, reject)
        })),
        inContext('exited', () =>
          assert.rejects(pool.run(1, { name: 'exit' }), { code: 'ERR_TELAR_WORKER_EXITED' }))
      ]
      // They end in another context: that of the abort, or that of the event loop.
      storage.run('another context', () => controllers[1].abort())
      gate.open(1)
      await Promise.all(all)
      assert.equal(seen.length, all.length)
      for (const [store, after] of seen) assert.equal(after, store)
      assert.equal(storage.getStore(), undefined)
    })
  }

  test(`${face}: contexts do not leak from one task to the next in a loop`, limit, async (t) => {
    const pool = usePool(t, Class, { maxThreads: 2 })
    const storage = new AsyncLocalStorage()
    await Promise.all(Array.from({ length: 50 }, (_, i) => storage.run(i, async () => {
      for (let n = 0; n < 20; n++) {
        await pool.run(n)
        assert.equal(storage.getStore(), i)
        if (n % 5 === 0) await turn()
      }
    })))
  })

  const type = face === 'Pool' ? 'Telar.Task' : 'Piscina.Task'

  // Counts the events of each task, by its id.
  const watch = (t) => {
    const tasks = new Map()
    const count = (asyncId, event) => {
      const task = tasks.get(asyncId)
      if (task !== undefined) task[event]++
    }
    const hook = createHook({
      init (asyncId, initType, triggerAsyncId) {
        if (initType === type) {
          tasks.set(asyncId, { triggerAsyncId, before: 0, after: 0, resolve: 0, destroy: 0 })
        }
      },
      before: (asyncId) => count(asyncId, 'before'),
      after: (asyncId) => count(asyncId, 'after'),
      destroy: (asyncId) => count(asyncId, 'destroy'),
      promiseResolve: () => count(executionAsyncId(), 'resolve')
    }).enable()
    t.after(() => hook.disable())
    return tasks
  }

  test(`${face}: with asyncHooks each task has one event of each kind`, limit, async (t) => {
    const tasks = watch(t)
    const pool = usePool(t, Class, { maxThreads: 1, asyncHooks: true })
    const controller = new AbortController()
    const work = Promise.allSettled([
      pool.run(1),
      pool.run(2),
      pool.run('x'.repeat(1e5)),
      pool.run(new SharedArrayBuffer(4)),
      pool.run('rejected', { name: 'throwError' }),
      pool.run(5, { signal: controller.signal }),
      pool.run(1, { name: 'exit' }),
      pool.run(8)
    ])
    controller.abort()
    await work
    await turn() // 'destroy' events come from the event loop
    await turn()
    const expected = { triggerAsyncId: pool.asyncId, before: 1, after: 1, resolve: 1, destroy: 1 }
    assert.deepEqual([...tasks.values()], Array(8).fill(expected))
  })

  test(`${face}: without asyncHooks a task has no events`, limit, async (t) => {
    const tasks = watch(t)
    const pool = usePool(t, Class,
      { maxThreads: 1, ...(face === 'Pool' ? {} : { asyncHooks: false }) })
    await Promise.all([
      pool.run(1),
      pool.run(2),
      pool.run(3, { signal: new AbortController().signal })
    ])
    await turn()
    assert.equal(tasks.size, 0)
  })
}

for (const [face, Class] of faces) {
  test(`${face}: the resource is destroyed once, when it is closed`, limit, async (t) => {
    const destroyed = []
    const hook = createHook({ destroy: (id) => destroyed.push(id) }).enable()
    t.after(() => hook.disable())
    const pool = usePool(t, Class, { maxThreads: 1, workerData: createGate().buffer })
    for (let i = 0; i < 2; i++) {
      await pool.run({ mark: 0, until: 0 }, { name: 'wait' })
      await pool.close()
      await pool.destroy()
      await turn()
      await turn()
      assert.equal(destroyed.filter((id) => id === pool.asyncId).length, 1)
    }
  })
}
