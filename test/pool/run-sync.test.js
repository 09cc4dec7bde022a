'use strict'

// runSync() blocks its caller, and is like run() otherwise.

const assert = require('node:assert/strict')
const path = require('node:path')
const { test } = require('node:test')
const { setTimeout: sleep } = require('node:timers/promises')
const { pathToFileURL } = require('node:url')
const { Worker } = require('node:worker_threads')
const { move } = require('../..')
const { usePool, task } = require('../fixtures/use-pool')
const { runProgram } = require('../fixtures/run-program')

const blocking = (t, options) => usePool(t, 'blocking.js', options)
const newGate = () => new Int32Array(new SharedArrayBuffer(4))
const kFault = 'the boot fails'

for (const [how, options] of [
  ['one worker', {}],
  ['two workers', { maxThreads: 2, minThreads: 2 }],
  ['no worker yet', { minThreads: 0 }],
  ['several tasks for each worker', { concurrentTasksPerWorker: 4 }],
  ['a load balancer', { loadBalancer: (task, workers) => workers[0] }],
  ['a fresh worker for each task', { isolate: true }],
  ['async hooks', { asyncHooks: true }],
  ['limits', { timeout: 60_000, queueTimeout: 60_000 }]
]) {
  test(`with ${how} it returns what run() resolves with, before any worker has started`, (t) => {
    const pool = blocking(t, options)
    const values = [
      1, -0, undefined, null, 'text', 2n ** 70n, { a: [1, { b: 'two' }] },
      new Map([[1, new Set([2])]]), new Date(5), Buffer.from('buffer'), new Error('a value')
    ]
    for (const value of values) assert.deepEqual(pool.runSync(value), value)
    assert.equal(pool.runSync(7, { name: 'later' }), 7)
    assert.equal(pool.completed, values.length + 1)
  })
}

test('it throws what run() rejects with', async (t) => {
  const pool = blocking(t)
  const fault = { code: 'E_MINE', message: 'mine' }
  const rejected = await pool.run(fault, { name: 'fail' }).catch((error) => error)
  for (const options of [{ name: 'fail' }, { name: 'fail', priority: 1 }]) {
    assert.throws(() => pool.runSync(fault, options), (error) => {
      assert.deepEqual({ ...error }, { ...rejected })
      assert.equal(error.message, rejected.message)
      return error instanceof RangeError
    })
  }
  assert.throws(() => pool.runSync('late', { name: 'laterFail' }), { message: 'late' })
  assert.throws(() => pool.runSync(5, { name: 'throwOther' }), (error) => error === 5)
  assert.throws(() => pool.runSync(1, { name: 'nothing' }), { code: 'ERR_TELAR_NO_HANDLER' })
  assert.throws(() => pool.runSync(() => {}), { name: 'DataCloneError' })
  assert.equal(pool.runSync(1), 1)
})

