'use strict'

// Pools that are asked for more task functions than they keep: functions that are not in use are
// forgotten, and work as before when they are asked for again.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { createRandom } = require('../fixtures/random')
const { usePool } = require('../fixtures/use-pool')

const seed = process.env.SEED === undefined ? Date.now() % 2 ** 31 : Number(process.env.SEED)

// A module that returns its number and counts its calls. Its text has at least `length` characters.
function counting (number, length = 0) {
  const source = `let calls = 0
const answer = () => [${number}, ++calls]
export default answer
export const later = async () => { await null; return answer() }
export const slow = () => new Promise((resolve) => setTimeout(() => resolve(answer()), 1))
//`
  return `data:text/javascript,${encodeURIComponent(source)}`.padEnd(length, '-')
}

test('thousands of data: URLs keep their modules when they are used again', {
  timeout: 120_000
}, async (t) => {
  const pool = usePool(t, null)
  const kinds = ['default', 'later']
  const urls = Array.from({ length: 5000 }, (_, i) => counting(i))
  for (let call = 1; call <= 2; call++) {
    const run = (filename, i) => pool.run(null, { filename, name: kinds[(i + call) % 2] })
    const results = await Promise.all(urls.map(run))
    assert.deepEqual(results, urls.map((_, i) => [i, call]))
  }
  // One at a time, those that were forgotten first and those that were forgotten last.
  for (const i of [0, 1, 4998, 4999, 0]) {
    const [number] = await pool.run(null, { filename: urls[i] })
    assert.equal(number, i)
  }
})

