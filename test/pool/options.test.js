'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { test } = require('node:test')
const { pathToFileURL } = require('node:url')
const { runInNewContext } = require('node:vm')
const { SHARE_ENV } = require('node:worker_threads')
const fc = require('fast-check')
const { Channel, Counter, Mutex, Pool } = require('../..')
const native = require('../../lib/base/native')
const { AbortError, TelarError } = require('../../lib/base/errors')
const {
  normalizeCloseOptions, normalizeRunOptions, runOptionNames
} = require('../../lib/pool/call-options')
const {
  normalizePoolOptions, poolLimits, poolOptionNames, timerDelay
} = require('../../lib/pool/options')
const { FixedQueue } = require('../../lib/pool/task-queues')

const strict = (options) => normalizePoolOptions(options, { strict: true })
const compat = (options) => normalizePoolOptions(options, { strict: false })

// Options that no pool takes. The message is that of Piscina. Pool adds what it received.
const refused = [
  [
    'filename', 12, 'options.filename must be a string or null',
    'options.filename must be a string, a URL or null'
  ],
  ['name', 12, 'options.name must be a string or null'],
  ['minThreads', -1, 'options.minThreads must be a non-negative integer'],
  ['minThreads', 'x', 'options.minThreads must be a non-negative integer'],
  ['minThreads', null, 'options.minThreads must be a non-negative integer'],
  ['maxThreads', 0, 'options.maxThreads must be a positive integer'],
  ['maxThreads', '2', 'options.maxThreads must be a positive integer'],
  ['idleTimeout', -1, 'options.idleTimeout must be a non-negative integer'],
  ['maxQueue', -1, 'options.maxQueue must be a non-negative integer'],
  ['maxQueue', 'automatic', 'options.maxQueue must be a non-negative integer'],
  ['concurrentTasksPerWorker', 0, 'options.concurrentTasksPerWorker must be a positive integer'],
  ['resourceLimits', 0, 'options.resourceLimits must be an object'],
  ['resourceLimits', null, 'options.resourceLimits must be an object'],
  ['taskQueue', null, 'options.taskQueue must be a TaskQueue object'],
  ['taskQueue', new Date(), 'options.taskQueue must be a TaskQueue object'],
  ['niceIncrement', 'x', 'options.niceIncrement must be a non-negative integer on Unix systems'],
  ['trackUnmanagedFds', 1, 'options.trackUnmanagedFds must be a boolean value'],
  ['closeTimeout', -1, 'options.closeTimeout must be a non-negative integer'],
  ['loadBalancer', 1, 'options.loadBalancer must be a function with at least two args'],
  ['loadBalancer', () => null, 'options.loadBalancer must be a function with at least two args'],
  ['workerHistogram', 1, 'options.workerHistogram must be a boolean'],
  ['stricterFIFO', 1, 'options.stricterFIFO must be a boolean'],
  ['asyncHooks', 1, 'options.asyncHooks must be a boolean'],
  [
    'sharedMemory', 1024,
    'options.sharedMemory must be an integer between 1048576 and 1072693248 (bytes)'
  ],
  [
    'sharedMemory', 2 ** 30,
    'options.sharedMemory must be an integer between 1048576 and 1072693248 (bytes)'
  ]
]

for (const [name, value, message, strictMessage = message] of refused) {
  test(`options.${name} refuses ${String(value)}`, () => {
    const expected = { message, code: 'ERR_TELAR_INVALID_ARGUMENT', name: 'TypeError' }
    assert.throws(() => compat({ [name]: value }), expected)
    assert.throws(() => strict({ [name]: value }), {
      ...expected,
      message: new RegExp(`^${strictMessage.replace(/[()]/g, '\\$&')}; received .`)
    })
  })
}

test('options.atomics refuses an unknown mode', () => {
  assert.throws(() => compat({ atomics: 'x' }),
    { message: 'options.atomics should be a value of sync, sync or disabled.' })
  assert.throws(() => strict({ atomics: 'x' }),
    { message: 'options.atomics should be a value of sync, async or disabled; received "x"' })
})

