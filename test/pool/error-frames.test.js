'use strict'

// The stack of the error of a failed task: the frames of the worker, then those of the callers of
// run(), and none of telar.

const assert = require('node:assert/strict')
const path = require('node:path')
const { test } = require('node:test')
const { faces } = require('../fixtures/fault-helpers')
const { runProgram } = require('../fixtures/run-program')
const { endAfter, task } = require('../fixtures/use-pool')

const root = path.join(__dirname, '..', '..')
const lib = path.join(root, 'lib', path.sep)

const handler = async (run) => { await run() }
const route = async (run) => { await handler(run) }

// The error of the task that `run` starts, which is called by handler(), and that by route().
async function errorOf (run) {
  try {
    await route(run)
  } catch (error) {
    return error
  }
  return assert.fail('the task did not fail')
}

// The names in the frames of a stack that tell where the task failed and who called it.
function namesIn (stack) {
  const names = /\b(fail(Now|Later|ToReport)|handler|route|callInside|uncaught|exit)\b(?= \()/g
  return stack.match(names) ?? []
}

function assertFrames (error, names) {
  assert.deepEqual(namesIn(error.stack), names, error.stack)
  assert.ok(!error.stack.includes(lib), error.stack)
}

for (const [face, Class] of faces) {
  const usePool = (t, options) => endAfter(t, new Class({
    filename: task('failing.js'), name: 'failNow', minThreads: 1, maxThreads: 1, ...options
  }))

  test(`${face}: an error has the frames of the worker, then those of the callers`, async (t) => {
    const pool = usePool(t)
    const { signal } = new AbortController()
    for (const name of ['failNow', 'failLater']) {
      for (const options of [{ name }, { name, signal }]) {
        const error = await errorOf(() => pool.run('plain', options))
        assertFrames(error, [name, 'handler', 'route'])
        assert.match(error.stack, /^Error: plain\n {4}at /)
      }
    }
    assertFrames(await errorOf(() => pool.run('plain')), ['failNow', 'handler', 'route'])
  })

  test(`${face}: an error of a task that waited has the frames of its callers`, async (t) => {
    for (const options of [{}, { loadBalancer: (task, workers) => workers[0] }]) {
      const pool = usePool(t, options)
      const errors = await Promise.all(Array.from({ length: 50 }, () =>
        errorOf(() => pool.run('plain'))))
      for (const error of errors) assertFrames(error, ['failNow', 'handler', 'route'])
    }
  })

  test(`${face}: callers behind then() and Promise.all() are among the frames`, async (t) => {
    const pool = usePool(t)
    const chained = await errorOf(() => pool.run('plain').then((value) => value))
    assertFrames(chained, ['failNow', 'handler', 'route'])
    const all = await errorOf(() => Promise.all([pool.run('plain')]))
    assertFrames(all, ['failNow', 'handler', 'route'])
    assert.match(all.stack, /at async Promise\.all/)
  })

  test(`${face}: errors inside an error have no frames of telar`, async (t) => {
    const pool = usePool(t)
    const caused = await errorOf(() => pool.run('caused'))
    assertFrames(caused, ['failNow', 'handler', 'route'])
    assertFrames(caused.cause, ['failNow'])
    const aggregate = await errorOf(() => pool.run('aggregate'))
    assertFrames(aggregate, ['failNow', 'handler', 'route'])
    for (const error of aggregate.errors) assertFrames(error, ['failNow'])
    const cyclic = await errorOf(() => pool.run('cyclic'))
    assertFrames(cyclic, ['failNow', 'handler', 'route'])
    assert.equal(cyclic.cause, cyclic)
  })

  test(`${face}: an error of a value that cannot be sent has no frames of telar`, async (t) => {
    const pool = usePool(t)
    const inGetter = await errorOf(() => pool.run('plain', { name: 'failInGetter' }))
    assertFrames(inGetter, ['failNow', 'handler', 'route'])
    const onProgress = () => {}
    const toReport = await errorOf(() => pool.run('', { name: 'failToReport', onProgress }))
    assertFrames(toReport, ['failToReport', 'handler', 'route'])
    const inItem = await errorOf(() => pool.runMany(['plain'], { name: 'failInGetter' }))
    assertFrames(inItem, ['failNow', 'handler', 'route'])
  })

  test(`${face}: errors of all kinds arrive, with frames where they have a stack`, async (t) => {
    const pool = usePool(t)
    for (const kind of ['frozen', 'realm', 'domException', 'huge']) {
      assertFrames(await errorOf(() => pool.run(kind)), ['failNow', 'handler', 'route'])
    }
    const bare = await errorOf(() => pool.run('withoutStack'))
    assert.equal(bare.message, 'without a stack')
    assert.ok(bare instanceof Error)
    const accessor = await errorOf(() => pool.run('accessor'))
    assert.match(accessor.message, /accessor/)
    assert.deepEqual(await errorOf(() => pool.run('text')), 'a text')
    const object = { stack: `Error: no error\n    at pump (${lib}worker${path.sep}main.js:1:1)` }
    assert.deepEqual(await errorOf(() => pool.run('object')), object)
  })

  test(`${face}: a message that quotes a stack keeps it`, async (t) => {
    const { message, stack } = await errorOf(() => usePool(t).run('quoting'))
    assert.ok(message.includes(lib), message)
    assert.ok(stack.includes(message), stack)
    assert.ok(!stack.slice(stack.indexOf(message) + message.length).includes(lib), stack)
  })

  test(`${face}: a task of a pool inside a worker shows the callers on both sides`, async (t) => {
    const pool = usePool(t, { name: 'nested' })
    const error = await errorOf(() => pool.run('plain'))
    assertFrames(error, ['failNow', 'callInside', 'handler', 'route'])
  })

  test(`${face}: the error of a worker that ended shows the caller of its task`, async (t) => {
    const pool = usePool(t, { name: 'end', concurrentTasksPerWorker: 2 })
    for (const how of ['exit', 'throw']) {
      const gate = new Int32Array(new SharedArrayBuffer(4))
      const error = await errorOf(() => pool.run({ gate, count: 1, how }))
      assert.deepEqual(namesIn(error.stack).slice(-2), ['handler', 'route'], error.stack)
      assert.ok(!error.stack.includes(lib), error.stack)
    }
  })

  test(`${face}: an error of two tasks shows the caller of neither`, async (t) => {
    const pool = usePool(t, { name: 'end', concurrentTasksPerWorker: 2 })
    const gate = new Int32Array(new SharedArrayBuffer(4))
    const end = () => pool.run({ gate, count: 2, how: 'throw' })
    const errors = await Promise.all([errorOf(end), errorOf(end)])
    for (const error of errors) {
      assert.equal(error.message, 'uncaught')
      assert.doesNotMatch(error.stack, /handler|route/)
    }
  })

  test(`${face}: Error.stackTraceLimit of 0 asks for no frames of callers`, async (t) => {
    const pool = usePool(t)
    await assert.rejects(pool.run('plain'))
    const { stackTraceLimit } = Error
    t.after(() => { Error.stackTraceLimit = stackTraceLimit })
    Error.stackTraceLimit = 0
    assertFrames(await errorOf(() => pool.run('plain')), ['failNow'])
  })

  test(`${face}: an Error.prepareStackTrace of the user does no harm`, async (t) => {
    const pool = usePool(t)
    await assert.rejects(pool.run('plain'))
    t.after(() => { Error.prepareStackTrace = undefined })
    const fail = () => { throw new Error('mine') }
    for (const prepare of [fail, (error, calls) => ({ error, calls })]) {
      Error.prepareStackTrace = prepare
      assertFrames(await errorOf(() => pool.run('plain')), ['failNow'])
    }
  })

  test(`${face}: 'unhandledRejection' comes only if nothing handles the error`, async () => {
    const { stdout, stderr } = await runProgram(['-e', `
      const { faces } = require(${JSON.stringify(require.resolve('../fixtures/fault-helpers'))})
      const [, Class] = faces.find(([face]) => face === '${face}')
      const pool = new Class({ filename: ${JSON.stringify(task('failing.js'))}, name: 'failNow' })
      process.on('unhandledRejection', (error) => console.log('unhandled', error.message))
      process.on('rejectionHandled', () => console.log('handled later'))
      const { signal } = new AbortController()
      async function main () {
        for (const options of [undefined, { signal }, { name: 'failLater' }]) {
          await pool.run('plain', options).catch(() => {})
          await Promise.allSettled([pool.run('plain', options), pool.run('plain', options)])
          const first = pool.run('plain', options)
          await first.then(null, () => {})
          await pool.run('plain', options).finally(() => {}).catch(() => {})
        }
        pool.run('caused').then((value) => value)
      }
      main().then(() => console.log('done'))
    `])
    assert.deepEqual([stdout, stderr], ['done\nunhandled outer\n', ''])
  })
}
