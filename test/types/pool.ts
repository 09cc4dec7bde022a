// What the types of telar promise to CommonJS users. `tsc` is the test runner.

import { EventEmitter } from 'node:events'
import { MessageChannel, SHARE_ENV, type Worker } from 'node:worker_threads'
import {
  AbortError,
  ArrayTaskQueue,
  FixedQueue,
  type LoadBalancer,
  type PoolOptions,
  type PoolTask,
  type PoolWorker,
  Pool,
  type QueuedTask,
  type TaskQueue,
  TelarError,
  type TelarErrorCode,
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
    sharedMemory: 2 ** 26
  }
  const pool = new Pool(every)
  expectType<number>(pool.options.maxQueue)
  expectType<string | null>(pool.options.filename)
  // @ts-expect-error a misspelled option
  new Pool({ maxThread: 2 }) // eslint-disable-line no-new
  // @ts-expect-error not a mode
  new Pool({ atomics: 'yes' }) // eslint-disable-line no-new
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
  // @ts-expect-error a buffer instead of a list
  await pool.run(1, { transferList: buffer })
  // @ts-expect-error a misspelled option
  await pool.run(1, { singal: AbortSignal.timeout(10) })
  await pool.close({ force: true })
  await pool.destroy()
  pool[Symbol.dispose]()
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

export { PriorityQueue, errors, moving, options, properties, runOptions, taskAndResult, worker }
