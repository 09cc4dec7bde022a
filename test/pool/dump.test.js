'use strict'

// pool.dump() tells what each worker runs, since when, and where it is in it.

const assert = require('node:assert/strict')
const { inspect } = require('node:util')
const { test } = require('node:test')
const { Worker } = require('node:worker_threads')
const { withInspector } = require('../../lib/pool/thread-inspector')
const { faces } = require('../fixtures/fault-helpers')
const { runProgram } = require('../fixtures/run-program')
const { until } = require('../fixtures/until')
const { endAfter, task } = require('../fixtures/use-pool')

const limit = { timeout: 60_000 }
const filename = task('stuck.js')

for (const [face, Class] of faces) {
  const usePool = (t, threads) => endAfter(t, new Class({
    filename, name: 'spin', minThreads: threads, maxThreads: threads
  }))

  // Tasks that run until release() is called. Resolves when all of them have begun.
  async function begin (pool, names) {
    const words = new Int32Array(new SharedArrayBuffer(8))
    const runs = names.map((name) => pool.run(words, { name }))
    await until(() => Atomics.load(words, 1) === names.length)
    return {
      runs,
      release () {
        Atomics.store(words, 0, 1)
        Atomics.notify(words, 0)
      }
    }
  }

  test(`${face}: a dump shows the stack of each endless loop, which goes on`, limit, async (t) => {
    const pool = usePool(t, 2)
    const { runs, release } = await begin(pool, ['spin', 'spin'])
    for (let i = 0; i < 2; i++) {
      const { workers } = await pool.dump()
      assert.deepEqual(workers.map(({ id }) => id), pool.threads.map(({ threadId }) => threadId))
      for (const { state, tasks, stack } of workers) {
        assert.equal(state, 'busy')
        assert.match(stack, /^ {4}at (exports\.)?spin \(.*stuck\.js:7:\d+\)/)
        assert.doesNotMatch(stack, /main\.js/)
        const [{ name, filename: file, isAborted, startedAt, runMs }] = tasks
        assert.deepEqual([name, file, isAborted], ['spin', filename, false])
        assert.ok(runMs > 0 && startedAt + runMs <= performance.now() + 1, `${startedAt} ${runMs}`)
      }
    }
    release()
    assert.deepEqual(await Promise.all(runs), ['spun', 'spun'])
    assert.deepEqual((await pool.dump()).workers.map(({ tasks }) => tasks), [[], []])
  })

  // Without the check of WorkerHandle#isEnding, some of these tests abort the process.
  test(`${face}: workers may exit while they are dumped`, limit, async (t) => {
    const pool = usePool(t, 4)
    pool.on('error', () => {})
    const end = performance.now() + 3000
    const whileTime = async (callback) => { while (performance.now() < end) await callback() }
    await Promise.all([
      ...Array.from({ length: 4 }, () => whileTime(() => assert.rejects(
        pool.run(Math.random() * 20, { name: 'exitAfter' }), { code: 'ERR_TELAR_WORKER_EXITED' }))),
      ...Array.from({ length: 3 }, () => whileTime(() => pool.dump()))
    ])
  })

  test(`${face}: idle workers and tasks that wait have no stack in a dump`, limit, async (t) => {
    const pool = usePool(t, 2)
    const { runs, release } = await begin(pool, ['later'])
    await until(async () => (await pool.dump()).workers.some(({ state }) => state === 'idle'))
    const { workers } = await pool.dump()
    const idle = workers.find(({ state }) => state === 'idle')
    const busy = workers.find(({ state }) => state === 'busy')
    assert.deepEqual([idle.tasks, idle.stack], [[], ''])
    assert.equal(busy.tasks[0].name, 'later')
    assert.match(busy.stack, /it waits|at /)
    release()
    assert.deepEqual(await Promise.all(runs), ['waited'])
  })

  for (const [option, expected] of [['setup', 'starting'], ['teardown', 'ending']]) {
    test(`${face}: a dump shows where a ${option} is that does not end`, limit, async (t) => {
      const workerData = new Int32Array(new SharedArrayBuffer(4))
      const options = { [option]: 'spinForever', teardownTimeout: Infinity, workerData }
      const pool = endAfter(t, new Class({ filename, minThreads: 1, maxThreads: 1, ...options }))
      assert.equal((await pool.dump()).workers[0].state, 'starting')
      if (option === 'teardown') pool.ready().then(() => pool.close())
      await until(() => workerData[0] === 1)
      await until(async () => /at .*spinForever \(/.test((await pool.dump()).workers[0].stack))
      const { workers: [{ state, tasks }] } = await pool.dump()
      assert.deepEqual([state, tasks], [expected, []])
      assert.deepEqual(pool.workers.map(({ state }) => state), [expected])
    })
  }

  test(`${face}: a dump is a readable text`, limit, async (t) => {
    const pool = usePool(t, 1)
    const { runs, release } = await begin(pool, ['spin'])
    const queued = pool.run(new Int32Array(new SharedArrayBuffer(8)).fill(1))
    const lines = inspect(await pool.dump()).split('\n')
    assert.equal(lines[0], 'Pool: 1 worker; tasks: 1 running, 1 waiting, 0 completed')
    assert.match(lines[1], /^Worker \d+: busy$/)
    assert.match(lines[2], /^ {2}"spin" of .*stuck\.js for \d+ ms$/)
    assert.match(lines[3], /^ {4}at (exports\.)?spin \(/)
    release()
    await Promise.all([...runs, queued])
  })

  test(`${face}: dumps at the same time do not disturb each other`, limit, async (t) => {
    const pools = [usePool(t, 1), usePool(t, 1)]
    const begun = await Promise.all(pools.map((pool) => begin(pool, ['spin'])))
    const dumps = await Promise.all([...pools, ...pools].map((pool) => pool.dump()))
    for (const { workers: [{ stack }] } of dumps) assert.match(stack, /at (exports\.)?spin /)
    for (const { release } of begun) release()
    for (const { runs } of begun) assert.deepEqual(await Promise.all(runs), ['spun'])
  })

  test(`${face}: a pool in a worker has no stacks, and its dump says why`, limit, async (t) => {
    const pool = usePool(t, 1)
    const words = new Int32Array(new SharedArrayBuffer(8))
    const [{ state, tasks, stack }] = await pool.run(words, { name: 'dumpInside' })
    assert.equal(state, 'busy')
    assert.equal(tasks[0].name, 'spin')
    assert.match(stack, /no stack: only the main thread/)
  })

  test(`${face}: a pool without workers has a dump`, limit, async () => {
    const pool = new Class({ filename })
    await pool.close()
    assert.deepEqual((await pool.dump()).workers, [])
  })
}

test('a process that exits while a stack is being read ends', limit, async () => {
  const program = `
    const { Pool } = require(${JSON.stringify(require.resolve('../..'))})
    const pool = new Pool({ filename: ${JSON.stringify(filename)}, name: 'spin', maxThreads: 1 })
    const words = new Int32Array(new SharedArrayBuffer(8))
    pool.run(words)
    const timer = setInterval(() => {
      if (words[1] === 0) return
      clearInterval(timer)
      pool.dump()
      setTimeout(() => process.exit(7), Number(process.argv[1]))
    }, 1)`
  for (let i = 0; i < 12; i++) {
    const { code, signal } = await runProgram(['-e', program, i], { timeout: 20_000 })
    assert.deepEqual([code, signal], [7, null])
  }
})

test('a thread that could not be looked into yet can be later', limit, async (t) => {
  await withInspector(async (inspector) => {
    const { threadId } = new Worker('', { eval: true })
    const next = { id: threadId + 1, isEnding: false }
    assert.match(await inspector.stackOf(next, 1000), /has not started yet/)
    const worker = new Worker('for (;;);', { eval: true })
    t.after(() => worker.terminate())
    assert.equal(worker.threadId, next.id)
    await until(async () => /^ {4}at /.test(await inspector.stackOf(next, 1000)))
  })
})
