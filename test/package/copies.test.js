'use strict'

// Several copies of telar in one process: a test runner loads it again for each file, a context has
// its own copy, and two packages may bring one each.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { getEnvironmentData, setEnvironmentData } = require('node:worker_threads')
const first = require('../..')
const { createLoader } = require('../fixtures/copies/context')
const { install, library, loadAgain, root } = require('../fixtures/copies/install')
const { startThread } = require('../fixtures/sync/threads')
const { endAfter } = require('../fixtures/use-pool')

const filename = path.join(__dirname, '..', 'fixtures', 'copies', 'tasks.js')
const usePool = (t, { Pool }, options) =>
  endAfter(t, new Pool({ filename, name: 'back', minThreads: 1, maxThreads: 1, ...options }))
const dataOf = (object) => structuredClone(object)['telar:shared']

// ---- One installation ----

for (const isNativeToo of [false, true]) {
  const what = isNativeToo ? 'with its native library' : 'over the same native library'

  test(`loaded twice ${what}: pools of both copies take objects of both`, async (t) => {
    const second = loadAgain(isNativeToo)
    assert.notEqual(second.Mutex, first.Mutex)
    const a = new first.Mutex()
    const b = new second.Mutex()
    const guard = a.lockSync()
    const [c, d] = [new first.Channel(), new second.Channel()]
    c.trySend('from c')
    d.trySend('from d')
    for (const copy of [first, second]) {
      const pool = usePool(t, copy)
      assert.equal(await pool.run({ a, b }, { name: 'same' }), false)
      assert.deepEqual(await pool.run({ a, b }, { name: 'locked' }), [true, false])
      const back = await pool.run({ a, b, c, d })
      for (const [name, object] of Object.entries({ a, b, c, d })) {
        assert.equal(back[name], object, name)
      }
    }
    const received = await usePool(t, second).run({ a: c, b: d }, { name: 'receive' })
    assert.deepEqual(received, ['from c', 'from d'])
    guard.unlock()
  })

  test(`loaded twice ${what}: both copies have one object for a mutex`, () => {
    const second = loadAgain(isNativeToo)
    const mutex = new first.Mutex()
    assert.equal(second.Mutex.from(mutex), mutex)
    assert.equal(second.Mutex.from(structuredClone(mutex)), mutex)
    const guard = mutex.lockSync()
    assert.throws(() => second.Mutex.from(structuredClone(mutex)).lockSync(),
      { code: 'ERR_TELAR_DEADLOCK' })
    guard.unlock()
  })

  test(`loaded twice ${what}: a channel of one copy carries objects of the other`, async () => {
    const second = loadAgain(isNativeToo)
    const channel = new second.Channel()
    const mutex = new first.Mutex()
    await channel.send({ mutex, memory: new SharedArrayBuffer(8) })
    assert.equal((await channel.receive()).value.mutex, mutex)
  })

  test(`loaded twice ${what}: select() of one copy takes channels of the other`, async () => {
    const second = loadAgain(isNativeToo)
    const [a, b] = [new second.Channel(), new first.Channel()]
    for (const { select, selectSync } of [first, second]) {
      const waiting = select([a, b])
      a.trySend(1)
      assert.deepEqual(await waiting, { channel: a, value: 1, done: false })
      b.trySend(2)
      assert.deepEqual(selectSync([a, b]), { channel: b, value: 2, done: false })
    }
  })
}

test('a pool whose copy never made an object takes those of another copy', async (t) => {
  const pool = usePool(t, loadAgain())
  const second = loadAgain()
  const mutex = new second.Mutex()
  assert.equal((await pool.run({ mutex })).mutex, mutex)
})

test('no two objects of a process have the same id, from any copy or thread', async (t) => {
  const other = require(install(t))
  const second = loadAgain()
  const made = []
  for (const { Mutex, Latch, Channel } of [first, second, other]) {
    for (let i = 0; i < 20; i++) {
      made.push(new Mutex(), new Latch(1), new Channel({ capacity: 4096 }))
    }
  }
  const thread = startThread(t, async (data, { Mutex }, { parentPort }) => {
    parentPort.postMessage(Array.from({ length: 20 }, () => new Mutex()))
    await new Promise((resolve) => parentPort.once('message', resolve))
  })
  const ids = [...made, ...await thread.message()].map((object) => dataOf(object).id)
  thread.worker.postMessage('end')
  assert.equal(new Set(ids).size, 3 * 60 + 20)
})

test("a condition refuses a guard of another copy's mutex and says why", () => {
  const second = loadAgain()
  const guard = new second.Mutex().lockSync()
  assert.throws(() => new first.Condition().waitSync(guard, { timeout: 1 }),
    { code: 'ERR_TELAR_OTHER_COPY', message: /only the copy that locked/ })
  guard.unlock()
})

test('require() and import load one copy', async () => {
  assert.equal((await import('../../lib/index.mjs')).Mutex, require('../..').Mutex)
})

test('workers share the objects of a copy that only they load', async (t) => {
  const body = ({ mutex }, { Mutex }, { parentPort }) => {
    const made = mutex === undefined ? new Mutex() : Mutex.from(mutex)
    const guard = mutex === undefined ? made.lockSync() : null
    parentPort.postMessage([made, made.isLocked])
    parentPort.once('message', () => guard?.unlock())
  }
  const one = startThread(t, body, {})
  const [mutex, isLocked] = await one.message()
  const two = startThread(t, body, { mutex })
  assert.deepEqual([isLocked, (await two.message())[1]], [true, true])
  one.worker.postMessage('end')
  two.worker.postMessage('end')
})