test('Pool refuses invalid options that Piscina accepts', () => {
  const bad = {
    minThreads: [NaN, 1.5, Infinity],
    maxThreads: [NaN, 1.5, Infinity],
    idleTimeout: [NaN, 0.5],
    maxQueue: [NaN, 0.5],
    concurrentTasksPerWorker: [NaN, 1.5, Infinity],
    closeTimeout: [NaN, 0.5],
    niceIncrement: [NaN, 0.5],
    argv: ['--flag', {}],
    execArgv: ['--flag', [1]],
    env: ['PATH', []],
    recordTiming: [1, null]
  }
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) {
      assert.throws(() => strict({ [name]: value }),
        { name: 'TypeError', code: 'ERR_TELAR_INVALID_ARGUMENT' }, `${name}: ${String(value)}`)
      assert.doesNotThrow(() => compat({ [name]: value }), `${name}: ${String(value)}`)
    }
  }
})

test('the message says what was received', () => {
  assert.throws(() => strict({ maxThreads: 'four' }),
    { message: 'options.maxThreads must be a positive integer; received "four"' })
  assert.throws(() => strict({ env: [] }),
    { message: 'options.env must be an object, SHARE_ENV or null; received an array of 0' })
})

test('Pool refuses a misspelled option with a hint, and Piscina accepts it', () => {
  const hints = {
    maxThread: 'maxThreads',
    maxthreads: 'maxThreads',
    conccurentTasksPerWorker: 'concurrentTasksPerWorker',
    filname: 'filename',
    mniThreads: 'minThreads',
    stricterFifo: 'stricterFIFO'
  }
  for (const [wrong, right] of Object.entries(hints)) {
    assert.throws(() => strict({ [wrong]: 1 }), {
      name: 'TypeError',
      code: 'ERR_TELAR_UNKNOWN_OPTION',
      message: `options.${wrong} is not a known option; did you mean options.${right}?`
    })
    assert.equal(compat({ [wrong]: 1 })[wrong], 1)
  }
  assert.throws(() => strict({ something: 1 }),
    { message: 'options.something is not a known option' })
})

test('Pool refuses options that are no object', () => {
  for (const value of [null, 5, 'text', []]) {
    assert.throws(() => strict(value),
      { name: 'TypeError', message: /^options must be an object; received / })
    assert.doesNotThrow(() => compat(value))
  }
  assert.doesNotThrow(() => strict(undefined))
})

test('the number of CPUs is whole, and from 1 to what Node counts', () => {
  const cpus = native.cpus()
  assert.ok(Number.isInteger(cpus) && cpus >= 1 && cpus <= os.availableParallelism())
})

test('options that are left out have their defaults', () => {
  const cpus = native.cpus()
  for (const given of [
    {},
    undefined,
    Object.fromEntries(poolOptionNames.map((name) => [name, undefined]))
  ]) {
    const { taskQueue, ...options } = strict(given)
    assert.ok(taskQueue instanceof FixedQueue)
    assert.deepEqual(options, {
      filename: null,
      name: 'default',
      minThreads: Math.max(1, Math.floor(cpus / 2)),
      maxThreads: Math.max(1, Math.floor(cpus * 1.5)),
      idleTimeout: 0,
      maxQueue: Infinity,
      concurrentTasksPerWorker: 1,
      atomics: 'sync',
      resourceLimits: undefined,
      memoryLimit: undefined,
      argv: undefined,
      execArgv: undefined,
      env: undefined,
      workerData: undefined,
      niceIncrement: 0,
      trackUnmanagedFds: true,
      closeTimeout: 30000,
      recordTiming: true,
      loadBalancer: undefined,
      workerHistogram: false,
      stricterFIFO: false,
      asyncHooks: false,
      sharedMemory: 256 * 1024 * 1024,
      setup: null,
      teardown: null,
      teardownTimeout: 5000,
      recycle: undefined,
      isolate: false,
      spareThreads: undefined,
      abort: 'terminate',
      graceMs: Infinity,
      interruptMs: 250,
      timeout: Infinity,
      queueTimeout: Infinity
    })
  }
  assert.equal(compat({}).maxThreads, cpus * 1.5)
  assert.equal(compat({}).asyncHooks, true)
  assert.notEqual(strict({}).taskQueue, strict({}).taskQueue, 'pools must not share a queue')
})

