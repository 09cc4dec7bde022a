'use strict'

// pool.proxy(): methods that call the exports of the task file with any arguments.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { move } = require('../..')
const { collect } = require('../fixtures/collect')
const { task, usePool } = require('../fixtures/use-pool')

const open = (t, options) => {
  const pool = usePool(t, 'calls.js', options)
  return { pool, api: pool.proxy() }
}

for (const [how, options] of [
  ['the fast way', {}],
  ['a load balancer', { loadBalancer: (task, workers) => workers[0] }],
  ['limits', { timeout: 60_000 }],
  ['several tasks for each worker', { concurrentTasksPerWorker: 3 }]
]) {
  test(`exports get their own arguments, by ${how}`, async (t) => {
    const { api } = open(t, options)
    assert.equal(await api.add(1, 2), 3)
    assert.equal(await api.add(1), 11)
    assert.deepEqual(await api.later(1, 'two', { three: 3 }), [1, 'two', { three: 3 }])
    assert.deepEqual(await Promise.all([api.count(), api.count(undefined), api.count(1, 2, 3)]),
      [0, 1, 3])
    assert.deepEqual(await api.default('value'), ['default', 'value'])
    assert.equal(api.add.sync(3, 4), 7)
    assert.equal(api.add.sync(3), 13)
  })
}

test('a function with a parameter that gets no argument does not get the task there', async (t) => {
  const { api } = open(t)
  assert.deepEqual(await api.describeTask.with({ key: 'k' })('a'), ['a', undefined, 'k'])
})

test('with() gives options of run()', async (t) => {
  const { api, pool } = open(t)
  assert.equal(await api.add.with({ priority: 5, key: 'k' })(1, 2), 3)
  const { signal } = new AbortController()
  assert.equal(await api.add.with({ signal })(1), 11)
  await assert.rejects(api.spin.with({ timeout: 20 })(), { code: 'ERR_TELAR_TIMEOUT' })
  assert.throws(() => api.spin.with({ timeout: 20 }).sync(), { code: 'ERR_TELAR_TIMEOUT' })
  await assert.rejects(api.add.with({ name: 'count' })(1), {
    code: 'ERR_TELAR_INVALID_ARGUMENT', message: /must not be given .* received "count"$/
  })
  await assert.rejects(api.add.with({ prio: 1 })(1), { code: 'ERR_TELAR_UNKNOWN_OPTION' })
  assert.equal(await pool.run('x', { name: 'length' }), 1)
})

test('the values of a generator come by stream(), with its own arguments', async (t) => {
  const { api } = open(t)
  assert.deepEqual(await collect(api.range.stream(2)), [0, 1])
  assert.deepEqual(await collect(api.range.stream(4, 7)), [4, 5, 6])
  assert.deepEqual(await collect(api.range.with({ capacity: 4096, priority: 1 }).stream(0)), [])
  for await (const value of api.range.stream(1, Infinity)) if (value === 5) break
  const fails = api.range.stream(1, 'two')
  await assert.rejects(collect(fails), { name: 'RangeError', message: 'two' })
  await assert.rejects(api.range(1, 2), { name: 'DataCloneError' })
})

test('errors are those of the export, and name an export that is missing', async (t) => {
  const { api } = open(t)
  await assert.rejects(api.fail('wrong'), (error) => {
    assert.equal(error.code, 'E_CALL')
    assert.match(error.stack, /^TypeError: wrong\n {4}at .*fail .*calls\.js/)
    assert.doesNotMatch(error.stack, /lib.(pool|worker)/)
    return error instanceof TypeError
  })
  await assert.rejects(api.ad(1, 2), { code: 'ERR_TELAR_NO_HANDLER', message: /"add"\?/ })
})

test('one argument may be moved, and large arguments arrive', async (t) => {
  const { api } = open(t, { sharedMemory: 1024 * 1024 })
  const bytes = new Uint8Array(3_000_000)
  assert.equal(await api.length(bytes), 3_000_000)
  assert.equal(await api.length(move(bytes)), 3_000_000)
  assert.equal(bytes.length, 0)
  assert.equal((await api.later(new Uint8Array(2_000_000), 2))[0].length, 2_000_000)
})

test('a getter of an argument may call the pool', async (t) => {
  const { api } = open(t)
  let inner
  const got = await api.later({ get a () { return (inner ??= api.add(1, 2)) && 5 } }, 1)
  assert.deepEqual(got, [{ a: 5 }, 1])
  assert.equal(await inner, 3)
})

test('a proxy is no promise, and its methods are kept', async (t) => {
  const { api } = open(t)
  assert.equal(await api, api)
  assert.equal(JSON.stringify({ api }), '{"api":{}}')
  assert.ok(!('toJSON' in api)) // which would have run a task
  assert.equal(api.toJSON, undefined)
  assert.equal(api.add, api.add)
  assert.equal(String(Object.getOwnPropertyDescriptor(api, 'add') !== undefined), 'true')
})

test('it takes a file of its own, and works after close()', async (t) => {
  const pool = usePool(t, null)
  assert.throws(() => pool.proxy(), { code: 'ERR_TELAR_FILENAME_MISSING' })
  assert.throws(() => pool.proxy({ file: 'x' }), { code: 'ERR_TELAR_UNKNOWN_OPTION' })
  assert.throws(() => pool.proxy({ filename: 5 }), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
  const api = pool.proxy({ filename: task('calls.js') })
  assert.equal(await api.add(1, 2), 3)
  assert.equal(await api.loads(), 1)
  await pool.close()
  assert.equal(await api.add(3, 4), 7)
})

test('what a worker runs for a proxy has the name of the export', async (t) => {
  const { api, pool } = open(t)
  const spinning = api.spin()
  spinning.catch(() => {})
  await api.add.with({ signal: AbortSignal.abort() })(1).catch(() => {})
  while (pool.workers[0].tasks === 0) await new Promise((resolve) => setImmediate(resolve))
  const { workers: [{ tasks: [{ name }] }] } = await pool.dump()
  assert.equal(name, 'spin')
})