test('it throws for wrong options, and a getter of the value that throws', (t) => {
  const pool = blocking(t)
  assert.throws(() => pool.runSync(1, { timeOut: 1 }), { code: 'ERR_TELAR_UNKNOWN_OPTION' })
  assert.throws(() => pool.runSync(1, { timeout: 0 }), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
  const fault = new Error('from a getter')
  assert.throws(() => pool.runSync({ get a () { throw fault } }), (error) => error === fault)
  assert.equal(pool.runSync({ get a () { return pool.runSync(3) } }).a, 3)
})

test('the stack of the error shows the function of the task and the caller', (t) => {
  const pool = blocking(t)
  function caller () { return pool.runSync({ message: 'x' }, { name: 'fail' }) }
  assert.throws(caller, ({ stack }) => {
    assert.match(stack, /^RangeError: x\n {4}at .*fail .*blocking\.js/)
    assert.match(stack, /at caller .*run-sync\.test\.js/)
    assert.doesNotMatch(stack, /lib.pool|lib.worker/)
    return true
  })
})

test('values that go by MessagePort come back too', (t) => {
  const pool = blocking(t, { sharedMemory: 1024 * 1024 })
  const large = new Uint8Array(3 * 1024 * 1024).fill(7)
  assert.deepEqual(pool.runSync(large), large)
  const { value, key } = pool.runSync(large, { name: 'byPort' })
  assert.deepEqual(value, large)
  assert.equal(String(key.export()), 'key')
  const moved = new Uint8Array(2_000_000).fill(1)
  assert.equal(pool.runSync(move(moved)).length, 2_000_000)
  assert.equal(moved.length, 0)
  const shared = new Int32Array(new SharedArrayBuffer(8))
  for (let i = 0; i < 5; i++) assert.equal(pool.runSync(shared).buffer, shared.buffer)
})

test('a task over its timeout throws, and the next call has its own result', (t) => {
  const pool = blocking(t)
  for (let i = 0; i < 2; i++) {
    assert.throws(() => pool.runSync(1, { name: 'spin', timeout: 30 }), {
      code: 'ERR_TELAR_TIMEOUT', phase: 'run'
    })
    assert.equal(pool.runSync(i), i)
  }
  assert.throws(() => pool.runSync('stale', { name: 'later', timeout: 1 }), { phase: 'run' })
  assert.equal(pool.runSync('fresh', { name: 'later' }), 'fresh')
})

test('a task that waits too long throws', (t) => {
  const pool = blocking(t)
  const gate = newGate()
  const run = pool.run({ text: 'held', gate }, { name: 'printThenWait' })
  assert.throws(() => pool.runSync(1, { queueTimeout: 20 }), { phase: 'queue' })
  blocking(t).runSync(gate, { name: 'open' })
  assert.equal(pool.runSync(2), 2)
  return run
})

// Its stack is read by the event loop, which the call blocks.
for (const abort of ['terminate', 'cooperative', 'interrupt']) {
  test(`a call gets the worker of a task that is just over its timeout, ${abort}`, async (t) => {
    const pool = blocking(t)
    pool.runSync(1)
    for (const wait of [30, 45, 60]) {
      const late = pool.run(1, { name: 'spin', abort, graceMs: 0, interruptMs: 1, timeout: 25 })
      const rejected = assert.rejects(late, { code: 'ERR_TELAR_TIMEOUT', phase: 'run' })
      await sleep(wait)
      assert.equal(pool.runSync(wait, { queueTimeout: 15_000 }), wait)
      await rejected
    }
  })
}

test('a task that is told to stop by its timeout leaves its worker alive', (t) => {
  const pool = blocking(t)
  const [{ threadId }] = pool.threads
  const options = { name: 'isTold', timeout: 20, abort: 'cooperative' }
  assert.throws(() => pool.runSync(newGate(), options), { code: 'ERR_TELAR_TIMEOUT' })
  assert.equal(pool.runSync('next'), 'next')
  assert.equal(pool.threads[0].threadId, threadId)
})

test('a signal that has fired throws, and a task of it does not run', (t) => {
  const pool = blocking(t)
  const signal = AbortSignal.abort('why')
  assert.throws(() => pool.runSync(1, { signal }), { name: 'AbortError', cause: 'why' })
  const { signal: silent } = new AbortController()
  assert.equal(pool.runSync(1, { signal: silent }), 1)
})

test('progress of the task comes during the call, that of others afterwards', async (t) => {
  const pool = blocking(t)
  const seen = []
  const onProgress = (value) => seen.push(`other ${value}`)
  const other = pool.run(2, { name: 'progress', onProgress })
  pool.runSync(3, { name: 'progress', onProgress: (value) => seen.push(value) })
  assert.deepEqual(seen, [0, 1, 2])
  await other
  assert.deepEqual(seen, [0, 1, 2, 'other 0', 'other 1'])
})

test('tasks of run() are settled afterwards, with their own results', async (t) => {
  const pool = blocking(t, { maxThreads: 2, minThreads: 2 })
  let settled = 0
  const runs = Array.from({ length: 9000 }, (_, i) => pool.run(i).then((result) => {
    settled++
    return result
  }))
  for (let i = 0; i < 100; i++) assert.equal(pool.runSync(`sync ${i}`), `sync ${i}`)
  assert.equal(settled, 0)
  assert.deepEqual(await Promise.all(runs), Array.from({ length: 9000 }, (_, i) => i))
})

test('events of the pool come after the call', async (t) => {
  const pool = blocking(t, { minThreads: 0 })
  const events = []
  for (const name of ['workerCreate', 'drain', 'needsDrain']) pool.on(name, () => events.push(name))
  pool.runSync(1)
  assert.deepEqual(events, [])
  await pool.run(1)
  assert.ok(events.includes('workerCreate'))
})

test('a worker that ends throws at once, and the pool has another', async (t) => {
  const pool = blocking(t)
  assert.throws(() => pool.runSync(3, { name: 'exit' }), {
    code: 'ERR_TELAR_WORKER_EXITED', message: /^worker exited with code: 3/
  })
  assert.equal(pool.runSync(1), 1)
  assert.throws(() => pool.runSync('mine', { name: 'uncaught' }), (error) => {
    assert.equal(error.code, 'ERR_MINE')
    assert.match(error.stack, /^TypeError: mine/)
    assert.equal(error.worker.tasks[0].name, 'uncaught')
    return true
  })
  assert.equal(pool.runSync(2), 2)
  assert.equal(await pool.run(3), 3)
})

test('a worker that another task ends does not hold the call up', async (t) => {
  const pool = blocking(t)
  const ended = assert.rejects(pool.run(4, { name: 'exit' }), { code: 'ERR_TELAR_WORKER_EXITED' })
  assert.equal(pool.runSync('after'), 'after')
  await ended
  assert.equal(pool.workers.length, 1)
})

test('a worker without memory throws', (t) => {
  const pool = blocking(t, { resourceLimits: { maxOldGenerationSizeMb: 16 } })
  assert.throws(() => pool.runSync(0, { name: 'grow' }), { code: 'ERR_TELAR_WORKER_EXITED' })
  assert.equal(pool.runSync(1), 1)
})

test('workers that cannot start throw their error', (t) => {
  const thrown = usePool(t, null, {
    filename: `data:text/javascript,throw new Error(${JSON.stringify(kFault)})`
  })
  assert.throws(() => thrown.runSync(1), { message: kFault })
  assert.throws(() => thrown.runSync(1), { message: kFault })
  const unfound = usePool(t, 'blocking.js', { execArgv: ['--require', '/no/such/file'] })
  assert.throws(() => unfound.runSync(1), { code: 'ERR_TELAR_WORKER_EXITED' })
})

test('a call inside of a callback of the pool does not disturb it', async (t) => {
  const pool = blocking(t, { maxThreads: 2, minThreads: 2 })
  const inner = []
  const onProgress = (value) => inner.push(pool.runSync(`inner ${value}`))
  const runs = Array.from({ length: 50 }, (_, i) => pool.run(i))
  const last = pool.run(3, { name: 'progress', onProgress })
  assert.deepEqual(await Promise.all(runs), Array.from({ length: 50 }, (_, i) => i))
  assert.equal(await last, 3)
  assert.deepEqual(inner, ['inner 0', 'inner 1', 'inner 2'])
  let calls = 0
  const balanced = blocking(t, {
    loadBalancer (task, workers) {
      if (calls++ === 0) assert.equal(balanced.runSync('nested'), 'nested')
      return workers[0]
    }
  })
  assert.equal(await balanced.run('outer'), 'outer')
})

test('a closing pool takes no call, and a closed one starts again', async (t) => {
  const pool = blocking(t)
  const closed = pool.close()
  assert.throws(() => pool.runSync(1), { name: 'AbortError' })
  await closed
  assert.equal(pool.runSync(2), 2)
})

test('several threads call at once, each with a pool of its own', async () => {
  const source = `
    const { Pool } = require(${JSON.stringify(path.join(__dirname, '..', '..'))})
    const { parentPort, threadId } = require('node:worker_threads')
    const pool = new Pool({ filename: ${JSON.stringify(task('blocking.js'))}, maxThreads: 1 })
    for (let i = 0; i < 2000; i++) {
      const got = pool.runSync({ threadId, i })
      if (got.threadId !== threadId || got.i !== i) throw new Error('wrong result')
    }
    parentPort.postMessage('done')
    pool.destroy()`
  await Promise.all(Array.from({ length: 3 }, () => new Promise((resolve, reject) => {
    new Worker(source, { eval: true }).on('error', reject).on('message', resolve)
  })))
})

test('a thread that is blocked can be terminated', async () => {
  const source = `
    const { Pool } = require(${JSON.stringify(path.join(__dirname, '..', '..'))})
    const { parentPort } = require('node:worker_threads')
    const pool = new Pool({ filename: ${JSON.stringify(task('blocking.js'))}, maxThreads: 1 })
    pool.runSync(1)
    parentPort.postMessage('blocks')
    pool.runSync(1, { name: 'spin' })`
  const worker = new Worker(source, { eval: true })
  await new Promise((resolve) => worker.once('message', resolve))
  await worker.terminate()
})

test('the output of a task comes after the call, and holds nothing up', async () => {
  const { stdout, code } = await runProgram(['-e', `
    const { Pool } = require(${JSON.stringify(path.join(__dirname, '..', '..'))})
    const pool = new Pool({ filename: ${JSON.stringify(task('blocking.js'))}, maxThreads: 1 })
    const gate = new Int32Array(new SharedArrayBuffer(4))
    const run = pool.run('of run', { name: 'print' })
    process.stdout.write(pool.runSync('of runSync', { name: 'print' }) + ' returned\\n')
    run.then(() => pool.close())`])
  assert.equal(code, 0)
  assert.deepEqual(stdout.trim().split('\n'), ['of runSync returned', 'of run', 'of runSync'])
})

test('files for the loaders of the user are loaded while the caller is blocked', async () => {
  const folder = path.join(__dirname, '..', 'fixtures', 'loaders')
  const files = ['seven.calc', 'needs-virtual.mjs', 'replaced.js']
  const { stdout, stderr } = await runProgram([
    '--import', pathToFileURL(path.join(folder, 'register.mjs')).href,
    path.join(folder, 'run-sync.mjs'),
    JSON.stringify(files.map((name) => path.join(folder, name)))
  ])
  assert.equal(stdout, '[42,1007,18]\n', stderr)
})
