'use strict'

// The pool calls code of the user, and that code calls the pool: every public method from every
// place. Whatever it does, each promise settles, the counters return to rest, close() and destroy()
// resolve, and the pool can be used again.

const assert = require('node:assert/strict')
const { EventEmitter } = require('node:events')
const { test } = require('node:test')
const { byPort } = require('../fixtures/by-port')
const { createGate, faces, outcomes, until, usePool } = require('../fixtures/fault-helpers')

const limit = { timeout: 30_000 }
const kOptions = Symbol.for('Piscina.queueOptions')
const kTransferable = Symbol.for('Piscina.transferable')
const kValue = Symbol.for('Piscina.valueOf')

// ---- What is called ----

// Each returns its promises. `own` aborts the task whose hook this is, and `other` one that waits.
const actions = {
  'run()': ({ pool }) => [pool.run('inner')],
  'run() of more tasks than it has room for': ({ pool }) =>
    Array.from({ length: 12 }, (_, i) => pool.run(i)),
  'run() of values that take other routes': ({ pool }) => [
    pool.run('signal', { signal: new AbortController().signal }),
    pool.run(new ArrayBuffer(8), byPort()),
    pool.run({ text: 'x'.repeat(10_000) }),
    pool.run(() => {})
  ],
  'abort of the same task': ({ own }) => { own.abort() },
  'close()': ({ pool }) => [pool.close()],
  'close({ force: true })': ({ pool }) => [pool.close({ force: true })],
  'destroy(), then run()': ({ pool }) => [pool.destroy(), pool.run('too late')],
  'abort, then run()': ({ pool, own, other }) => {
    own.abort()
    other.abort()
    return [pool.run('inner')]
  }
}

// ---- Where it is called ----

// A task queue that calls fire() in one of its methods, before or after its work.
function createQueue (fire, method, when) {
  const tasks = []
  const queue = {
    get size () { return tasks.length },
    push: (task) => { tasks.push(task) },
    shift: () => tasks.shift() ?? null,
    remove (task) {
      const at = tasks.indexOf(task)
      if (at >= 0) tasks.splice(at, 1)
    }
  }
  if (method === 'unshift') queue.unshift = (task) => { tasks.unshift(task) }
  if (method === 'size') {
    return Object.defineProperty(queue, 'size', {
      get () {
        fire()
        return tasks.length
      }
    })
  }
  const work = queue[method]
  queue[method] = (task) => {
    if (when === 'before') fire()
    const result = work(task)
    if (when === 'after') fire()
    return result
  }
  return queue
}

// More tasks than can run at once. They last until all have been submitted.
function several ({ run, own }) {
  for (let i = 0; i < 8; i++) run({ mark: 0, until: 1 }, { name: 'waitAsync', signal: own.signal })
}

const queueHooks = {}
for (const method of ['push', 'shift', 'remove', 'unshift', 'size']) {
  const moments = { size: ['in'], remove: ['after'], unshift: ['before'] }
  for (const when of moments[method] ?? ['before', 'after']) {
    queueHooks[`the queue's ${method}, ${when} its work`] = {
      // A queue with unshift() gets a task back only if a balancer refuses it.
      options: (fire) => ({
        taskQueue: createQueue(fire, method, when),
        ...method === 'unshift' ? { loadBalancer: createBalancer() } : {}
      }),
      trigger ({ run, own }) {
        several({ run, own })
        if (method !== 'remove') return
        const removed = new AbortController()
        run('removed', { signal: removed.signal })
        removed.abort()
      }
    }
  }
}

// Gives each worker one task at a time.
function createBalancer (fire = () => {}) {
  return (task, workers) => {
    fire()
    return workers.find(({ currentUsage }) => currentUsage === 0) ?? null
  }
}

const onEvent = (name, trigger) => ({
  listen: (pool, fire) => pool.on(name, fire),
  trigger
})

