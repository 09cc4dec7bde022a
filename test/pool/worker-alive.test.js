'use strict'

// A worker is a thread like any other: between two tasks its event loop turns.

const assert = require('node:assert/strict')
const { fork, spawnSync } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const { test } = require('node:test')
const { move } = require('../..')
const { until } = require('../fixtures/until')
const { task, usePool } = require('../fixtures/use-pool')

const limit = { timeout: 30_000 }
const longLimit = { timeout: 60_000 }

const output = (name) => path.join(__dirname, '..', 'fixtures', 'output', name)

function alivePool (t, options) {
  const words = new Int32Array(new SharedArrayBuffer(16))
  const pool = usePool(t, 'alive.js', { workerData: words.buffer, ...options })
  return { pool, words, ask: (name, value) => pool.run(value, { name }) }
}

test('timers fire while the worker is idle', limit, async (t) => {
  const { words, ask } = alivePool(t)
  await ask('startInterval')
  await ask('later', 5)
  await until(() => Atomics.load(words, 0) >= 20 && Atomics.load(words, 1) === 1)
})

test('timers and immediates get their turn during thousands of tasks in a row', async (t) => {
  const { ask } = alivePool(t)
  await ask('countTurns')
  const before = await ask('turns')
  // 400 ms without a pause.
  await Promise.all(Array.from({ length: 4000 }, () => ask('busy', 100)))
  const after = await ask('turns')
  assert.ok(after.immediates - before.immediates >= 40,
    `immediates ran ${after.immediates - before.immediates} times`)
  assert.ok(after.timers - before.timers >= 40,
    `timers fired ${after.timers - before.timers} times`)
})

test('a thousand tasks without work leave turns of the event loop, too', async (t) => {
  const { pool, ask } = alivePool(t)
  await ask('countTurns')
  const before = await ask('turns')
  for (let round = 0; round < 100; round++) {
    await Promise.all(Array.from({ length: 1000 }, (_, i) => pool.run(i)))
  }
  const after = await ask('turns')
  assert.ok(after.immediates - before.immediates >= 20,
    `immediates ran ${after.immediates - before.immediates} times`)
})

test('a server in an idle worker answers', limit, async (t) => {
  const { ask } = alivePool(t)
  const port = await ask('listen')
  for (const page of ['/one', '/two', '/three']) {
    const response = await fetch(`http://127.0.0.1:${port}${page}`)
    assert.equal(await response.text(), `you asked for ${page}`)
  }
})

test('a server in a worker answers between tasks that never stop coming', limit, async (t) => {
  const { ask } = alivePool(t)
  const port = await ask('listen')
  const stop = new AbortController()
  const load = Array.from({ length: 10 }, async () => {
    while (!stop.signal.aborted) await ask('busy', 20)
  })
  const response = await fetch(`http://127.0.0.1:${port}/busy`)
  assert.equal(await response.text(), 'you asked for /busy')
  stop.abort()
  await Promise.all(load)
})

test('tasks can use sockets and files', limit, async (t) => {
  const { ask } = alivePool(t, { concurrentTasksPerWorker: 4 })
  const server = http.createServer((request, response) =>
    response.end(`to the worker ${request.url}`))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => { server.closeAllConnections(); server.close() })
  const url = `http://127.0.0.1:${server.address().port}`
  const pages = ['/a', '/b', '/c', '/d', '/e']
  const texts = await Promise.all(pages.map((page) => ask('fetch', url + page)))
  assert.deepEqual(texts, pages.map((page) => `to the worker ${page}`))
  assert.equal(await ask('readFile', __filename), fs.readFileSync(__filename, 'utf8'))
})

for (const name of ['leaveChain', 'leaveTicks', 'leaveChainLater']) {
  test(`microtasks and nextTicks of a task run before the next task: ${name}`, async (t) => {
    const { ask } = alivePool(t)
    for (const length of [1, 10, 1000]) {
      const found = await Promise.all(Array.from({ length: 200 }, () => ask(name, length)))
      assert.deepEqual(new Set(found), new Set([0]), `chains of ${length}`)
    }
    assert.equal(await ask(name, 100_000), 0)
    assert.equal(await ask(name, 1), 0)
  })
}

for (const where of ['nextTick', 'microtask', 'rejection', 'immediate']) {
  test(`an error that the task file handles ends no worker: ${where}`, limit, async (t) => {
    const { pool, ask } = alivePool(t)
    const errors = []
    pool.on('error', (error) => errors.push(error))
    const [{ threadId }] = pool.threads
    const messages = ['one', 'two', 'three']
    for (const message of messages) {
      assert.equal(await ask('throwLater', { where, message }), 'the result')
    }
    let caught = []
    while (caught.length < 3) caught = await ask('caught')
    assert.deepEqual(caught, messages)
    assert.equal(pool.threads[0].threadId, threadId)
    assert.deepEqual(errors, [])
  })
}

// ---- Messages ----

function collectMessages (pool) {
  const messages = []
  pool.on('message', (message) => messages.push(message))
  return messages
}

test('parentPort.postMessage() becomes an event of the pool', limit, async (t) => {
  const { pool, ask } = alivePool(t)
  const messages = collectMessages(pool)
  await ask('say', { from: 'a task' })
  await ask('sayLater', new Map([['from', 'a timer']]))
  await until(() => messages.length === 2)
  assert.deepEqual(messages, [{ from: 'a task' }, new Map([['from', 'a timer']])])
})