test('options that are given are kept', () => {
  const loadBalancer = (task, workers) => workers[0]
  const taskQueue = new FixedQueue()
  const given = {
    filename: '/a.js',
    name: 'other',
    minThreads: 0,
    maxThreads: 7,
    idleTimeout: Infinity,
    maxQueue: 0,
    concurrentTasksPerWorker: 3,
    atomics: 'disabled',
    argv: [1],
    execArgv: ['--no-warnings'],
    env: SHARE_ENV,
    workerData: { a: 1 },
    taskQueue,
    niceIncrement: 2,
    trackUnmanagedFds: false,
    closeTimeout: Infinity,
    recordTiming: false,
    loadBalancer,
    workerHistogram: true,
    stricterFIFO: true,
    asyncHooks: true,
    sharedMemory: 2 ** 20,
    setup: 'open',
    teardown: 'close',
    teardownTimeout: 0,
    isolate: false,
    abort: 'cooperative',
    graceMs: 0,
    interruptMs: 100,
    timeout: 0.5,
    queueTimeout: 1000
  }
  const { memoryLimit, recycle, resourceLimits, spareThreads, ...options } = strict(given)
  assert.deepEqual([memoryLimit, recycle, resourceLimits, spareThreads],
    [undefined, undefined, undefined, undefined])
  assert.deepEqual({ ...options }, given)
  assert.equal(options.taskQueue, taskQueue)
})

test('the given object is neither kept nor changed', () => {
  const given = Object.freeze({ maxThreads: 1, resourceLimits: Object.freeze({ stackSizeMb: 4 }) })
  const options = strict(given)
  assert.notEqual(options, given)
  assert.equal(options.minThreads, 1)
  assert.equal(options.resourceLimits.stackSizeMb, 4)
})

test('minThreads or maxThreads alone clamps the other, and both must not conflict', () => {
  for (const normalize of [strict, compat]) {
    assert.equal(normalize({ maxThreads: 1 }).minThreads, 1)
    assert.equal(normalize({ minThreads: 1000 }).maxThreads, 1000)
    assert.equal(normalize({ minThreads: 0 }).minThreads, 0)
    assert.throws(() => normalize({ minThreads: 16, maxThreads: 8 }), {
      name: 'RangeError',
      code: 'ERR_TELAR_OPTION_CONFLICT',
      message: /^options.minThreads and options.maxThreads must not conflict/
    })
  }
})

test("maxQueue 'auto' is the square of the whole maxThreads", () => {
  assert.equal(strict({ maxQueue: 'auto', maxThreads: 3 }).maxQueue, 9)
  assert.equal(compat({ maxQueue: 'auto', maxThreads: 4.5 }).maxQueue, 16)
})

test('null means the default where it is allowed', () => {
  for (const normalize of [strict, compat]) {
    assert.equal(normalize({ name: null }).name, 'default')
    assert.equal(normalize({ filename: null }).filename, null)
    assert.equal(normalize({ filename: '' }).filename, null)
  }
  assert.equal(compat({ atomics: null }).atomics, 'sync')
})

test('a file: URL as filename becomes a path, and a data: URL stays', () => {
  const data = 'data:text/javascript,export default () => 1'
  for (const normalize of [strict, compat]) {
    assert.equal(normalize({ filename: pathToFileURL(__filename).href }).filename, __filename)
    assert.equal(normalize({ filename: data }).filename, data)
    assert.throws(() => normalize({ filename: 'file:///a%2fb' }),
      { name: 'TypeError', code: 'ERR_TELAR_INVALID_ARGUMENT' })
  }
  assert.equal(strict({ filename: pathToFileURL(__filename) }).filename, __filename)
  assert.equal(strict({ filename: new URL(data) }).filename, new URL(data).href)
  assert.throws(() => strict({ filename: new URL('https://example.org/a.js') }), {
    message: 'options.filename must be a path, a file: URL or a data: URL; ' +
      'received "https://example.org/a.js"'
  })
  assert.throws(() => compat({ filename: pathToFileURL(__filename) }),
    { message: 'options.filename must be a string or null' })
})