// ---- A context of its own ----

test('telar works in a context with other classes and without what Node adds', async (t) => {
  const load = createLoader()
  const telar = load(path.join(root, 'lib', 'index.js'))
  assert.notEqual(telar.Mutex, first.Mutex)
  const use = load(path.join(__dirname, '..', 'fixtures', 'copies', 'use.js'))
  assert.deepEqual(JSON.parse(JSON.stringify(await use(telar, filename))), {
    values: [5, 'text', [1, { two: 2 }], 'Map', 'Date'],
    isOfContext: true,
    error: ['TypeError', true, 'ERR_TELAR_UNKNOWN_OPTION'],
    shared: true,
    stripped: true,
    lock: 'ERR_TELAR_TIMEOUT',
    wait: 'timed-out',
    channel: [{ a: [1] }, true],
    port: 8
  })
})

// ---- Two installations ----

test('an object of another installation is refused with the reason', (t) => {
  const other = require(install(t))
  for (const [kind, make] of [
    ['Mutex', ({ Mutex }) => new Mutex()],
    ['Channel', ({ Channel }) => new Channel()],
    ['Latch', ({ Latch }) => new Latch(1)]
  ]) {
    const object = make(other)
    for (const received of [object, structuredClone(object)]) {
      assert.throws(() => first[kind].from(received), {
        code: 'ERR_TELAR_OTHER_COPY',
        message: new RegExp(`^The ${kind} was made by another copy` +
          '.*another native library.*npm ls telar')
      })
    }
    assert.throws(() => other[kind].from(structuredClone(make(first))),
      { code: 'ERR_TELAR_OTHER_COPY' })
  }
})

test('an object of another installation fails where it arrives, by every route', async (t) => {
  const folder = install(t)
  const other = require(folder)
  const mutex = new other.Mutex()
  const pool = usePool(t, first)
  await assert.rejects(pool.run({ mutex }), { code: 'ERR_TELAR_OTHER_COPY' })
  await assert.rejects(pool.run({ folder, mutex: new first.Mutex() }, { name: 'lockWith' }),
    { code: 'ERR_TELAR_OTHER_COPY' })
  await assert.rejects(pool.run(folder, { name: 'makeWith' }), { code: 'ERR_TELAR_OTHER_COPY' })
  assert.equal(await pool.run(5), 5)
  const channel = new first.Channel()
  await channel.send(mutex)
  await assert.rejects(channel.receive(), { code: 'ERR_TELAR_OTHER_COPY' })
  const failing = usePool(t, first, { workerData: { mutex } })
  failing.on('error', () => {})
  await assert.rejects(failing.run(1), { code: 'ERR_TELAR_OTHER_COPY' })
})

test('pools of two installations work beside each other', async (t) => {
  const pools = [usePool(t, first), usePool(t, require(install(t)))]
  for (let i = 0; i < 50; i++) {
    assert.deepEqual(await Promise.all(pools.map((pool) => pool.run({ i }))), [{ i }, { i }])
  }
})

test('two versions work beside each other, each in the workers of both', async (t) => {
  const folder = install(t)
  const manifest = path.join(folder, 'package.json')
  const text = fs.readFileSync(manifest, 'utf8')
  fs.writeFileSync(manifest, JSON.stringify({ ...JSON.parse(text), version: '99.1.2' }))
  const other = require(folder)
  assert.equal(other.version, '99.1.2')
  for (const copy of [first, other]) {
    const pool = usePool(t, copy, { name: 'contextOf', workerData: 'given' })
    for (const loaded of [root, folder]) {
      const run = (key) => pool.run({ folder: loaded, key }, { key })
      await run('first') // from now on its copy follows the tasks
      assert.deepEqual(await run('second'), [true, 'given', true])
    }
    const error = await pool.run(5, { nam: 'x' }).catch((error) => error)
    assert.ok(error instanceof first.TelarError && error instanceof other.TelarError)
    const moved = new Uint8Array(5)
    assert.equal((await pool.run(first.move(moved), { name: 'back' })).length, 5)
    assert.equal(moved.length, 0)
  }
})

test('an object of another version or of an unknown kind is refused', () => {
  const data = dataOf(new first.Mutex())
  for (const changed of [{ ...data, format: data.format + 1 }, { ...data, kind: 'Novelty' }]) {
    const Class = { ...first, Novelty: first.Mutex }[changed.kind]
    if (changed.kind === 'Mutex') {
      assert.throws(() => Class.from({ 'telar:shared': changed }),
        { code: 'ERR_TELAR_OTHER_COPY', message: /another version/ })
    } else {
      assert.throws(() => Class.from({ 'telar:shared': changed }),
        { code: 'ERR_TELAR_NOT_SHARED', message: /received a Novelty/ })
    }
  }
})

test('a worker with another native library fails, and so do its tasks', async (t) => {
  // As if the file that the owner names now held another library.
  const key = require.resolve('../../lib/base/native')
  const file = getEnvironmentData(key)
  setEnvironmentData(key, path.join(install(t), library))
  t.after(() => setEnvironmentData(key, file))
  const pool = usePool(t, first)
  pool.on('error', () => {})
  await assert.rejects(pool.run(1), {
    code: 'ERR_TELAR_OTHER_COPY',
    message: /^The pool was made by another copy.*another native library/
  })
})