test('pool.threads[i].postMessage() reaches the task file, idle or busy', limit, async (t) => {
  const { pool, ask } = alivePool(t)
  const messages = collectMessages(pool)
  await ask('listenToParent')
  pool.threads[0].postMessage('while idle')
  await until(() => messages.length === 1)
  const stop = new AbortController()
  const keepBusy = async () => {
    while (!stop.signal.aborted) {
      await Promise.all(Array.from({ length: 100 }, () => ask('busy', 20)))
    }
  }
  const load = keepBusy()
  pool.threads[0].postMessage('while busy')
  await until(() => messages.length === 2)
  stop.abort()
  await load
  assert.deepEqual(messages, [{ echo: 'while idle' }, { echo: 'while busy' }])
})

test('a message sent before the worker has started waits for the task file', limit, async (t) => {
  const { pool, ask } = alivePool(t)
  pool.threads[0].postMessage('early')
  await until(() => pool.idleThreads === 1)
  assert.equal(await ask('receive'), 'early')
  const messages = collectMessages(pool)
  pool.threads[0].postMessage('kept until there is a listener')
  await ask('listenToParent')
  await until(() => messages.length === 1)
  assert.deepEqual(await ask('heard'), ['kept until there is a listener'])
})

test('telar sends nothing of its own by parentPort', limit, async (t) => {
  const { pool, ask } = alivePool(t, { concurrentTasksPerWorker: 3 })
  const messages = collectMessages(pool)
  assert.equal(await ask('isPortIdle'), true)
  await ask('listenToParent')
  // Tasks by port, moved, of other files, aborted, and failed.
  await pool.run({ shared: new SharedArrayBuffer(8) })
  await pool.run(move(new ArrayBuffer(8)))
  await pool.run(1, { filename: task('values.js') })
  await pool.run(1, { name: 'not there' }).catch(() => {})
  const aborted = new AbortController()
  aborted.abort()
  await pool.run(1, { signal: aborted.signal }).catch(() => {})
  await pool.run(() => {}).catch(() => {})
  await Promise.all(Array.from({ length: 100 }, (_, i) => pool.run({ i })))
  pool.threads[0].postMessage('last')
  await until(() => messages.length > 0)
  assert.deepEqual(messages, [{ echo: 'last' }])
  assert.deepEqual(await ask('heard'), ['last'])
})

// ---- Output ----

test('console output stays in order with results and is complete at the end', longLimit, () => {
  const { stdout, stderr, status } = spawnSync(process.execPath, [output('order.js')],
    { encoding: 'utf8', maxBuffer: 2 ** 24 })
  assert.equal(status, 0, stderr)
  const lines = stdout.trimEnd().split('\n')
  const expected = []
  for (let i = 0; i < 20; i++) {
    expected.push(`task ${i} first`, `task ${i} second`, `task ${i} third`, `result ${i}`)
  }
  for (let i = 0; i < 20; i++) expected.push(`together ${i}`)
  expected.push('results', 'x'.repeat(300_000), 'end')
  assert.deepEqual(lines, expected)
})

// How many lines the task prints before it disturbs its stream, and which lines still arrive
// afterwards.
const disturbances = [
  ['nothing', 3, []],
  ['replaceWrite', 3, []],
  ['replaceForAWhile', 3, []],
  ['replaceInternals', 1, []],
  ['replaceAll', 3, []],
  ['replaceStream', 3, []],
  ['cork', 3, ['corked']],
  ['corkTwice', 3, ['corked', 'corked again']],
  ['corkUntilLater', 3, ['corked']],
  ['end', 3, []],
  ['endWithText', 3, ['the end']],
  // A destroyed stream drops what it has not sent, which is all but the first line.
  ['destroy', 1, []],
  ['destroyCorked', 1, []]
]

for (const name of ['stdout', 'stderr']) {
  for (const handler of ['default', 'later']) {
    test(`a task that disturbs its ${name} settles after its output: ${handler}`, longLimit, () => {
      const tasks = disturbances.map(([how, lines]) => ({ how, lines }))
      const args = [output('disturbed.js'), JSON.stringify({ name, tasks, handler })]
      const result = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 50_000 })
      const expected = disturbances.flatMap(([how, lines, after]) => [
        ...Array.from({ length: lines }, (_, i) => `${how} ${i + 1}`),
        ...after,
        `result of ${how}`,
        'again'
      ])
      assert.deepEqual(result[name].trimEnd().split('\n'), expected)
      assert.equal(result.status, 0)
    })
  }
}

test('a worker that never stops printing returns the results of its tasks', longLimit, () => {
  const { stdout, status } = spawnSync(process.execPath, [output('endless.js')],
    { encoding: 'utf8', maxBuffer: 2 ** 26, timeout: 30_000 })
  assert.equal(status, 0)
  const lines = stdout.trimEnd().split('\n')
  assert.deepEqual(lines.filter((line) => line !== 'printing'),
    Array.from({ length: 20 }, (_, i) => [`task ${i}`, `result ${i}`]).flat())
})

test('the output of a --require file comes before the first result', longLimit, () => {
  const request = JSON.stringify({ name: 'stdout', tasks: [{ how: 'nothing', lines: 0 }] })
  const args = ['--require', output('preload.js'), output('disturbed.js'), request]
  const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.deepEqual(stdout.trimEnd().split('\n'),
    ['preloaded 1', 'preloaded 2', 'result of nothing', 'again'])
})

test('output appears when it is written, in a task and in an idle worker', longLimit, async () => {
  const child = fork(output('waiting.js'), { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text) => { out += text })
  child.stderr.setEncoding('utf8').on('data', (text) => { err += text })
  const exited = once(child, 'close')

  await until(() => out === 'in the task 1\nin the task 2\nin the task 3\n')
  child.send('go on')
  await until(() => out.endsWith('went on\nidle 1\nidle 2\nidle 3\n'))
  assert.equal(err, '')
  child.send('end')
  assert.deepEqual(await exited, [0, null])
  assert.equal(err, 'to stderr\n')
})
