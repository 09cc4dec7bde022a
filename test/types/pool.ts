// What the types of telar promise to CommonJS users. `tsc` is the test runner.

import { EventEmitter } from 'node:events'
import type { Transform } from 'node:stream'
import type { ReadableStream, WritableStream } from 'node:stream/web'
import { MessageChannel, SHARE_ENV, type Worker } from 'node:worker_threads'
import {
  AbortError,
  ArrayTaskQueue,
  type AsyncResults,
  type BroadcastError,
  FixedQueue,
  type LoadBalancer,
  type PoolOptions,
  type PoolTask,
  type PoolWorker,
  Pool,
  type QueuedTask,
  type RunningTask,
  type TaskContext,
  type TaskQueue,
  TelarError,
  type TelarErrorCode,
  type WorkerStatus,
  currentTask,
  isWorkerThread,
  move,
  queueOptionsSymbol,
  transferableSymbol,
  valueSymbol,
  workerData
} from 'telar'
import { expectEqual, expectType } from './expect'

async function taskAndResult (): Promise<void> {
  const pool = new Pool<{ a: number, b: number }, number>({ filename: '/worker.js' })
  expectEqual<number, Awaited<ReturnType<typeof pool.run>>>(true)
  expectType<Promise<number>>(pool.run({ a: 1, b: 2 }))
  // @ts-expect-error a task of another type
  await pool.run('1 + 2')
  // @ts-expect-error a result of another type
  const text: string = await pool.run({ a: 1, b: 2 })

  const anything = new Pool()
  expectType<any>(await anything.run(text))
  const nothing = new Pool<void, string>()
  expectType<string>(await nothing.run())

  await using closed = new Pool()
  expectType<Pool>(closed)
}

async function many (pool: Pool<number, string>): Promise<void> {
  async function * source (): AsyncGenerator<number> { yield 1 }
  for await (const result of pool.map([1, Promise.resolve(2)])) expectType<string>(result)
  for await (const result of pool.map(source(), {
    concurrency: 4, ordered: false, batch: 10, priority: 5, name: 'double', timeout: 100
  })) expectType<string>(result)
  await using results = pool.map(new Set([1]), { batch: 'auto' })
  expectType<AsyncResults<string>>(results)
  // @ts-expect-error a map has no list of what is transferred
  pool.map([1], { transferList: [] })
  // @ts-expect-error the items are tasks
  pool.map(['1'])
  // @ts-expect-error batch has no such value
  pool.map([1], { batch: 'some' })

  expectType<string[]>(await pool.runMany([1, 2]))
  expectType<string[]>(await pool.runMany([1, 2], { settle: false, concurrency: 2 }))
  const outcomes = await pool.runMany([1, 2], { settle: true })
  expectType<Array<PromiseSettledResult<string>>>(outcomes)
  // @ts-expect-error an array has an order
  await pool.runMany([1], { ordered: false })

  expectType<Transform>(pool.transform({ highWaterMark: 10, batch: 5 }))
  const { readable, writable } = pool.transformStream()
  expectType<ReadableStream<string>>(readable)
  expectType<WritableStream<number>>(writable)

  const values = pool.stream(1, { input: source(), capacity: 65536, queueTimeout: 5 })
  for await (const value of values) expectType<string>(value)
  await values.return()
}

async function routes (pool: Pool<number, string>): Promise<void> {
  await pool.run(1, { priority: -100, key: 'a' })
  await pool.run(1, { key: 7 })
  // @ts-expect-error a key is a string or a number
  await pool.run(1, { key: true })
  expectType<string[]>(await pool.broadcast(1, { priority: 5, name: 'warm' }))
  // @ts-expect-error a key chooses one worker
  await pool.broadcast(1, { key: 7 })
  for (const worker of pool.workers) {
    expectType<WorkerStatus>(worker)
    expectType<'starting' | 'idle' | 'busy' | 'ending'>(worker.state)
    expectType<number | undefined>(worker.heapUsed)
  }
  const failure = await pool.broadcast(1).catch((error: BroadcastError) => error)
  if (failure instanceof AggregateError) expectType<any[]>(failure.results)
}

function options (): void {
  const balancer: LoadBalancer = (task, workers) => {
    expectType<PoolTask>(task)
    expectType<boolean>(task.isAbortable)
    return workers.find((worker) => worker.currentUsage < 2) ?? null
  }
  const every: Required<PoolOptions> = {
    filename: new URL('file:///worker.mjs'),
    name: null,
    minThreads: 1,
    maxThreads: 4,
    idleTimeout: Infinity,
    maxQueue: 'auto',
    concurrentTasksPerWorker: 2,
    atomics: 'disabled',
    resourceLimits: { maxOldGenerationSizeMb: 64 },
    memoryLimit: { heapMb: 64 },
    argv: ['a', 1],
    execArgv: ['--no-warnings'],
    env: SHARE_ENV,
    workerData: new Map(),
    taskQueue: new ArrayTaskQueue(),
    niceIncrement: 5,
    trackUnmanagedFds: false,
    closeTimeout: 1000,
    recordTiming: false,
    loadBalancer: balancer,
    workerHistogram: true,
    stricterFIFO: true,
    asyncHooks: true,
    sharedMemory: 2 ** 26,
    setup: 'open',
    teardown: null,
    teardownTimeout: Infinity,
    recycle: { tasks: 1000, heapMb: 200, ageMs: 60_000 },
    isolate: false,
    spareThreads: 2,
    abort: 'cooperative',
    graceMs: 100,
    interruptMs: 250,
    timeout: 1000,
    queueTimeout: Infinity
  }
  const pool = new Pool(every)
  expectType<number>(pool.options.maxQueue)
  expectType<string | null>(pool.options.filename)
  // @ts-expect-error a misspelled option
  new Pool({ maxThread: 2 }) // eslint-disable-line no-new
  expectType<string | null>(pool.options.setup)
  // @ts-expect-error a misspelled limit
  new Pool({ recycle: { task: 1 } }) // eslint-disable-line no-new
  // @ts-expect-error not a mode
  new Pool({ atomics: 'yes' }) // eslint-disable-line no-new
  // @ts-expect-error not a strength
  new Pool({ abort: 'hard' }) // eslint-disable-line no-new
  expectType<'terminate' | 'cooperative' | 'interrupt'>(pool.options.abort)
}

