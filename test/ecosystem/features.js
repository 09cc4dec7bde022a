'use strict'

// Uses one feature of telar after another, and prints the name of each that works, or what came
// instead. Also the file of its tasks. Run in a project that has telar.

const assert = require('node:assert/strict')
const { Readable } = require('node:stream')
const { isMainThread } = require('node:worker_threads')
const {
  Barrier, Channel, Condition, Counter, Latch, Mutex, Once, Pool, RwLock, Semaphore, createSyncFn,
  isWorkerThread, move, runAsWorker, select, wait
} = require('telar')
const { Piscina } = require('telar/piscina')

module.exports = {
  echo: (value) => value,
  isWorker: () => isWorkerThread,
  later: (value) => new Promise((resolve) => setTimeout(resolve, 20, value)),
  fail () { throw Object.assign(new RangeError('out of range'), { code: 'E_RANGE' }) },
  spin () { for (;;); },
  obey (value, task) { while (!task.aborted); },
  exit: () => process.exit(3),
  * upTo (count) { for (let i = 0; i < count; i++) yield i },
  setup: () => { globalThis.isSetUp = true },
  isSetUp: () => globalThis.isSetUp,
  print: () => console.log('printed by a task'),
  report (count, task) { for (let i = 0; i < count; i++) task.progress(i) },
  async add (channel) {
    let sum = 0
    for await (const number of channel) sum += number
    return sum
  },
  async count ({ mutex, counter }) {
    for (let i = 0; i < 1000; i++) {
      await mutex.lock()
      counter[0]++
      mutex.unlock()
    }
  }
}

async function collect (iterable) {
  const values = []
  for await (const value of iterable) values.push(value)
  return values
}

async function withPool (options, use) {
  const pool = new Pool({ filename: __filename, minThreads: 2, maxThreads: 2, ...options })
  try {
    await use((value, name, more) => pool.run(value, { name, ...more }), pool)
  } finally {
    await pool.destroy()
  }
}

const abortSoon = (more) => ({ signal: AbortSignal.timeout(50), ...more })

