'use strict'

// createSyncFn() and runAsWorker(), the interface of synckit.

const assert = require('node:assert/strict')
const path = require('node:path')
const { test } = require('node:test')
const { pathToFileURL } = require('node:url')
const { createSyncFn, runAsWorker } = require('../..')
const { runProgram } = require('../fixtures/run-program')

const file = (name) => path.join(__dirname, '..', 'fixtures', 'sync-fn', name)
const url = (name) => pathToFileURL(file(name))

test('it calls the function of the file with all arguments, and returns the result', () => {
  const syncFn = createSyncFn(file('worker.js'))
  assert.deepEqual(syncFn(1, 'two', { three: 3 }), [1, 'two', { three: 3 }])
  assert.deepEqual(syncFn('alone'), ['alone'])
  assert.deepEqual(syncFn(), [undefined])
  assert.equal(syncFn('later', 'value', 5), 'value')
})

test('the function has one worker, which keeps its state, for all who ask for the file', () => {
  const syncFn = createSyncFn(file('worker.js'))
  assert.equal(createSyncFn(url('worker.js')), syncFn)
  assert.equal(createSyncFn(url('worker.js').href, { timeout: 5 }), syncFn)
  const calls = syncFn('calls')
  assert.equal(syncFn('calls'), calls + 1)
})

test('an error has its class, its message and its own properties', () => {
  const syncFn = createSyncFn(file('worker.js'))
  assert.throws(() => syncFn('fail', 'why'), (error) => {
    assert.deepEqual({ ...error }, { code: 'E_FAIL', details: [1] })
    assert.match(error.stack, /worker\.js[^]*sync-fn\.test\.js/)
    return error instanceof RangeError && error.message === 'why'
  })
  assert.throws(() => syncFn('exit', 3), { code: 'ERR_TELAR_WORKER_EXITED' })
  assert.deepEqual(syncFn('next'), ['next'])
})

test('an ES module may await before it calls runAsWorker()', () => {
  assert.equal(createSyncFn(url('module.mjs'))(1, 2), 4)
})

test('after a timeout the next call has its own result', async () => {
  const { stdout, stderr } = await runProgram(['-e', `
    const { createSyncFn } = require(${JSON.stringify(path.join(__dirname, '..', '..'))})
    const syncFn = createSyncFn(${JSON.stringify(file('worker.js'))}, 2000)
    syncFn('first')
    for (let i = 0; i < 2; i++) {
      try { syncFn('later', 'stale', 100000) } catch ({ code }) { console.log(code) }
      console.log(syncFn('fresh ' + i))
    }
    syncFn('print', 'of the worker')`])
  assert.equal(stderr, '')
  assert.deepEqual(stdout.trim().split('\n'), [
    'ERR_TELAR_TIMEOUT', "[ 'fresh 0' ]", 'ERR_TELAR_TIMEOUT', "[ 'fresh 1' ]", 'of the worker'
  ])
})

test('globalShims sets globals before the file is loaded', () => {
  const globalShims = [{ moduleName: './shim.js', globalName: 'added', named: 'added' }]
  assert.equal(createSyncFn(file('shimmed.mjs'), { globalShims })(1, 2), 'shim 1 2')
})

// The published test cases of synckit, as far as they are about its public interface.
for (const name of ['worker.cjs', 'worker.mjs', 'no-extension', 'typescript.js', 'typed']) {
  test(`as with synckit, ${name} is found and called`, () => {
    const syncFn = createSyncFn(file(`synckit/${name}`), {})
    assert.deepEqual([syncFn(1), syncFn(2), syncFn(5, 0)], [1, 2, 5])
    assert.equal(createSyncFn(url(`synckit/${name}`)), syncFn)
    assert.equal(createSyncFn(url(`synckit/${name}`).href, {}), syncFn)
  })
}

test('as with synckit, a file that fails says so when it is called', () => {
  assert.throws(() => createSyncFn(new URL('https://example.com')))
  assert.equal(typeof createSyncFn(require.resolve('acorn')), 'function')
  assert.throws(() => createSyncFn(file('synckit/fails.cjs'))(), { message: 'Worker Error' })
})

test('as with synckit, a global is not set if its module does not exist', () => {
  const syncFn = createSyncFn(file('synckit/without-shim.cjs'), {
    globalShims: [
      { moduleName: 'non-existed' },
      { moduleName: '../shim.js', globalName: 'shim', named: 'added' }
    ]
  })
  assert.equal(syncFn(1, 0), 'shim 1 0')
})

test('wrong arguments throw and say what was expected', () => {
  const invalid = { code: 'ERR_TELAR_INVALID_ARGUMENT' }
  assert.throws(() => createSyncFn('./worker.js'), { ...invalid, message: /must be absolute/ })
  assert.throws(() => createSyncFn(5), invalid)
  assert.throws(() => createSyncFn(file('a.js'), { timeout: 0 }), invalid)
  assert.throws(() => createSyncFn(file('a.js'), { tsRunner: 'tsx' }), /--import/)
  assert.throws(() => createSyncFn(file('a.js'), { transferList: [1] }), /move\(value\)/)
  assert.throws(() => createSyncFn(file('a.js'), { timeOut: 1 }), {
    code: 'ERR_TELAR_UNKNOWN_OPTION'
  })
  assert.throws(() => runAsWorker(5), invalid)
  assert.equal(runAsWorker(() => 1), undefined)
  assert.throws(() => createSyncFn(file('nothing.js'))(), {
    code: 'ERR_TELAR_NO_HANDLER', message: /runAsWorker\(fn\)/
  })
  assert.throws(() => createSyncFn(file('missing.js'))(), { code: 'MODULE_NOT_FOUND' })
})