test('sharedMemory is rounded up to 64 KiB', () => {
  assert.equal(strict({ sharedMemory: 2 ** 20 + 1 }).sharedMemory, 2 ** 20 + 2 ** 16)
  assert.equal(strict({ sharedMemory: 2 ** 30 - 2 ** 20 }).sharedMemory, 2 ** 30 - 2 ** 20)
})

test('neither a prototype nor a polluted Object.prototype sets an option', (t) => {
  const polluted = {
    filename: 'polluted',
    execArgv: ['--polluted'],
    env: {},
    loadBalancer: (task, workers) => null,
    maxOldGenerationSizeMb: 1,
    force: true,
    singal: 1
  }
  for (const [name, value] of Object.entries(polluted)) {
    // eslint-disable-next-line no-extend-native
    Object.defineProperty(Object.prototype, name,
      { value, configurable: true, enumerable: true, writable: true })
  }
  t.after(() => { for (const name of Object.keys(polluted)) delete Object.prototype[name] })

  for (const normalize of [strict, compat]) {
    for (const given of [{}, Object.create({ filename: 'inherited' })]) {
      const options = normalize(Object.assign(given, { resourceLimits: {} }))
      assert.equal(options.filename, null)
      for (const name of ['execArgv', 'env', 'loadBalancer']) assert.equal(options[name], undefined)
      assert.equal(options.resourceLimits.maxOldGenerationSizeMb, undefined)
    }
  }
  for (const isStrict of [true, false]) {
    const run = normalizeRunOptions({}, { strict: isStrict })
    assert.equal(run.filename, null)
    assert.equal(run.error, null)
    assert.equal(normalizeCloseOptions({}, { strict: isStrict }).force, false)
  }
})

test('limits are whole and ordered, whatever Piscina accepts', () => {
  const odd = fc.constantFrom(NaN, Infinity, 0, 0.5, 1.5)
  const number = fc.oneof(fc.double(), fc.integer({ min: -10, max: 100 }), odd)
  const given = fc.record({
    minThreads: number,
    maxThreads: number,
    maxQueue: number,
    concurrentTasksPerWorker: number
  }, { requiredKeys: [] })
  fc.assert(fc.property(given, (options) => {
    let limits
    try {
      limits = poolLimits(compat(options))
    } catch (error) {
      assert.ok(error instanceof TelarError)
      return
    }
    const isWhole = (value) => value === Infinity || Number.isInteger(value)
    assert.ok(Object.values(limits).every(isWhole), JSON.stringify(limits))
    assert.ok(limits.minThreads >= 0 && limits.minThreads <= limits.maxThreads)
    assert.ok(limits.maxThreads >= 1)
    assert.ok(limits.maxQueue >= 0 && limits.concurrentTasksPerWorker >= 1)
  }), { numRuns: 500 })
  assert.deepEqual(poolLimits(compat({ minThreads: 1.5, maxThreads: 1.5 })), {
    minThreads: 1,
    maxThreads: 1,
    spareThreads: 0,
    maxLiving: 66,
    maxQueue: Infinity,
    concurrentTasksPerWorker: 1
  })
  assert.deepEqual(poolLimits(compat({ minThreads: 3, maxThreads: NaN })), {
    minThreads: 3,
    maxThreads: 3,
    spareThreads: 0,
    maxLiving: 70,
    maxQueue: Infinity,
    concurrentTasksPerWorker: 1
  })
})