test('a function in use is kept, and one in long use is found afterwards', async (t) => {
  const pool = usePool(t, null, { sharedMemory: 1 << 20, concurrentTasksPerWorker: 2 })
  const gate = new Int32Array(new SharedArrayBuffer(4))
  const waiting = `data:text/javascript,${encodeURIComponent(`let calls = 0
  export default async (gate) => {
    const call = ++calls
    while (Atomics.load(gate, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    return call
  }`)}`
  const long = pool.run(gate, { filename: waiting })
  // Far more text than there is room for.
  for (let i = 0; i < 500; i++) {
    assert.deepEqual(await pool.run(null, { filename: counting(i, 2000) }), [i, 1])
  }
  const more = [pool.run(gate, { filename: waiting }), pool.run(gate, { filename: waiting })]
  Atomics.store(gate, 0, 1)
  assert.deepEqual(await Promise.all([long, ...more]), [1, 2, 3])
  assert.equal(await pool.run(gate, { filename: waiting }), 4)
})

test('functions that exceed the room, together or alone, go with their tasks', async (t) => {
  for (const options of [
    {},
    { concurrentTasksPerWorker: 4 },
    { loadBalancer: (task, workers) => workers[0] }
  ]) {
    const pool = usePool(t, null, { sharedMemory: 1 << 20, ...options })
    const values = [
      1, 'text', { a: [1, 2] }, new TypeError('an error'), Buffer.from('bytes'), undefined,
      2n ** 70n
    ]
    const text = 'export default (value) => value //'
    const run = (value, i, length) =>
      pool.run(value, { filename: `data:text/javascript,${text}${i}`.padEnd(length, '-') })
    for (const length of [30_000, 100_000]) {
      const results = await Promise.all(values.map((value, i) => run(value, i, length)))
      assert.deepEqual(results, values)
      assert.ok(results[3] instanceof TypeError && Buffer.isBuffer(results[4]))
      const moved = new Uint8Array([1, 2, 3])
      const filename = `data:text/javascript,${text}`.padEnd(length, '-')
      assert.deepEqual(await pool.run(moved, { filename, transferList: [moved.buffer] }),
        new Uint8Array([1, 2, 3]))
      assert.equal(moved.length, 0)
    }
    await assert.rejects(run(() => {}, 0, 100_000), { name: 'DataCloneError' })
    await assert.rejects(run({ get broken () { throw new RangeError('own') } }, 0, 100_000),
      { message: 'own' })
    assert.equal(await run(5, 0, 100_000), 5)
  }
})

test('a getter that makes the pool forget functions keeps its own', async (t) => {
  const pool = usePool(t, null, { sharedMemory: 1 << 20 })
  const runs = []
  const value = {
    get inner () {
      for (let i = 0; i < 40; i++) runs.push(pool.run(null, { filename: counting(1 + i, 5000) }))
      return 1
    }
  }
  const settled = []
  for (let call = 1; call <= 3; call++) {
    assert.deepEqual(await pool.run(value, { filename: counting(0, 5000) }), [0, call])
    settled.push(...await Promise.all(runs.splice(0)))
  }
  assert.deepEqual(settled,
    Array.from({ length: 120 }, (_, i) => [1 + i % 40, 1 + Math.floor(i / 40)]))
})

test('a worker that starts late finds functions that were forgotten', async (t) => {
  const pool = usePool(t, null, { minThreads: 1, maxThreads: 3, sharedMemory: 1 << 20 })
  for (let i = 0; i < 200; i++) {
    assert.deepEqual(await pool.run(null, { filename: counting(i, 2000) }), [i, 1])
  }
  const results = await Promise.all(Array.from({ length: 300 }, (_, i) =>
    pool.run(null, { filename: counting(i, 2000), name: 'slow' })))
  assert.deepEqual(results.map(([number]) => number), Array.from({ length: 300 }, (_, i) => i))
  assert.equal(pool.threads.length, 3)
})

test('names and files of any characters stay as they are', async (t) => {
  const pool = usePool(t, '../task-functions/echo-name.js')
  for (const name of [
    'é', '9', '1 x', '\ud83d\ude00', '\ud800', 'a\0b', '', ' ', '漢字'.repeat(200), 'x'.repeat(126),
    'x'.repeat(1000)
  ]) {
    assert.equal(await pool.run(null, { name }), name)
  }
})

// ---- Any order ----

test(`tasks of more functions than fit run in any order, SEED=${seed}`, {
  timeout: 120_000
}, async (t) => {
  const random = createRandom(seed)
  for (let round = 0; round < 4; round++) {
    const pool = usePool(t, null,
      { sharedMemory: 1 << 20, concurrentTasksPerWorker: random.pick([1, 3]) })
    const urls = Array.from({ length: 150 }, (_, i) =>
      counting(i, random.pick([0, 0, 1000, 5000, 40_000])))
    const calls = new Array(urls.length).fill(0)
    const seen = urls.map(() => [])
    while (calls.reduce((sum, count) => sum + count) < 1500) {
      const isFew = random.below(2) === 0
      const runs = Array.from({ length: random.below(100) }, async () => {
        const i = random.below(isFew ? 10 : urls.length)
        calls[i]++
        const values = [undefined, 7, { a: 'b' }, 'x'.repeat(3000), new SharedArrayBuffer(8)]
        const value = random.pick(values)
        const name = random.pick(['default', 'later', 'slow'])
        const [number, call] = await pool.run(value, { filename: urls[i], name })
        assert.equal(number, i)
        seen[i].push(call)
      })
      if (random.below(3) > 0) await Promise.all(runs)
      else runs.forEach((run) => t.after(() => run))
    }
    await pool.close()
    for (const [i, numbers] of seen.entries()) {
      assert.deepEqual(numbers.sort((a, b) => a - b),
        Array.from({ length: calls[i] }, (_, n) => n + 1))
    }
  }
})

test(`functions survive aborts and destroyed pools, SEED=${seed}`, {
  timeout: 120_000
}, async (t) => {
  const random = createRandom(seed)
  const pool = usePool(t, null,
    { sharedMemory: 1 << 20, maxThreads: 2, minThreads: 2, concurrentTasksPerWorker: 2 })
  const urls = Array.from({ length: 100 }, (_, i) => counting(i, random.pick([0, 2000, 40_000])))
  for (let round = 0; round < 20; round++) {
    const runs = Array.from({ length: 60 }, async () => {
      const i = random.below(urls.length)
      const aborting = random.below(15) === 0 ? new AbortController() : null
      const value = random.pick([undefined, { a: 'b' }, new SharedArrayBuffer(8)])
      const run = pool.run(value,
        { filename: urls[i], name: random.pick(['later', 'slow']), signal: aborting?.signal })
      setImmediate(() => aborting?.abort())
      try {
        const [number] = await run
        assert.equal(number, i)
      } catch (error) {
        // The worker may have been ended to abort another task, or the pool may have been
        // destroyed.
        if (error.name !== 'AbortError' && error.code !== 'ERR_TELAR_TERMINATED') throw error
      }
    })
    if (round % 5 === 4) await pool.destroy()
    await Promise.all(runs)
  }
  assert.deepEqual((await pool.run(null, { filename: urls[0] }))[0], 0)
})