class PriorityQueue implements TaskQueue {
  #tasks: QueuedTask[] = []
  get size (): number { return this.#tasks.length }
  push (task: QueuedTask): void {
    const priority = (task[queueOptionsSymbol] as { priority: number } | null)?.priority ?? 0
    this.#tasks.splice(priority, 0, task)
  }

  shift (): QueuedTask | null { return this.#tasks.shift() ?? null }
  remove (task: QueuedTask): void { this.#tasks.splice(this.#tasks.indexOf(task), 1) }
}

async function runOptions (pool: Pool): Promise<void> {
  const { port1 } = new MessageChannel()
  const buffer = new ArrayBuffer(8)
  await pool.run({ port1, buffer }, { transferList: [port1, buffer] })
  const filename = new URL('data:text/javascript,export default () => 1')
  await pool.run(1, { filename, name: 'default', signal: null })
  await pool.run(1, { signal: AbortSignal.timeout(10) })
  await pool.run(1, { signal: new EventEmitter() })
  await pool.run(1, { abort: 'cooperative', graceMs: 0, timeout: 10, queueTimeout: null })
  await pool.run(1, { abort: 'interrupt', interruptMs: Infinity })
  await pool.run(1, { onProgress: (done: number) => expectType<number>(done) })
  // @ts-expect-error a buffer instead of a list
  await pool.run(1, { transferList: buffer })
  // @ts-expect-error a misspelled option
  await pool.run(1, { singal: AbortSignal.timeout(10) })
  expectType<Promise<void>>(pool.ready())
  expectType<void>(pool.resize({ minThreads: 1, maxThreads: 4 }))
  // @ts-expect-error a number instead of a size
  pool.resize(4)
  await pool.close({ force: true })
  await pool.destroy()
  pool[Symbol.dispose]()
}

async function dump (pool: Pool): Promise<void> {
  const { workers, waiting } = await pool.dump()
  expectType<number>(waiting)
  expectType<string[]>(workers.map(({ stack }) => stack))
  expectType<RunningTask[]>(workers.flatMap(({ tasks }) => tasks))
}

function taskFunction (rounds: number, task: TaskContext): number {
  expectType<AbortSignal>(task.signal)
  expectType<boolean>(task.aborted)
  expectType<number | undefined>(task.deadline)
  expectType<string>(task.name)
  expectType<string | number | undefined>(task.key)
  task.throwIfAborted()
  task.progress({ rounds })
  expectType<TaskContext | undefined>(currentTask())
  // @ts-expect-error read-only
  task.aborted = true
  return rounds
}

function properties (pool: Pool): void {
  expectType<Worker[]>(pool.threads)
  expectType<number>(pool.maxThreads + pool.minThreads + pool.idleThreads + pool.queueSize)
  expectType<number>(pool.completed + pool.duration + pool.utilization)
  expectType<boolean>(pool.needsDrain)
  expectType<number | undefined>(pool.histogram.runTime?.p97_5)
  pool.histogram.resetWaitTime()
  // @ts-expect-error read-only
  pool.maxThreads = 2
  pool.on('error', (error) => expectType<Error>(error))
  pool.once('workerCreate', (worker) => expectType<PoolWorker>(worker))
  pool.off('drain', () => {})
  // @ts-expect-error no such event
  pool.on('workerCreated', () => {})
}

function moving (): void {
  const view = new Uint8Array(8)
  const moved = move(view)
  if (transferableSymbol in moved) {
    expectType<object>(moved[transferableSymbol])
    expectType<object>(moved[valueSymbol])
  }
  expectEqual<number, ReturnType<typeof move<number>>>(true)
}

function errors (error: unknown): string {
  if (error instanceof AbortError) {
    expectType<unknown>(error.cause)
    return error.code
  }
  if (error instanceof TelarError) {
    expectType<TelarErrorCode>(error.code)
    expectType<'run' | 'queue' | undefined>(error.phase)
    expectType<string | undefined>(error.taskStack)
    // @ts-expect-error not a code
    if (error.code === 'ERR_TELAR_FULL') return ''
  }
  return ''
}

function worker (): void {
  expectType<boolean>(isWorkerThread)
  expectType<any>(workerData)
  const queue = new FixedQueue()
  expectType<QueuedTask | null>(queue.shift())
  expectType<boolean>(queue.isEmpty())
}

export {
  PriorityQueue, dump, errors, many, moving, options, properties, routes, runOptions, taskAndResult,
  taskFunction, worker
}