test('timerDelay() returns a delay that setTimeout() keeps', () => {
  assert.equal(timerDelay(0), 0)
  assert.equal(timerDelay(1500), 1500)
  assert.equal(timerDelay(2 ** 40), 2 ** 31 - 1)
  assert.equal(timerDelay(Infinity), null)
  assert.equal(timerDelay(NaN), 0)
})

test('invalid options of run() are returned as an error', () => {
  const cases = [
    [null, 'options must be an object'],
    [5, 'options must be an object'],
    [{ transferList: 'x' }, 'transferList argument must be an Array'],
    [{ transferList: null }, 'transferList argument must be an Array'],
    [
      { filename: 5 }, 'filename argument must be a string',
      'filename argument must be a string or a URL'
    ],
    [{ name: 5 }, 'name argument must be a string'],
    [{ signal: 'x' }, 'signal argument must be an object'],
    [{ signal: {} }, 'signal argument must be an object with addEventListener() or once()']
  ]
  for (const [given, message, strictMessage = message] of cases) {
    const { error } = normalizeRunOptions(given, { strict: false })
    assert.equal(error.message, message)
    assert.ok(error instanceof TypeError)
    assert.match(normalizeRunOptions(given, { strict: true }).error.message,
      new RegExp(`^${strictMessage.replace(/[()]/g, '\\$&')}; received .`))
  }
})

test('run() refuses a list as its options and says where it belongs', async () => {
  const pool = new Pool({ minThreads: 0 })
  for (const list of [[new ArrayBuffer(8)], []]) {
    await assert.rejects(pool.run(1, list), {
      name: 'TypeError',
      code: 'ERR_TELAR_INVALID_ARGUMENT',
      message: 'options must be an object: what is to be transferred goes into its transferList, ' +
        `as in run(value, { transferList: [buffer] }); received an array of ${list.length}`
    })
    assert.equal(normalizeRunOptions(list, { strict: false }).error, null)
  }
  await pool.destroy()
})

test('other calls refuse a list as their options, too', async () => {
  const expected = {
    code: 'ERR_TELAR_INVALID_ARGUMENT',
    message: /^(options|limits) must be an object.*; received an array of 1$/
  }
  const pool = new Pool({ minThreads: 0 })
  await assert.rejects(pool.close([true]), expected)
  await pool.destroy()
  const channel = new Channel()
  for (const call of [
    () => new Channel([1]), () => channel.readable([1]), () => channel.writable([1]),
    () => channel.sendSync(1, [1]), () => new Mutex().lockSync([1]), () => new Counter([1]),
    () => new Counter().tryAdd(1, [1])
  ]) {
    assert.throws(call, expected)
  }
  for (const call of [
    () => channel.send(1, [1]), () => channel.receive([1]), () => new Mutex().lock([1])
  ]) {
    await assert.rejects(async () => call(), expected)
  }
})

test('calls refuse an instance without properties in the place of options', async () => {
  const controller = new AbortController()
  const pool = new Pool({ minThreads: 0 })
  const channel = new Channel()
  const cases = [
    [controller.signal, /^options must be .* own, such as \{ signal \}; received .* AbortSignal$/],
    [controller, /^options must be .* of its own; received an instance of AbortController$/],
    [new Map([['timeout', 5]]), /^options must be .* of its own; received an instance of Map$/]
  ]
  for (const [given, message] of cases) {
    const expected = { code: 'ERR_TELAR_INVALID_ARGUMENT', message }
    assert.throws(() => new Pool(given), expected)
    await assert.rejects(pool.run(1, given), expected)
    await assert.rejects(pool.runMany([1], given), expected)
    await assert.rejects(async () => channel.receive(given), expected)
    await assert.rejects(async () => new Mutex().lock(given), expected)
    await assert.rejects(pool.close(given), expected)
    assert.equal(normalizeRunOptions(given, { strict: false }).error, null)
  }
  const ofOtherRealm = runInNewContext('({})')
  class Options { timeout = 5 }
  for (const given of [{}, Object.create(null), ofOtherRealm, new Options()]) {
    assert.equal(normalizeRunOptions(given, { strict: true }).error, null)
  }
  await pool.destroy()
})