// trigger({ run, own, ... }) uses run() of the pool, and the test awaits its promises.
// isBefore: the pool does not have the task yet, so an abort of it is not counted as completed.
const hooks = {
  'a getter of the value': {
    trigger: ({ run, fire }) => run({ get x () { return fire() } })
  },
  'a getter of the value of a task with a signal': {
    trigger: ({ run, fire, own }) => run({ get x () { return fire() } }, { signal: own.signal })
  },
  'a getter of a value that cannot be sent': {
    trigger: ({ run, fire, own }) =>
      run({ get x () { return fire() }, no: () => {} }, { signal: own.signal })
  },
  'a getter of the value of a task with a transfer list': {
    trigger ({ run, fire, own }) {
      const buffer = new ArrayBuffer(8)
      run({ buffer, get x () { return fire() } }, { signal: own.signal, transferList: [buffer] })
    }
  },
  'a getter of the value, with a load balancer': {
    options: () => ({ loadBalancer: createBalancer() }),
    trigger: ({ run, fire, own }) => run({ get x () { return fire() } }, { signal: own.signal })
  },
  'a getter of the value of a task that waited': {
    trigger: ({ run, fire, own }) => {
      several({ run, own })
      run({ get x () { return fire() } }, { signal: own.signal })
    },
    options: () => ({ taskQueue: createQueue(() => {}, 'push', 'after') })
  },
  'the trap of a proxy': {
    trigger: ({ run, fire }) => run(new Proxy({}, { get: fire }))
  },
  'Piscina.transferable of a value': {
    isBefore: true,
    trigger ({ run, fire, own, Class }) {
      const buffer = new ArrayBuffer(8)
      const value = {
        get [kTransferable] () { return fire() ?? buffer },
        get [kValue] () { return buffer }
      }
      run(moved(value), { signal: own.signal })
    }
  },
  'Piscina.valueOf of a value': {
    isBefore: true,
    trigger ({ run, fire, own }) {
      const buffer = new ArrayBuffer(8)
      const value = {
        get [kTransferable] () { return buffer },
        get [kValue] () { return fire() ?? buffer }
      }
      run(moved(value), { signal: own.signal })
    }
  },
  'Piscina.queueOptions of a value': {
    isBefore: true,
    trigger: ({ run, fire, own }) =>
      run({ get [kOptions] () { return fire() } }, { signal: own.signal })
  },
  'a getter of an option of run()': {
    isBefore: true,
    trigger: ({ run, fire, own }) => run(1, { get name () { return fire() }, signal: own.signal })
  },
  'a getter of an option of close()': {
    trigger: ({ pool, fire, track }) => track(pool.close({ get force () { return fire() } }))
  },
  'the load balancer': {
    options: (fire) => ({ loadBalancer: createBalancer(fire) }),
    trigger: several
  },
  ...queueHooks,
  workerCreate: onEvent('workerCreate', ({ pool, run, own }) => {
    run(1, { signal: own.signal })
    pool.threads[0].terminate()
  }),
  workerDestroy: onEvent('workerDestroy', ({ pool, run, own }) => {
    run(1, { signal: own.signal })
    pool.threads[0].terminate()
  }),
  message: onEvent('message', ({ run, own }) => run('said', { name: 'say', signal: own.signal })),
  error: {
    ...onEvent('error', ({ run }) => run('late', { name: 'uncaughtAfter' })),
    isLast: true // it is an event only if no task runs that could reject
  },
  drain: onEvent('drain', several),
  needsDrain: onEvent('needsDrain', several),
  close: onEvent('close', ({ pool, track, run, own }) => {
    run(1, { signal: own.signal })
    track(pool.close())
  }),
  "a signal's newListener": {
    isBefore: true,
    trigger: ({ run, fire }) => run(1, { signal: new EventEmitter().on('newListener', fire) })
  },
  "a signal's removeListener": {
    trigger ({ run, fire, own }) {
      const signal = new EventEmitter().on('removeListener', fire)
      for (let i = 0; i < 4; i++) run(i, { signal })
      several({ run, own })
    }
  },
  "a signal's aborted": {
    isBefore: true,
    trigger: ({ run, fire }) =>
      run(1, { signal: Object.defineProperty(new EventEmitter(), 'aborted', { get: fire }) })
  },
  "a signal's reason": {
    trigger ({ run, fire }) {
      const signal = Object.defineProperty(new EventEmitter(), 'reason', { get: fire })
      for (let i = 0; i < 4; i++) run(i, { signal })
      signal.emit('abort')
    }
  },
  'then of a result': {
    listen (pool, fire, t) {
      // eslint-disable-next-line no-extend-native
      Object.defineProperty(Object.prototype, 'then', {
        configurable: true,
        get () { return this?.isResult === true ? fire() : undefined }
      })
      t.after(() => { delete Object.prototype.then })
    },
    trigger ({ run, own }) {
      for (let i = 0; i < 8; i++) run({ isResult: true })
      several({ run, own })
    }
  }
}