const features = {
  'values of many kinds': () => withPool({}, async (run) => {
    const value = {
      map: new Map([['a', new Set([1, 2n])]]),
      date: new Date(3),
      text: 'ü€',
      bytes: Buffer.from('ab')
    }
    assert.deepEqual(await run(value, 'echo'), value)
    assert.equal((await run(new Uint8Array(5e6), 'echo')).length, 5e6)
  }),
  '5,000 tasks': () => withPool({}, async (run) => {
    const numbers = Array.from({ length: 5000 }, (_, i) => i)
    assert.deepEqual(await Promise.all(numbers.map((i) => run(i, 'echo'))), numbers)
  }),
  'asynchronous tasks': () => withPool({}, async (run) => {
    assert.equal(await run(5, 'later'), 5)
    assert.equal(await run(0, 'isWorker'), true)
  }),
  'shared and moved memory': () => withPool({}, async (run) => {
    const memory = new SharedArrayBuffer(8)
    assert.ok((await run({ memory }, 'echo')).memory instanceof SharedArrayBuffer)
    const bytes = new Uint8Array(2e6)
    assert.equal((await run(move(bytes), 'echo')).length, 2e6)
    assert.equal(bytes.length, 0)
  }),
  'errors of tasks': () => withPool({}, (run) =>
    assert.rejects(run(0, 'fail'),
      { name: 'RangeError', message: 'out of range', code: 'E_RANGE' })),
  'aborts that end the worker': () => withPool({}, async (run) => {
    await assert.rejects(run(0, 'spin', abortSoon()), { name: 'AbortError' })
    assert.equal(await run(1, 'echo'), 1)
  }),
  'cooperative aborts': () => withPool({}, (run) =>
    assert.rejects(run(0, 'obey', abortSoon({ abort: 'cooperative' })), { name: 'AbortError' })),
  'limits of time': () => withPool({}, (run) =>
    assert.rejects(run(0, 'spin', { timeout: 50 }), { code: 'ERR_TELAR_TIMEOUT' })),
  progress: () => withPool({}, async (run) => {
    const numbers = []
    await run(3, 'report', { onProgress: (number) => numbers.push(number) })
    assert.deepEqual(numbers, [0, 1, 2])
  }),
  'aborts that interrupt': () => withPool({}, async (run) => {
    await assert.rejects(run(0, 'spin', abortSoon({ abort: 'interrupt' })), { name: 'AbortError' })
    assert.equal(await run(1, 'echo'), 1)
  }),
  'workers that end': () => withPool({}, async (run, pool) => {
    pool.on('error', () => {})
    await assert.rejects(run(0, 'exit'), { code: 'ERR_TELAR_WORKER_EXITED' })
    assert.equal(await run(1, 'echo'), 1)
  }),
  'output of tasks': () => withPool({}, (run) => run(0, 'print')),
  'priorities and keys': () => withPool({}, async (run) => {
    const results = [1, 2, 3].map((key) => run(key, 'echo', { key, priority: key }))
    assert.deepEqual(await Promise.all(results), [1, 2, 3])
  }),
  broadcasts: () => withPool({}, async (run, pool) =>
    assert.deepEqual(await pool.broadcast(4, { name: 'echo' }), [4, 4])),
  'recycled workers': () => withPool({ recycle: { tasks: 10 } }, async (run) => {
    for (let i = 0; i < 50; i++) assert.equal(await run(i, 'echo'), i)
  }),
  'workers that end when they are idle': () =>
    withPool({ minThreads: 0, idleTimeout: 10 }, async (run, pool) => {
      await run(1, 'echo')
      while (pool.threads.length > 0) await new Promise((resolve) => setTimeout(resolve, 5))
      assert.equal(await run(2, 'echo'), 2)
    }),
  'functions at the start of a worker': () => withPool({ setup: 'setup' }, async (run) => {
    assert.equal(await run(0, 'isSetUp'), true)
  }),
  'a fresh worker for each task': () => withPool({ isolate: true }, async (run) => {
    assert.deepEqual(await Promise.all([run(1, 'echo'), run(2, 'echo')]), [1, 2])
  }),
  'functions in place': () => withPool({}, async (run, pool) => {
    assert.equal(await pool.exec((a, b) => a + b, 1, 2), 3)
    assert.equal(await (await pool.proxy()).echo(4), 4)
  }),
  'many items': () => withPool({ name: 'echo' }, async (run, pool) => {
    assert.deepEqual(await pool.runMany([1, 2, 3]), [1, 2, 3])
    assert.deepEqual(await collect(pool.map([1, 2, 3])), [1, 2, 3])
    assert.deepEqual(await collect(Readable.from([1, 2]).pipe(pool.transform())), [1, 2])
    assert.deepEqual(await collect(pool.stream(3, { name: 'upTo' })), [0, 1, 2])
  }),
  // The first call starts the worker, while the event loop does not turn.
  'calls that block': () => withPool({ minThreads: 0, name: 'echo' }, async (run, pool) => {
    assert.equal(pool.runSync(5), 5)
    assert.throws(() => pool.runSync(0, { name: 'fail' }), { name: 'RangeError' })
    assert.equal(pool.runSync(6), 6)
  }),
  "synckit's interface": async () => assert.equal(createSyncFn(__filename)(21), 42),
  'where the tasks are': () => withPool({}, async (run, pool) => {
    const spinning = assert.rejects(run(0, 'spin', { timeout: 500 }))
    while (!/"spin" of/.test(await pool.dump()));
    await spinning
  }),
  channels: () => withPool({}, async (run) => {
    const channel = new Channel()
    const sum = run(channel, 'add')
    for (let i = 0; i < 1000; i++) await channel.send(i)
    channel.close()
    assert.equal(await sum, 499_500)
  }),
  locks: () => withPool({}, async (run) => {
    const shared = { mutex: new Mutex(), counter: new Int32Array(new SharedArrayBuffer(4)) }
    await Promise.all([run(shared, 'count'), run(shared, 'count')])
    assert.equal(shared.counter[0], 2000)
  }),
  'select()': async () => {
    const [a, b] = [new Channel(), new Channel()]
    const first = select([a, b])
    b.trySend(1)
    assert.equal((await first).value, 1)
  },
  'other primitives': () => withPool({}, async (run) => {
    const made = [
      new Barrier(1), new Condition(), new Counter(), new Latch(1), new Once(), new RwLock(),
      new Semaphore(1)
    ]
    const back = await run(made, 'echo')
    made.forEach((object, i) => assert.equal(back[i], object))
    const words = new Int32Array(new SharedArrayBuffer(4))
    assert.equal(wait(words, 0, 0, { timeout: 1 }), 'timed-out')
  }),
  // In Bun it is refused.
  memoryLimit: () => withPool({ memoryLimit: { heapMb: 64 } }, async (run) => {
    assert.equal(await run(1, 'echo'), 1)
  }),
  'telar/piscina': async () => {
    const piscina = new Piscina({ filename: __filename })
    assert.equal(await piscina.run(3, { name: 'echo' }), 3)
    await piscina.destroy()
  }
}

async function main () {
  for (const [name, use] of Object.entries(features)) {
    await use().then(() => console.log(`works: ${name}`),
      (error) => console.log(`does not work: ${name}: ${error.stack}`))
  }
}

if (isMainThread) main()
else runAsWorker((value) => value * 2)