test('a misspelled option of run() is an error for Pool only', () => {
  const { signal } = new AbortController()
  assert.equal(normalizeRunOptions({ singal: signal }, { strict: true }).error.message,
    'singal is not a known option; did you mean signal?')
  assert.equal(normalizeRunOptions({ singal: signal }, { strict: false }).error, null)
})

test('valid options of run() come back in one shape', () => {
  const { signal } = new AbortController()
  const transferList = []
  const url = pathToFileURL(__filename)
  const terms = { abort: 'cooperative', graceMs: 0, interruptMs: 3, timeout: 1, queueTimeout: 2 }
  const onProgress = () => {}
  const route = { priority: -7, key: 'k' }
  const full = {
    transferList, filename: url.href, name: 'n', signal, onProgress, ...route, ...terms
  }
  const all = { ...normalizeRunOptions(full, { strict: true }) }
  assert.ok(all.keyHash >= 0)
  const added = { error: null, target: null, kind: '', needsTask: true }
  assert.deepEqual(all, { ...full, ...added, filename: __filename, keyHash: all.keyHash })
  const unset = {
    filename: null, name: null, signal: null, onProgress: null, transferList: undefined
  }
  const noTerms = { abort: null, graceMs: undefined, timeout: null, queueTimeout: undefined }
  const empty = { ...unset, ...noTerms, priority: null, key: null }
  const none = { ...unset, ...added, priority: 0, key: undefined, keyHash: -1, needsTask: false }
  for (const defaults of [terms, { ...terms, abort: 'terminate', timeout: Infinity }]) {
    assert.deepEqual({ ...normalizeRunOptions(empty, { strict: true, defaults }) },
      { ...none, ...defaults })
  }
  assert.equal(normalizeRunOptions({ filename: url }, { strict: true }).filename, __filename)
  assert.equal(normalizeRunOptions({ filename: url }, { strict: false }).error.message,
    'filename argument must be a string')
})

test('the signal of run() may be an emitter of abort', () => {
  for (const signal of [
    new AbortController().signal,
    new (require('node:events'))(),
    { addEventListener () {}, removeEventListener () {} }
  ]) {
    assert.equal(normalizeRunOptions({ signal }, { strict: true }).error, null)
  }
})

test('run() and close() fail with what a getter of their options throws', () => {
  const thrown = new AbortError('own')
  const given = { get filename () { throw thrown }, get force () { throw thrown } }
  assert.equal(normalizeRunOptions(given, { strict: false }).error, thrown)
  assert.equal(normalizeCloseOptions(given, { strict: false }).error, thrown)
})

test('the option force of close() must be a boolean', () => {
  for (const isStrict of [true, false]) {
    assert.deepEqual(normalizeCloseOptions({}, { strict: isStrict }), { error: null, force: false })
    assert.deepEqual(normalizeCloseOptions({ force: true }, { strict: isStrict }),
      { error: null, force: true })
    assert.match(normalizeCloseOptions({ force: 1 }, { strict: isStrict }).error.message,
      /^force argument must be a boolean/)
    assert.match(normalizeCloseOptions(null, { strict: isStrict }).error.message,
      /^options must be an object/)
  }
  assert.equal(normalizeCloseOptions({ forced: true }, { strict: true }).error.code,
    'ERR_TELAR_UNKNOWN_OPTION')
})

test('the type declarations list the same options', () => {
  const types = fs.readFileSync(path.join(__dirname, '..', '..', 'index.d.ts'), 'utf8')
  const keys = (name) => {
    const [, body] = new RegExp(`export interface ${name} \\{\\n([^]*?)\\n\\}`).exec(types)
    return body.match(/^ {2}\w+(?=\??:)/gm).map((line) => line.trim()).sort()
  }
  assert.deepEqual(keys('PoolOptions'), [...poolOptionNames].sort())
  assert.deepEqual(keys('RunOptions'), [...runOptionNames].sort())
})