function moved (value) {
  return Object.defineProperty(value, Symbol.for('telar.movable'), { value: true })
}

// ---- Each call from each place ----

// A pool with one thread, and one with several threads that take more than one task.
const shapes = {
  Pool: { minThreads: 1, maxThreads: 1 },
  Piscina: { minThreads: 0, maxThreads: 2, concurrentTasksPerWorker: 2 }
}

const isRefused = ({ reason }) =>
  reason?.code === 'ERR_TELAR_ABORTED' && reason.cause === 'queue is being terminated'

async function attempt (t, Class, shape, hook, action) {
  const controllers = { own: new AbortController(), other: new AbortController() }
  const promises = []
  const runs = []
  const track = (promise) => {
    promises.push(promise)
    promise.catch(() => {})
    return promise
  }
  let isArmed = false
  let hasFired = false
  const fire = () => {
    if (!isArmed) return
    isArmed = false
    hasFired = true
    for (const promise of action({ pool: watched, ...controllers }) ?? []) track(promise)
  }
  const gate = createGate()
  const pool = usePool(t, Class,
    { ...shape, workerData: gate.buffer, closeTimeout: 30_000, ...hook.options?.(fire) })
  // A task whose signal fired before the pool had the task is not counted as completed.
  const run = (value, options) => {
    const wasAborted = () => options?.signal?.aborted === true
    const isLate = wasAborted()
    const promise = track(pool.run(value, options))
    if (!isLate && !(hook.isBefore && wasAborted())) runs.push(promise)
    return promise
  }
  const watched = { run, close: (options) => pool.close(options), destroy: () => pool.destroy() }
  const errors = []
  pool.on('error', (error) => errors.push(error.code))
  await run('warm')
  hook.listen?.(pool, fire, t)
  isArmed = true
  // A task that keeps the thread busy, and one that waits behind it.
  const other = () => run('other', { signal: controllers.other.signal })
  other()
  if (hook.isLast) await outcomes(promises)
  hook.trigger({ pool, run, fire, track, ...controllers })
  if (!hook.isLast) other()
  gate.open(1)
  await until(() => hasFired)
  for (let settled = 0; settled < promises.length;) settled = (await outcomes(promises)).length
  return { pool, runs, errors, run }
}

for (const [face, Class] of faces) {
  for (const [where, hook] of Object.entries(hooks)) {
    for (const [what, action] of Object.entries(actions)) {
      test(`${face}: the pool survives ${what} from ${where}`, limit, async (t) => {
        const { pool, runs, errors, run } = await attempt(t, Class, shapes[face], hook, action)
        await until(() =>
          pool.queueSize === 0 && !pool.needsDrain && pool.idleThreads === pool.threads.length)
        assert.equal(await run('again'), 'again')
        const settled = await outcomes(runs)
        assert.equal(pool.completed, settled.filter((outcome) => !isRefused(outcome)).length)
        await pool.close()
        assert.deepEqual(pool.threads, [])
        assert.deepEqual(errors, where === 'error' ? ['E_INVALID'] : [])
      })
    }
  }
}
