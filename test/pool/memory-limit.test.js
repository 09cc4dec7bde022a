'use strict'

// The option memoryLimit: a worker that holds more is replaced, and its tasks reject. The process
// and all other tasks live.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { Worker } = require('node:worker_threads')
const { faces, until } = require('../fixtures/fault-helpers')
const { runProgram } = require('../fixtures/run-program')
const { endAfter, task } = require('../fixtures/use-pool')

const limit = { timeout: 300_000 }
const canRead = typeof Worker.prototype.getHeapStatistics === 'function'
const exceeded = { code: 'ERR_TELAR_MEMORY_LIMIT', name: 'TelarError' }
const filename = task('hungry.js')

// On Node 20 V8 has to end a worker in the middle of a task, and for one large object it ends the
// process.
const shapes = canRead
  ? ['push', 'fill', 'map', 'string', 'smallArrays', 'grow']
  : ['smallArrays', 'grow']

for (const [face, Class] of faces) {
  const usePool = (t, heapMb) => endAfter(t, new Class({
    filename, name: 'echo', minThreads: 2, maxThreads: 2, memoryLimit: { heapMb }
  }))

  for (const shape of shapes) {
    test(`${face}: a worker whose heap grows by ${shape} is replaced`, limit, async (t) => {
      const pool = usePool(t, 64)
      await pool.run(0)
      const hungry = assert.rejects(pool.run(0, { name: shape }), (error) => {
        assert.equal(error.code, exceeded.code, error.stack)
        assert.match(error.message, /memoryLimit\.heapMb is 64\. Let tasks hold less/)
        assert.equal(error.worker.tasks[0].name, shape)
        return true
      })
      const others = Array.from({ length: 1000 }, (_, i) => pool.run(i))
      assert.deepEqual(await Promise.all(others), Array.from({ length: 1000 }, (_, i) => i))
      await hungry
      assert.equal(await pool.run('after'), 'after')
      assert.equal(pool.threads.length, 2)
    })
  }

  test(`${face}: a worker that leaves is watched as long as it runs tasks`, limit, async (t) => {
    const pool = usePool(t, 64)
    await pool.ready()
    const both = [0, 1].map(() => assert.rejects(pool.run(0, { name: 'grow' }), exceeded))
    await until(() => pool.workers.every(({ tasks }) => tasks === 1))
    pool.resize({ minThreads: 1, maxThreads: 1 })
    await Promise.all(both)
    assert.equal(await pool.run('after'), 'after')
  })

  test(`${face}: garbage does not count`, limit, async (t) => {
    assert.equal(await usePool(t, 64).run(3e6, { name: 'garbage' }), 3e6 - 1)
  })

  test(`${face}: memoryLimit must have a heapMb`, () => {
    const expected = {
      code: 'ERR_TELAR_INVALID_ARGUMENT', message: /memoryLimit must be an object \{ heapMb \}/
    }
    const bad = [null, 64, {}, { heapMb: 1 }, { heapMb: 64.5 }, { heapMb: 64, rssMb: 1 }]
    for (const memoryLimit of bad) {
      assert.throws(() => new Class({ filename, memoryLimit }), expected)
    }
  })

  test(`${face}: the memory is watched only while tasks run, and does not hold the process`, limit,
    async () => {
      const { code, stdout, stderr } = await runProgram(['-e', `
        const { Worker } = require('node:worker_threads')
        const { getHeapStatistics } = Worker.prototype
        let reads = 0
        if (getHeapStatistics !== undefined) {
          Worker.prototype.getHeapStatistics = function () {
            reads++
            return getHeapStatistics.call(this)
          }
        }
        const { faces } = require(${JSON.stringify(require.resolve('../fixtures/fault-helpers'))})
        const [, Class] = faces.find(([face]) => face === '${face}')
        const pool = new Class({
          filename: ${JSON.stringify(task('stuck.js'))}, name: 'later', maxThreads: 1,
          memoryLimit: { heapMb: 64 }
        })
        const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
        async function main () {
          for (let i = 0; i < 2; i++) {
            const words = new Int32Array(new SharedArrayBuffer(8))
            const before = reads
            const run = pool.run(words)
            while (getHeapStatistics !== undefined && reads < before + 3) await sleep(1)
            Atomics.store(words, 0, 1)
            await run
            await sleep(50)
            const idle = reads
            await sleep(100)
            console.log(reads - idle)
          }
        }
        main()
      `])
      assert.deepEqual([code, stdout, stderr], [0, '0\n0\n', ''])
    })
}

test('a pool in a worker limits the memory of its workers', limit, async () => {
  const { code, stdout, stderr } = await runProgram(['-e', `
    const { Worker } = require('node:worker_threads')
    new Worker(${JSON.stringify(`
      const { Pool } = require(${JSON.stringify(require.resolve('../..'))})
      const filename = ${JSON.stringify(filename)}
      const pool = new Pool({ filename, maxThreads: 1, memoryLimit: { heapMb: 64 } })
      pool.run(0, { name: 'grow' }).catch((error) => console.log(error.code))
    `)}, { eval: true })
  `])
  assert.deepEqual([code, stdout, stderr], [0, 'ERR_TELAR_MEMORY_LIMIT\n', ''])
})
