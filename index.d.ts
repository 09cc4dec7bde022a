// The types of telar, written by hand. test/types checks the types, test/package/errors.test.js the
// list of error codes, and test/pool/options.test.js the list of options.

import type { EventEmitter } from 'node:events'
import type { Readable, ReadableOptions, Transform, Writable, WritableOptions } from 'node:stream'
import type { ReadableStream, WritableStream } from 'node:stream/web'
import type { MessagePort, ResourceLimits, Worker, WorkerOptions } from 'node:worker_threads'

/** What may be in a transfer list: ArrayBuffer, MessagePort, FileHandle, streams and so on. */
export type TransferList = MessagePort extends {
  postMessage (value: any, transferList: infer L): any
} ? NonNullable<L> extends ReadonlyArray<infer I> ? readonly I[] : never : never

/** An `AbortSignal`, or any emitter of `'abort'`, such as an EventEmitter. */
export type AnyAbortSignal = AbortEventTarget | AbortEventEmitter

/** The members of an `AbortSignal` that telar uses. */
export interface AbortEventTarget {
  readonly aborted?: boolean
  readonly reason?: unknown
  addEventListener (type: 'abort', listener: () => void, options?: { once: boolean }): void
  removeEventListener (type: 'abort', listener: () => void): void
}

/** The members of an emitter of `'abort'` that telar uses. */
export interface AbortEventEmitter {
  once (event: 'abort', listener: () => void): unknown
  off (event: 'abort', listener: () => void): unknown
}

/**
 * The key of the property by which an object says what is transferred for it:
 * `Symbol.for('Piscina.transferable')`.
 */
export const transferableSymbol: unique symbol
/**
 * The key of the property by which an object says what replaces it on the other side:
 * `Symbol.for('Piscina.valueOf')`.
 */
export const valueSymbol: unique symbol
/**
 * The key of the property by which a task says what a custom task queue should know:
 * `Symbol.for('Piscina.queueOptions')`.
 */
export const queueOptionsSymbol: unique symbol

/** An object that says what is transferred for it, and what replaces it on the other side. */
export interface Transferable {
  readonly [transferableSymbol]: object
  readonly [valueSymbol]: object
}

/**
 * Marks a value to be transferred instead of copied. The value must be a whole task or a whole
 * result. If it is a view, its buffer is transferred. Primitives are returned unchanged. So are
 * Buffers in a pool (Node's own, or the one in which they were received): other Buffers use the
 * same memory, so these are copied. A Buffer always arrives as a Buffer. What is moved is empty or
 * closed in the thread that sent it; how it got to the other one does not show.
 *
 * @throws `ERR_TELAR_INVALID_ARGUMENT` if the value cannot be transferred, such as a plain object
 * or shared memory. `telar/piscina` does not throw; there the task rejects when it is sent.
 *
 * @example
 * // A task function whose result is transferred, not copied.
 * import { move } from 'telar'
 * export default (pixels) => move(pixels.map((value) => 255 - value))
 */
export function move<V> (value: V): V extends object ? V | Transferable : V

/** Whether this thread is a worker of a pool. */
export const isWorkerThread: boolean

/** In a worker of a pool, its copy of the pool's option `workerData`; otherwise undefined. */
export const workerData: any

/** The version of telar. */
export const version: string

/** A task in a task queue. */
export interface QueuedTask {
  /** The value of the task's property {@link queueOptionsSymbol}, or null. */
  readonly [queueOptionsSymbol]: object | null
}

/** A task, as a load balancer sees it. */
export interface PoolTask extends QueuedTask {
  /** A number that is unique in the process. */
  readonly taskId: number
  /** The path of the file that exports the function. */
  readonly filename: string
  /** The name of the exported function. */
  readonly name: string
  /** When run() was called, in milliseconds, by the clock of `performance.now()`. */
  readonly created: number
  /**
   * Whether an abort ends the worker of the task: run() got a signal or a timeout, and `abort` is
   * `'terminate'`. Such a task has a worker to itself.
   */
  readonly isAbortable: boolean
}

/** A worker, as load balancers and listeners of events see it. Its properties are live. */
export interface PoolWorker {
  /** The `threadId` of the worker. */
  readonly id: number
  /** How many tasks it runs; Infinity while it runs an abortable one. */
  readonly currentUsage: number
  readonly isRunningAbortableTask: boolean
  /** The running times of its tasks; null if the option `workerHistogram` is false. */
  readonly histogram: HistogramSummary | null
  readonly terminating: boolean
  readonly destroyed: boolean
}

/**
 * Chooses the worker for a task. If it returns null or undefined, the task waits, and the pool
 * starts another worker if `maxThreads` allows that.
 */
export type LoadBalancer = (task: PoolTask, workers: PoolWorker[]) => PoolWorker | null | undefined

/** The order in which waiting tasks run. */
export interface TaskQueue {
  readonly size: number
  /** Removes and returns the task that runs next; null if there is none. */
  shift (): QueuedTask | null
  /** Removes a task that was aborted. */
  remove (task: QueuedTask): void
  push (task: QueuedTask): void
  /**
   * Puts a task back at the front. Without this method the pool keeps the task, and runs it next.
   */
  unshift? (task: QueuedTask): void
}

/**
 * The default task queue: first in, first out, every operation in constant time.
 *
 * @example
 * import { FixedQueue, Pool } from 'telar'
 * const taskQueue = new FixedQueue()
 * const pool = new Pool({ filename: new URL('./worker.js', import.meta.url), taskQueue })
 * console.log(taskQueue.isEmpty()) // true
 * await pool.close()
 */
export class FixedQueue implements TaskQueue {
  /** How many tasks are in the queue. */
  get size (): number
  /** Whether the queue is empty. */
  isEmpty (): boolean
  /** Adds a task at the end. */
  push (task: QueuedTask): void
  /** Puts a task back at the front. */
  unshift (task: QueuedTask): void
  /** Removes and returns the task at the front; null if there is none. */
  shift (): QueuedTask | null
  /** Removes a task. A task that is not in the queue is ignored. */
  remove (task: QueuedTask): void
}

/**
 * A task queue that is a plain array: first in, first out. shift() and remove() take time linear in
 * its length. Extend this class to define another order.
 *
 * @example
 * import { ArrayTaskQueue } from 'telar'
 * class LastInFirstOut extends ArrayTaskQueue {
 *   push (task) { this.tasks.unshift(task) }
 * }
 * console.log(new LastInFirstOut().size) // 0
 */
export class ArrayTaskQueue implements TaskQueue {
  /** The waiting tasks. The first one runs next. */
  tasks: QueuedTask[]
  /** How many tasks are in the queue. */
  get size (): number
  /** Adds a task at the end. */
  push (task: QueuedTask): void
  /** Puts a task back at the front. */
  unshift (task: QueuedTask): void
  /** Removes and returns the task at the front; null if there is none. */
  shift (): QueuedTask | null
  /** Removes a task. A task that is not in the queue is ignored. */
  remove (task: QueuedTask): void
}

/** Times in milliseconds. `average` equals `mean`; `p97_5` is the 97.5th percentile. */
export interface HistogramSummary {
  average: number
  mean: number
  stddev: number
  min: number
  max: number
  p0_001: number
  p0_01: number
  p0_1: number
  p1: number
  p2_5: number
  p10: number
  p25: number
  p50: number
  p75: number
  p90: number
  p97_5: number
  p99: number
  p99_9: number
  p99_99: number
  p99_999: number
}

/** The histograms of a pool. Each read of a property gives the current figures. */
export interface PoolHistogram {
  /** From the start of the task function to its end; undefined if `recordTiming` is false. */
  readonly runTime: HistogramSummary | undefined
  /** From run() to the start of the task function; undefined if `recordTiming` is false. */
  readonly waitTime: HistogramSummary | undefined
  /** Starts the run times again from zero. */
  resetRunTime (): void
  /** Starts the wait times again from zero. */
  resetWaitTime (): void
}

/** How strong an abort of a running task is: see the option `abort`. */
export type AbortStrength = 'terminate' | 'cooperative' | 'interrupt'

/**
 * What a task knows of itself. A task function whose `length` is 2 or more gets it as its second
 * argument, and {@link currentTask} returns it.
 *
 * @example
 * // A task function that can be stopped without ending its worker:
 * // pool.run(1e9, { signal, abort: 'cooperative', onProgress: console.log })
 * export default function (rounds, task) {
 *   let sum = 0
 *   for (let i = 0; i < rounds; i++) {
 *     if (i % 1e6 === 0) task.progress(i / rounds)
 *     task.throwIfAborted()
 *     sum += Math.sqrt(i)
 *   }
 *   return sum
 * }
 */
export interface TaskContext {
  /** The name of the export that the task calls. */
  readonly name: string
  /** The `key` of run(). Undefined if the task has none. */
  readonly key: string | number | undefined
  /**
   * When the task is over its `timeout`, in milliseconds, by the clock of `performance.now()` in
   * its worker. Undefined if it has none.
   */
  readonly deadline: number | undefined
  /**
   * The `input` of stream(), to be read once. It throws the error of the caller's iterable. A loop
   * that is left does not end it: another one goes on. Undefined if there is none.
   */
  readonly input: AsyncIterableIterator<any> | undefined
  /**
   * Whether the task was told to stop (`abort: 'cooperative'` or `'interrupt'`). It reads shared
   * memory, so a loop without awaits sees the change at once.
   */
  readonly aborted: boolean
  /**
   * Fires when the task was told to stop, once the event loop of the worker turns. Its reason is a
   * copy of the caller's; for a timeout, the error of run(). If that cannot be copied, it is an
   * AbortError of the platform. It never fires after the task has ended.
   */
  readonly signal: AbortSignal
  /**
   * Does nothing unless the task was told to stop. Fires the signal if it has not fired.
   *
   * @throws the reason of the signal
   */
  throwIfAborted (): void
  /**
   * Sends a copy of a value to `onProgress` of run(). Does nothing if there is none, or if the task
   * has ended or was told to stop. Values are never lost or merged: a task that is faster than its
   * caller fills memory.
   *
   * @throws the platform's DataCloneError: the value cannot be copied
   */
  progress (value: unknown): void
}

/**
 * In a worker, the context of the task that the caller belongs to, also after awaits and with
 * several tasks on one worker. Undefined outside of tasks.
 *
 * @example
 * // A library, used by task functions.
 * import { currentTask } from 'telar'
 * export function step () {
 *   currentTask()?.throwIfAborted()
 * }
 */
export function currentTask (): TaskContext | undefined

/** The options of {@link createSyncFn}. */
export interface SyncFnOptions {
  /** Flags of Node for the worker. Default: those of the process. */
  execArgv?: string[]
  /**
   * How long a call may take once the worker has started, in milliseconds above 0. Then the worker
   * is replaced, and the call throws `ERR_TELAR_TIMEOUT`. Default: no limit.
   */
  timeout?: number
  /**
   * Globals that are set before the file is loaded: `named` is the export (null: the namespace; not
   * given: the default one). Unless `conditional` is false, a global that exists is kept. A module
   * that does not exist is left out. Default: none; `true` means those that every version of Node
   * has that telar runs on.
   */
  globalShims?: boolean | ReadonlyArray<{
    moduleName: string
    globalName?: string
    named?: string | null
    conditional?: boolean
  }>
  /** Only `'node'`. Register any other in `execArgv`, as `['--import', 'tsx']`. */
  tsRunner?: 'node'
}

/**
 * Returns a function that calls, in a worker of its own, the function that the file has given to
 * {@link runAsWorker}, and blocks until the result is there. The interface is that of synckit. A
 * file has one such function and one worker, which starts at once and does not keep the process
 * alive.
 *
 * @param workerPath an absolute path, or a `file:` URL. If a JavaScript file does not exist, its
 * name stands for a TypeScript file
 * @param timeoutOrOptions the `timeout`, or the options. If the file has a function, that is
 * returned, and they do not count
 * @throws `ERR_TELAR_INVALID_ARGUMENT`, `ERR_TELAR_UNKNOWN_OPTION`. The function throws what the
 * call has thrown, and what `runSync()` throws
 *
 * @example
 * // A file that is both: the program, and what its worker runs.
 * import { createSyncFn, isWorkerThread, runAsWorker } from 'telar'
 * runAsWorker(async (text) => text.toUpperCase())
 * if (!isWorkerThread) {
 *   const upperCase = createSyncFn(import.meta.url)
 *   console.log(upperCase('loom')) // LOOM
 * }
 */
export function createSyncFn<F extends (...args: any[]) => any> (
  workerPath: string | URL, timeoutOrOptions?: number | SyncFnOptions
): (...args: Parameters<F>) => Awaited<ReturnType<F>>

/**
 * In the file of {@link createSyncFn}: sets the function that it calls. Does nothing in a thread
 * that is no worker of a pool.
 *
 * @throws `ERR_TELAR_INVALID_ARGUMENT`: fn is not a function
 */
export function runAsWorker (fn: (...args: any[]) => unknown): void

/** The options of a {@link Pool}. */
export interface PoolOptions {
  /**
   * The task file, which exports the task functions: a path (a relative one starts from the working
   * directory), a `file:` or `data:` URL as a string, or a URL object. Each worker loads it before
   * it is ready: CommonJS by require(), ES modules and URLs by import() and the registered loaders.
   * A `file:` URL with a query or a fragment is a separate module, and remains a URL in
   * `options.filename`. Default: null; then each run() has to name a file.
   */
  filename?: string | URL | null
  /** The export to call. Default: `'default'`. */
  name?: string | null
  /** How many workers the pool keeps: an integer from 0. Default: half the CPUs, at least 1. */
  minThreads?: number
  /**
   * How many workers the pool may have: an integer from 1 to 16352. Default: one and a half times
   * the CPUs, rounded down. The CPUs are those that affinity and the quota of the control group
   * leave, rounded down.
   */
  maxThreads?: number
  /**
   * How long a worker beyond `minThreads` stays idle before it ends, in milliseconds: an integer
   * from 0, or Infinity (it never ends). It may take half as long again. Default: 0, which means
   * 500.
   */
  idleTimeout?: number
  /**
   * How many tasks may wait: an integer from 0, Infinity, or `'auto'` for `maxThreads` squared. If
   * that many wait, run() rejects with `ERR_TELAR_QUEUE_FULL`, or with `ERR_TELAR_NO_QUEUE` if
   * `maxQueue` is 0. Default: Infinity.
   */
  maxQueue?: number | 'auto'
  /**
   * How many tasks one worker runs at a time: an integer from 1 to 65535. More than 1 is useful for
   * task functions that wait. Default: 1.
   */
  concurrentTasksPerWorker?: number
  /**
   * Does nothing; accepted because Piscina has it. The event loop of a worker always turns.
   * Default: `'sync'`.
   */
  atomics?: 'sync' | 'async' | 'disabled'
  /**
   * Limits for the JavaScript heap and stack of each worker, as in `new Worker()`. A worker that
   * reaches its heap limit often ends the whole process; see `memoryLimit`.
   */
  resourceLimits?: ResourceLimits
  /**
   * How large the JavaScript heap of a worker may be, in MiB: an integer of at least 16. A worker
   * that has more is ended and replaced, and its tasks reject with `ERR_TELAR_MEMORY_LIMIT`. The
   * process lives. On Node 20, and before 22.16, a task that never lets its event loop turn is
   * caught only if it creates many small objects.
   *
   * Default: none.
   *
   * @example
   * const pool = new Pool({ filename, memoryLimit: { heapMb: 128 } })
   */
  memoryLimit?: MemoryLimit
  /** Appended to `process.argv` in the workers. */
  argv?: any[] | null
  /** Flags of Node for the workers. Default: those of the process. */
  execArgv?: string[] | null
  /** The `process.env` of the workers, or SHARE_ENV. Default: a copy of this thread's. */
  env?: WorkerOptions['env'] | null
  /** Copied into each worker, which imports it as `workerData`. */
  workerData?: any
  /** The order in which waiting tasks run. Default: a {@link FixedQueue}. */
  taskQueue?: TaskQueue
  /**
   * Lowers the priority of the worker threads. It works on Linux only. An integer from 0; on
   * Windows any integer. Default: 0.
   */
  niceIncrement?: number
  /** Whether a worker that ends closes the file descriptors it has left open. Default: true. */
  trackUnmanagedFds?: boolean
  /**
   * How long close() waits for tasks, in milliseconds: an integer from 0, or Infinity. Default:
   * 30000.
   */
  closeTimeout?: number
  /** Whether the pool keeps the histograms of run and wait times. Default: true. */
  recordTiming?: boolean
  /** Chooses the worker for each task. Default: any free worker takes the oldest task. */
  loadBalancer?: LoadBalancer
  /** Whether each worker has a histogram, for load balancers and events. Default: false. */
  workerHistogram?: boolean
  /**
   * Does nothing; accepted because Piscina has it. A task that found no place always goes back to
   * the front of the queue. Default: false.
   */
  stricterFIFO?: boolean
  /**
   * Whether each task is an `AsyncResource`, for `async_hooks`. AsyncLocalStorage works without it.
   * Default: false.
   */
  asyncHooks?: boolean
  /**
   * Memory for the values of tasks in flight, in bytes: an integer from 1 MiB to 1023 MiB. This is
   * address space; the system provides memory as it is used. Values that are too large, or for
   * which there is no room, are sent by message. Default: 256 MiB; 16 MiB on 32-bit processors.
   */
  sharedMemory?: number
  /**
   * How strong an abort of a running task is, whether by a signal or by a timeout. `'terminate'`:
   * its worker is terminated and replaced; such a task has its worker to itself, unless a load
   * balancer chose the worker. `'cooperative'`: the task is told ({@link TaskContext}), run()
   * rejects at once, and the worker lives on; what the task returns late is dropped.
   * `'interrupt'`: the same, and after `graceMs` its JavaScript is stopped where it stands. The
   * worker and its modules live on, but no `finally` of the task runs, its locks stay held, and
   * what it was changing stays half changed. Default: `'terminate'`.
   *
   * @example
   * const pool = new Pool({ filename, abort: 'interrupt', timeout: 1000 })
   */
  abort?: AbortStrength
  /**
   * How long a task that was told to stop may go on, in milliseconds from 0, or Infinity. Then it
   * is interrupted, or its worker is terminated, and other tasks of that worker reject with
   * `ERR_TELAR_TERMINATED`. Default: 0 with `abort: 'interrupt'`, otherwise Infinity.
   */
  graceMs?: number
  /**
   * With `abort: 'interrupt'`: how long it may take to stop the JavaScript of a task, in
   * milliseconds from 0, or Infinity. Then its worker is terminated. Default: 250.
   */
  interruptMs?: number
  /**
   * How long a task may run, in milliseconds above 0, or Infinity. Then it is aborted, and run()
   * rejects with `ERR_TELAR_TIMEOUT`, whose `phase` is `'run'`. Default: Infinity.
   */
  timeout?: number
  /**
   * How long a task may wait for a worker, in milliseconds above 0, or Infinity. Then it never
   * runs, and run() rejects with `ERR_TELAR_TIMEOUT`, whose `phase` is `'queue'`. Default:
   * Infinity.
   */
  queueTimeout?: number
  /**
   * The export of `filename` that each worker calls, without arguments, before its first task. What
   * it returns is awaited. If it fails, the worker has failed to start. Default: none.
   */
  setup?: string | null
  /**
   * The export of `filename` that a worker calls before it goes: in close(), after `idleTimeout`,
   * by resize(), by `recycle` and by `isolate`. What it returns is awaited. If it fails, the pool
   * emits `'error'`. Default: none.
   */
  teardown?: string | null
  /**
   * How long `teardown` may take, in milliseconds: an integer from 0, or Infinity. Then the worker
   * is terminated, and the pool emits `'error'` with `ERR_TELAR_TIMEOUT`. Default: 5000.
   */
  teardownTimeout?: number
  /** When a worker is replaced by a new one, between two tasks. Default: never. */
  recycle?: RecycleOptions
  /**
   * Whether every task gets a worker that has run nothing, and that goes afterwards. Excludes
   * `loadBalancer`, `recycle` and `concurrentTasksPerWorker` above 1. Default: false.
   */
  isolate?: boolean
  /**
   * With `isolate`: how many workers are kept ready for the next tasks, beside those that run one:
   * an integer from 0. Default: `minThreads`.
   */
  spareThreads?: number
}

/**
 * The limits past which a worker is replaced. Its replacement is started first, and the worker goes
 * on until that is ready. A worker lives at least thirty times as long as a start takes.
 */
export interface RecycleOptions {
  /** How many tasks it completes: an integer from 1. Default: no limit. */
  tasks?: number
  /** How large its JavaScript heap gets, in MiB: an integer from 1. Default: no limit. */
  heapMb?: number
  /** How old it gets, in milliseconds: an integer from 1. Default: no limit. */
  ageMs?: number
}

/** The new size of a pool, for `resize()`. */
export interface PoolSize {
  /** How many workers the pool keeps: an integer from 0. Default: as before. */
  minThreads?: number
  /** How many workers the pool may have: an integer from 1 to 16352. Default: as before. */
  maxThreads?: number
}

/** The value of the option `memoryLimit`. */
export interface MemoryLimit {
  /** How large the JavaScript heap of a worker may be, in MiB: an integer of at least 16. */
  heapMb: number
}

/**
 * The options as the pool uses them, with the defaults filled in, in an object without prototype.
 */
export interface FilledPoolOptions extends PoolOptions {
  filename: string | null
  name: string
  minThreads: number
  maxThreads: number
  idleTimeout: number
  maxQueue: number
  concurrentTasksPerWorker: number
  atomics: 'sync' | 'async' | 'disabled'
  taskQueue: TaskQueue
  niceIncrement: number
  trackUnmanagedFds: boolean
  closeTimeout: number
  recordTiming: boolean
  workerHistogram: boolean
  stricterFIFO: boolean
  asyncHooks: boolean
  sharedMemory: number
  setup: string | null
  teardown: string | null
  teardownTimeout: number
  isolate: boolean
  abort: AbortStrength
  graceMs: number
  interruptMs: number
  timeout: number
  queueTimeout: number
}

/** The options of `run()`. */
export interface RunOptions {
  /**
   * Objects to transfer instead of copying them. Buffers are empty when `run()` returns, unless
   * the task has to wait in JavaScript, or has a signal. Default: none.
   */
  transferList?: TransferList
  /** The file that exports the task function. Default: the pool's. */
  filename?: string | URL | null
  /** The export to call. Default: the pool's. */
  name?: string | null
  /**
   * Aborts the task: run() rejects with an {@link AbortError} at once. If the task waits, it leaves
   * the queue. If it runs, `abort` says what happens to it.
   */
  signal?: AnyAbortSignal | null
  /**
   * Called with a copy of each value that the task passes to `task.progress()`, in order and before
   * the promise settles, in the async context of run(). What it throws is an uncaught exception.
   */
  onProgress?: ((value: any) => void) | null
  /**
   * How strong an abort of a running task is, whether by a signal or by a timeout. `'terminate'`:
   * its worker is terminated and replaced; such a task has its worker to itself, unless a load
   * balancer chose the worker. `'cooperative'`: the task is told ({@link TaskContext}), run()
   * rejects at once, and the worker lives on; what the task returns late is dropped.
   * `'interrupt'`: the same, and after `graceMs` its JavaScript is stopped where it stands. The
   * worker and its modules live on, but no `finally` of the task runs, its locks stay held, and
   * what it was changing stays half changed. Default: the pool's.
   *
   * @example
   * await pool.run(pattern, { signal, abort: 'interrupt' })
   */
  abort?: AbortStrength | null
  /**
   * How long a task that was told to stop may go on, in milliseconds from 0, or Infinity. Then it
   * is interrupted, or its worker is terminated, and other tasks of that worker reject with
   * `ERR_TELAR_TERMINATED`. Default: the pool's; if `abort` is not that of the pool: 0 with
   * `'interrupt'`, otherwise Infinity.
   */
  graceMs?: number | null
  /**
   * With `abort: 'interrupt'`: how long it may take to stop the JavaScript of a task, in
   * milliseconds from 0, or Infinity. Then its worker is terminated. Default: the pool's.
   */
  interruptMs?: number | null
  /**
   * How long a task may run, in milliseconds above 0, or Infinity. Then it is aborted, and run()
   * rejects with `ERR_TELAR_TIMEOUT`, whose `phase` is `'run'`. Default: the pool's.
   */
  timeout?: number | null
  /**
   * How long a task may wait for a worker, in milliseconds above 0, or Infinity. Then it never
   * runs, and run() rejects with `ERR_TELAR_TIMEOUT`, whose `phase` is `'queue'`. Default: the
   * pool's.
   */
  queueTimeout?: number | null
  /**
   * When the task starts: an integer from -100 to 100. Of the tasks that wait, those of the highest
   * priority start first, and among these the one that was passed to run() first. So that none
   * waits forever, each sixteenth task that a worker starts is the one that has waited longest, if
   * that is a second or more. Default: 0.
   */
  priority?: number | null
  /**
   * A string, or a number that is not NaN. Tasks of one key run on one worker, one after the other,
   * in the order of run(), whatever their priorities are. A key whose worker has ended gets
   * another. Default: none.
   */
  key?: string | number | null
}

/**
 * The options of `map()`: its own, and those of run() that make sense for each of many tasks. A
 * `timeout`, and the pool's, is that of one item: then each item is a task of its own.
 */
export interface MapOptions extends Omit<RunOptions, 'transferList' | 'queueTimeout'> {
  /**
   * How many items run at a time: an integer from 1, or Infinity. It is at most as many as the
   * workers have places for. Default: that many.
   */
  concurrency?: number | null
  /** Whether the results come in the order of the items, or as they are ready. Default: true. */
  ordered?: boolean | null
  /**
   * How many items are sent as one task, at most: an integer from 1 to 65536, or `'auto'`: as many
   * as run for about a millisecond, from 1 to 2048, by the running times of those before.
   * Above 1 it excludes `timeout` and `isolate`. Default: `'auto'`.
   */
  batch?: number | 'auto' | null
}

/** The options of `runMany()`. */
export interface RunManyOptions extends Omit<MapOptions, 'ordered'> {
  /**
   * Whether the result is the outcome of each item, as that of `Promise.allSettled()`, and errors
   * of items end nothing. Default: false.
   */
  settle?: boolean | null
}

/** The options of `transform()` and `transformStream()`. */
export interface TransformOptions extends MapOptions {
  /** How many items each side holds, at most: an integer from 0. Default: 64. */
  highWaterMark?: number | null
}

/** The options of `stream()`. */
export interface StreamOptions extends RunOptions {
  /**
   * Items for the task, which reads them as {@link TaskContext.input}. They are taken no faster
   * than the task reads. When the task ends, the iterator is closed. Default: none.
   */
  input?: Iterable<any> | AsyncIterable<any> | null
  /**
   * How many bytes of values wait for their reader, at most: an integer from 4096 to 2^30, which is
   * rounded up to a power of two. A value may take half of it. Default: 1 MiB.
   */
  capacity?: number | null
}

/** What {@link Pool.map} and {@link Pool.stream} return. */
export interface AsyncResults<R> extends AsyncIterableIterator<R> {
  return (value?: any): Promise<IteratorResult<R>>
  throw (error?: any): Promise<IteratorResult<R>>
  [Symbol.asyncIterator] (): AsyncResults<R>
  /** The same as return(): `await using results = pool.map(items)`. */
  [Symbol.asyncDispose] (): Promise<void>
}

/** The options of `broadcast()`. */
export type BroadcastOptions = Omit<RunOptions, 'transferList' | 'key'>

/** The options of run() without those that choose the function. */
export type CallOptions = Omit<RunOptions, 'filename' | 'name'>

/** What a method of {@link PoolProxy} and exec() take as arguments: those of the function. */
export type CallArguments<A extends unknown[]> = {
  [I in keyof A]: A[I] extends object ? A[I] | Transferable : A[I]
}

/** What a call of a function gives: a promise of its result. */
export type CallResult<R> = Promise<Awaited<R>>

/** A method of a {@link PoolProxy}. */
export interface PoolMethod<F extends (...args: any[]) => any> {
  /**
   * Calls the export in a worker with copies of the arguments. If there is only one, it may be
   * marked by {@link move}.
   *
   * @throws (rejects with) what run() rejects with
   */
  (...args: CallArguments<Parameters<F>>): CallResult<ReturnType<F>>
  /**
   * The same, and blocks the thread until the result is there, as `runSync()` does.
   *
   * @throws what run() rejects with
   */
  sync (...args: CallArguments<Parameters<F>>): Awaited<ReturnType<F>>
  /**
   * The method with options of run().
   *
   * @example
   * const thumbnail = await api.resize.with({ priority: 5, timeout: 1000 })(image, 200)
   */
  with (options: CallOptions): PoolMethod<F>
}

/** What an export that is a generator is in a {@link PoolProxy}. */
export interface PoolGenerator<A extends unknown[], Y> {
  /**
   * Calls the generator in a worker with copies of the arguments, and gives its values one after
   * the other, as `stream()` of the pool does.
   *
   * @throws (rejects with) what run() rejects with, after the values before it
   * @example
   * for await (const row of api.rows.stream('data.csv')) console.log(row)
   */
  stream (...args: CallArguments<A>): AsyncResults<Y>
  /** The same with options of `stream()`. */
  with (options: Omit<StreamOptions, 'filename' | 'name'>): PoolGenerator<A, Y>
}

/** The exports of a task file that are functions, as methods: see `proxy()`. */
export type PoolProxy<M> = {
  readonly [K in keyof M as M[K] extends (...args: any[]) => any ? K : never]:
  M[K] extends (...args: any[]) => any ? PoolExport<M[K], ReturnType<M[K]>> : never
}

/** What an export that is a function is in a {@link PoolProxy}. `R`: what it returns. */
export type PoolExport<F extends (...args: any[]) => any, R> =
  0 extends 1 & R // any
    ? PoolMethod<F>
    : [R] extends [never]
        ? PoolMethod<F>
        : [R] extends [Generator<infer Y, any, any> | AsyncGenerator<infer Y, any, any>]
            ? PoolGenerator<Parameters<F>, Y>
            : PoolMethod<F>

/** The options of `proxy()`. */
export interface ProxyOptions {
  /** The task file, as in {@link RunOptions}. Default: the pool's. */
  filename?: string | URL | null
}

/** Modules for a function that is given in place: names, and the modules that they stand for. */
export interface InlineImports {
  readonly [name: string]: string
}

/** The options of `define()`. */
export interface DefineOptions {
  /**
   * The modules that the function uses, by the names that it uses for them. They are found from the
   * file of the function. Default: none.
   */
  imports?: InlineImports
}

/** A function with options, for `exec()`. */
export interface ExecOptions<F extends (...args: any[]) => any>
  extends CallOptions, DefineOptions {
  /** The function. */
  fn: F
}

/** What a worker of a pool does at the moment. */
export interface WorkerStatus {
  /** The `threadId` of the worker; -1 when its thread has ended. */
  readonly id: number
  /**
   * `'starting'`: it has not loaded the task file yet. `'busy'`: it runs tasks. `'idle'`: it runs
   * none. `'ending'`: it runs none and takes no more, or is being terminated, and its thread has
   * not ended yet.
   */
  readonly state: 'starting' | 'idle' | 'busy' | 'ending'
  /** How many tasks it runs. */
  readonly tasks: number
  /**
   * The share of its time for which it was busy, from 0 to 1: since an earlier read of
   * `pool.workers` that is at least a second ago, or else since its thread was started.
   */
  readonly busy: number
  /**
   * How many bytes of its JavaScript heap are in use, as the thread has last said. Each read of
   * `pool.workers` asks it, and it answers when its event loop turns. Undefined before the first
   * answer, and always on Node 20.
   */
  readonly heapUsed: number | undefined
}

/** The options of `close()`. */
export interface CloseOptions {
  /** Whether waiting tasks are rejected with an {@link AbortError}. Default: false. */
  force?: boolean
}

/** The events of a pool, and the arguments of their listeners. */
export interface PoolEvents {
  /**
   * A worker failed while it ran no task, or could not start while no task waited that could
   * reject; a `teardown` failed or took too long; or close() timed out.
   */
  error: [error: Error]
  /** After `needsDrain`: the number of tasks has fallen below that limit again. */
  drain: []
  /** The pool has as many tasks as its workers may run at a time. */
  needsDrain: []
  /** A worker called `parentPort.postMessage(value)`. */
  message: [value: any]
  /**
   * A worker is ready (for the workers that the constructor started, right after the constructor),
   * or ends before it was ready. Emitted once for each worker, before its `workerDestroy`.
   */
  workerCreate: [worker: PoolWorker]
  /** A worker left the pool; its thread may still be ending. */
  workerDestroy: [worker: PoolWorker]
  /** close() is done. */
  close: []
}

/**
 * A pool of worker threads. It belongs to the thread that created it. Methods that return a promise
 * never throw: they reject.
 *
 * @typeParam T the type of a task
 * @typeParam R the type that the task function returns, or with which its promise is fulfilled
 *
 * @example
 * import { Pool } from 'telar'
 * const pool = new Pool({ filename: new URL('./worker.js', import.meta.url) })
 * console.log(await pool.run(16)) // 4
 * await pool.close()
 */
export class Pool<T = any, R = any> extends EventEmitter<PoolEvents> {
  /**
   * Starts `minThreads` workers.
   *
   * @throws a TypeError with `ERR_TELAR_INVALID_ARGUMENT` or `ERR_TELAR_UNKNOWN_OPTION`
   * @throws a RangeError with `ERR_TELAR_OPTION_CONFLICT`
   * @throws what `new Worker()` throws
   */
  constructor (options?: PoolOptions)

  /**
   * Runs a task in a worker: calls the task function with a copy of `task`. The promise settles
   * exactly once: it is fulfilled with a copy of the result, or rejected.
   *
   * @throws (rejects with) a copy of what the task function threw
   * @throws `ERR_TELAR_ABORTED`: the signal fired, or the pool is closing
   * @throws `ERR_TELAR_TIMEOUT`: the task was over its `timeout` or `queueTimeout`
   * @throws `ERR_TELAR_QUEUE_FULL`, `ERR_TELAR_NO_QUEUE`: see `maxQueue`
   * @throws `ERR_TELAR_TERMINATED`, `ERR_TELAR_WORKER_EXITED`: the worker of the task ended
   * @throws `ERR_TELAR_FILENAME_MISSING`, `ERR_TELAR_NO_HANDLER`, or what loading the file threw
   * @throws `ERR_TELAR_INVALID_ARGUMENT`, `ERR_TELAR_UNKNOWN_OPTION`
   * @throws the platform's DataCloneError: the task or its result cannot be copied
   */
  run (task: T, options?: RunOptions): Promise<R>

  /**
   * The same as run(), but blocks the thread until the task is settled, and returns the result.
   * Meanwhile no promise, timer or listener of the thread runs; other tasks go on, and settle
   * afterwards. A signal cannot fire meanwhile, `timeout` and `queueTimeout` count. The workers need
   * not have started. What a task prints appears after the call.
   *
   * @throws what run() rejects with
   *
   * @example
   * import { Pool } from 'telar'
   * const pool = new Pool({ filename: new URL('./worker.js', import.meta.url) })
   * console.log(pool.runSync(16)) // 4
   * await pool.close()
   */
  runSync (task: T, options?: RunOptions): R

  /**
   * Runs a function that is written in place, with copies of the arguments. Its source is sent to
   * each worker once. So it must not use variables from outside of itself: pass values as
   * arguments, and modules as `imports`. If there is only one argument, it may be marked by
   * {@link move}. Errors point to the file and the line of the function, if it is written in the
   * file that calls this, or in one that calls that; otherwise to the call.
   *
   * @throws (rejects with) `ERR_TELAR_OUTER_NAME`, which names a variable from outside
   * @throws `ERR_TELAR_INVALID_ARGUMENT`: the function is native, bound, a class or a generator
   * @throws what run() rejects with
   *
   * @example
   * import { Pool } from 'telar'
   * const pool = new Pool()
   * console.log(await pool.exec((a, b) => a + b, 1, 2)) // 3
   * const fn = (text) => crypto.createHash('sha256').update(text).digest('hex').slice(0, 8)
   * const imports = { crypto: 'node:crypto' }
   * console.log(await pool.exec({ fn, imports, priority: 5 }, 'abc')) // ba7816bf
   * await pool.close()
   */
  exec<F extends (...args: any[]) => any> (
    fn: F | ExecOptions<F>, ...args: CallArguments<Parameters<F>>
  ): Promise<Awaited<ReturnType<F>>>

  /**
   * Gives a function that is written in place a name, for the option `name` of run(), runSync(),
   * broadcast(), map() and its relatives. It is called like an export of the task file, and used
   * instead of one with that name.
   *
   * @throws `ERR_TELAR_OUTER_NAME`, `ERR_TELAR_INVALID_ARGUMENT`, `ERR_TELAR_UNKNOWN_OPTION`
   *
   * @example
   * import { Pool } from 'telar'
   * const pool = new Pool()
   * pool.define('square', (x) => x * x)
   * console.log(await pool.run(5, { name: 'square' })) // 25
   * await pool.close()
   */
  define (
    name: string, fn: (value: any, task: TaskContext) => unknown, options?: DefineOptions
  ): void

  /**
   * The exports of the task file as methods, with their own parameters and results. Give it the
   * type of the file.
   *
   * @typeParam M the type of the file: `typeof import('./work.js')`
   *
   * @throws `ERR_TELAR_FILENAME_MISSING`, `ERR_TELAR_INVALID_ARGUMENT`, `ERR_TELAR_UNKNOWN_OPTION`
   *
   * @example
   * const api = pool.proxy<typeof import('./work.js')>()
   * const thumbnail = await api.resize(image, 200)
   */
  proxy<M = Record<string, (...args: any[]) => any>> (options?: ProxyOptions): PoolProxy<M>

  /**
   * Runs a task once on every worker of the pool, also on those that are starting, and resolves
   * with the results in the order of the workers. A worker that is busy runs it in its turn. If the
   * pool has no worker, the result is an empty array.
   *
   * @throws (rejects with) a {@link BroadcastError} if it fails on any worker, when it has ended on
   * all of them
   * @throws `ERR_TELAR_ABORTED`: the pool is closing
   * @throws `ERR_TELAR_FILENAME_MISSING`, `ERR_TELAR_INVALID_ARGUMENT`, `ERR_TELAR_UNKNOWN_OPTION`
   *
   * @example
   * import { Pool } from 'telar'
   * const pool = new Pool({ filename: new URL('./worker.js', import.meta.url), minThreads: 2 })
   * console.log(await pool.broadcast(16)) // [ 4, 4 ]
   * await pool.close()
   */
  broadcast (task: T, options?: BroadcastOptions): Promise<R[]>

  /**
   * Runs the task function for each item of an iterable or async iterable, and gives the results.
   * Nothing runs before the first result is asked for. The source is read as fast as results are
   * taken, so the memory does not depend on the number of items. Small items are sent together,
   * but each is copied on its own, as by run().
   *
   * Leaving the loop, an error or the signal cancels what waits, tells the tasks that run to stop
   * ({@link TaskContext.aborted}), and closes the source by `return()`. An error of an item comes
   * after the results before it; `error.itemIndex` is the index of the item. If a worker ends, the
   * items that it had are lost together, and the error has no `itemIndex`.
   *
   * @throws a TypeError with `ERR_TELAR_INVALID_ARGUMENT` or `ERR_TELAR_UNKNOWN_OPTION`
   * @throws `ERR_TELAR_OPTION_CONFLICT`, `ERR_TELAR_FILENAME_MISSING`, `ERR_TELAR_ABORTED`
   * @throws (in the loop) what run() rejects with, except that `maxQueue` does not count
   *
   * @example
   * import { Pool } from 'telar'
   * const pool = new Pool({ filename: new URL('./worker.js', import.meta.url) })
   * for await (const root of pool.map([1, 4, 9])) console.log(root) // 1, 2, 3
   * await pool.close()
   */
  map (
    items: Iterable<T | PromiseLike<T>> | AsyncIterable<T>, options?: MapOptions
  ): AsyncResults<R>

  /**
   * The same as {@link map}, but resolves with an array of the results in the order of the items.
   * The first error rejects at once and cancels the rest.
   *
   * @throws (rejects with) what map() throws
   *
   * @example
   * console.log(await pool.runMany([1, 4, 9])) // [ 1, 2, 3 ]
   * const outcomes = await pool.runMany(items, { settle: true })
   * const failed = outcomes.filter(({ status }) => status === 'rejected')
   */
  runMany (
    items: Iterable<T | PromiseLike<T>> | AsyncIterable<T>,
    options: RunManyOptions & { settle: true }
  ): Promise<Array<PromiseSettledResult<R>>>
  /** The same without `settle`. */
  runMany (
    items: Iterable<T | PromiseLike<T>> | AsyncIterable<T>,
    options?: RunManyOptions & { settle?: false | null }
  ): Promise<R[]>

  /**
   * {@link map} as a stream for `pipeline()`: an object-mode Transform of Node, which runs the task
   * function for each chunk. A task that returns null fails the stream. Destroying it cancels what
   * waits.
   *
   * @throws what map() throws
   *
   * @example
   * import { pipeline } from 'node:stream/promises'
   * await pipeline(rows, pool.transform(), database)
   */
  transform (options?: TransformOptions): Transform

  /**
   * {@link map} for web streams: the two sides of a transform stream.
   *
   * @throws what map() throws
   *
   * @example
   * await response.body.pipeThrough(pool.transformStream()).pipeTo(sink)
   */
  transformStream (options?: TransformOptions): {
    readable: ReadableStream<R>
    writable: WritableStream<T>
  }

  /**
   * Runs a task that gives many values: its function is a generator, or returns an iterator or a
   * promise of one. The values come by a channel, whose `capacity` bounds how far the task is
   * ahead. Nothing runs before the first value is asked for. Leaving the loop runs the `finally`
   * of the generator, at its next value, and tells the task to stop. An error comes after the
   * values before it. What a channel refuses, a value of a stream cannot be: nothing is
   * transferred.
   *
   * @throws a TypeError with `ERR_TELAR_INVALID_ARGUMENT` or `ERR_TELAR_UNKNOWN_OPTION`
   * @throws `ERR_TELAR_FILENAME_MISSING`, `ERR_TELAR_ABORTED`
   * @throws (in the loop) what run() rejects with; `ERR_TELAR_RECORD_TOO_LARGE`: a value is larger
   * than half of the capacity
   *
   * @example
   * // A task function: export function * range (end) { for (let i = 0; i < end; i++) yield i }
   * for await (const i of pool.stream(1e6, { name: 'range' })) console.log(i)
   */
  stream (task: T, options?: StreamOptions): AsyncResults<R>

  /**
   * Resolves when `minThreads` workers can take tasks: they have loaded the task file and run
   * `setup`. Starts those that are missing.
   *
   * @throws (rejects with) the error of a worker that could not start
   * @throws `ERR_TELAR_ABORTED`: the pool is closing
   * @throws `ERR_TELAR_TERMINATED`: the pool was closed or destroyed meanwhile
   *
   * @example
   * const pool = new Pool({ filename, setup: 'connect' })
   * await pool.ready()
   */
  ready (): Promise<void>

  /**
   * Changes how many workers the pool keeps and may have, at once. Workers that are too many finish
   * their tasks first. If only one of the two is given, the other is kept, or adapted to it.
   *
   * @throws a TypeError with `ERR_TELAR_INVALID_ARGUMENT` or `ERR_TELAR_UNKNOWN_OPTION`
   * @throws a RangeError with `ERR_TELAR_OPTION_CONFLICT`
   *
   * @example
   * pool.resize({ minThreads: 2, maxThreads: 8 })
   */
  resize (size: PoolSize): void

  /**
   * Waits for all tasks, lets each worker run its `teardown`, then ends the workers. Until that is
   * done, run() rejects with an {@link AbortError}; afterwards the pool can be used again. A second
   * call waits for the same end as the first. When `closeTimeout` expires, the pool emits `'error'`
   * and is destroyed.
   *
   * @throws (rejects with) `ERR_TELAR_INVALID_ARGUMENT`, `ERR_TELAR_UNKNOWN_OPTION`
   */
  close (options?: CloseOptions): Promise<void>

  /**
   * Ends the workers now, without `teardown`. Tasks that wait or run reject with
   * `ERR_TELAR_TERMINATED`. The pool can be used again.
   */
  destroy (): Promise<void>

  /**
   * What each worker does now: the tasks that it runs, since when, and its stack. The text of the
   * result, by `util.inspect()` or `String()`, is a readable report. A worker in an endless loop
   * has a stack too: it is paused for a moment, and goes on. One that does not answer within two
   * seconds, in a native call for example, has the reason in place of the stack. So has each
   * worker of a pool that is itself in a worker, and where Node was built without the inspector.
   *
   * @example
   * console.log(await pool.dump())
   * // Pool: 1 worker; tasks: 1 running, 0 waiting, 12 completed
   * // Worker 3: busy
   * //   "resize" of /app/tasks.js for 5031 ms
   * //     at resize (/app/tasks.js:12:9)
   */
  dump (): Promise<PoolDump>

  /**
   * For `using pool = new Pool()`: calls close() at the end of the block, and does not wait for it.
   */
  [Symbol.dispose] (): void
  /**
   * For `await using pool = new Pool()`: calls close() at the end of the block, and waits for it.
   */
  [Symbol.asyncDispose] (): Promise<void>

  /** How many workers the pool may have. */
  readonly maxThreads: number
  /** How many workers the pool keeps. */
  readonly minThreads: number
  /** The options, with the defaults filled in. */
  readonly options: FilledPoolOptions
  /** The workers, including those that are starting. */
  readonly threads: Worker[]
  /** What each worker does now, in the order of their start. */
  readonly workers: WorkerStatus[]
  /** The number of ready workers minus that of running tasks, at least 0. */
  readonly idleThreads: number
  /** How many tasks have no place in any worker, not even in one that is starting. */
  readonly queueSize: number
  /** How many tasks are settled, including failed and aborted ones. */
  readonly completed: number
  /** Milliseconds since the pool was created. */
  readonly duration: number
  /**
   * The running time in `histogram` divided by `duration` × `maxThreads`: from 0 to 1. 0 if nothing
   * is recorded.
   */
  readonly utilization: number
  /** True from the event `'needsDrain'` to the event `'drain'`. */
  readonly needsDrain: boolean
  /** The run and wait times of tasks. */
  readonly histogram: PoolHistogram
}

/** A task that a worker runs, or ran when it ended. */
export interface RunningTask {
  /** The name of the export that the task calls. */
  name: string
  filename: string
  /** The id of the task. Null for most tasks without options. */
  taskId: number | null
  /** The task was aborted, and has not ended yet. */
  isAborted: boolean
  /** When the worker began it, in milliseconds on the clock of `performance.now()`. */
  startedAt: number
  /** For how many milliseconds it has run. */
  runMs: number
}

/** The result of `pool.dump()`. */
export interface PoolDump {
  /** In the order in which they were started. */
  workers: Array<{
    /** The `threadId` of its thread. */
    id: number
    state: 'starting' | 'idle' | 'busy' | 'ending'
    tasks: RunningTask[]
    /**
     * Lines of the form `    at name (file:line:column)`, or the reason why there are none, in
     * parentheses. Empty for an idle worker.
     */
    stack: string
  }>
  /** How many tasks wait for a worker. */
  waiting: number
  /** How many tasks are settled. */
  completed: number
}

// ---- between threads ----

/**
 * What arrives in another thread when a shared object is sent by `workerData`, `postMessage()` or
 * `setEnvironmentData()`, because structured clone strips its class. `from()` of that class
 * restores the object.
 */
export interface Shared<Kind extends string> {
  /** What each thread needs to use the object. */
  readonly 'telar:shared': {
    readonly kind: Kind
    /** The version of this format. */
    readonly format: number
    /** Identifies the native library that created the object. Other libraries refuse it. */
    readonly library: bigint
    /** Unique in the process. */
    readonly id: bigint
    readonly memory: SharedArrayBuffer
  }
}

/** The options of a {@link Channel}. */
export interface ChannelOptions {
  /**
   * How many bytes of records the channel holds: an integer from 4096 to 2^30, rounded up to a
   * power of two. A record is an encoded value; it may take at most half of the capacity. The
   * channel uses one and a half times as much memory, and never grows. Default: 2^20.
   */
  capacity?: number
  /**
   * `'one'`: only one thread at a time may send. The first thread that sends becomes the producer,
   * until it ends or calls `detach()`. In other threads sending fails with
   * `ERR_TELAR_CHANNEL_ENDS`. Default: `'many'`.
   */
  producers?: 'one' | 'many'
  /** The same for the thread that receives. Default: `'many'`. */
  consumers?: 'one' | 'many'
  /**
   * What a thread does that sends when the channel is full. `'wait'`: it waits for room.
   * `'drop-oldest'`: it drops the oldest records until there is room; excludes `consumers: 'one'`.
   * `'drop-newest'`: it drops the record that it sends. `stats.dropped` counts these records.
   * Default: `'wait'`.
   */
  overflow?: 'wait' | 'drop-oldest' | 'drop-newest'
}

/**
 * The options of the calls of a {@link Channel} that return a promise: those of all waiting calls.
 */
export type ChannelSignalOptions = WaitOptions

/**
 * The options of the calls of a {@link Channel} that block the thread: those of all waiting calls.
 */
export type ChannelTimeoutOptions = WaitOptions

/**
 * What an iterator returns. `done` is true if the channel is closed and everything that was sent
 * has been received.
 */
export type ReceiveResult<T> =
  | { readonly value: T, readonly done: false }
  | { readonly value: undefined, readonly done: true }

/** For `for await`. Each step is a `receive()`. Leaving the loop does not change the channel. */
export interface ChannelIterator<T> {
  /** The same as `receive()`. */
  next (): Promise<ReceiveResult<T>>
  /** Ends this iterator. The channel does not change. */
  return (): Promise<{ value: undefined, done: true }>
  [Symbol.asyncIterator] (): ChannelIterator<T>
}

/**
 * Statistics of a {@link Channel}, for all threads together. Each number is recent, but they are
 * not all from the same instant.
 */
export interface ChannelStats {
  /** How many records were ever sent. */
  readonly sent: number
  /** The encoded bytes of these records. */
  readonly sentBytes: number
  /**
   * How many records were ever received. A claim counts when `receiveBytes()` resolves, not when it
   * is released.
   */
  readonly received: number
  /** The encoded bytes of these records. */
  readonly receivedBytes: number
  /**
   * How many records were dropped because the channel was full. With `overflow: 'drop-oldest'` they
   * had been sent, so `sent` counts them too; with `'drop-newest'` it does not.
   */
  readonly dropped: number
  /** The encoded bytes of these records. */
  readonly droppedBytes: number
  /** How many records are in the channel now. */
  readonly size: number
  /** The encoded bytes of these records. */
  readonly sizeBytes: number
  /** Bytes of the capacity in use now: by records, padding, reservations and claims. */
  readonly used: number
}

/**
 * Room in a channel for one record of bytes, to be written in place. It belongs to its thread.
 * Receivers have to wait until it is committed or discarded before they can receive what any thread
 * sent after it. When its thread ends, it is discarded.
 */
export interface ChannelReservation extends Disposable {
  /**
   * The room, a view of the channel's own memory. At first it contains whatever was in that memory.
   * Do not keep it after commit() or discard(): other records lie there by then.
   *
   * @throws `ERR_TELAR_DISPOSED` after commit(), discard() or detach()
   */
  readonly bytes: Uint8Array
  /**
   * Sends the first `used` bytes (default: all). This works after `close()` too.
   *
   * @throws `ERR_TELAR_INVALID_ARGUMENT`
   * @throws `ERR_TELAR_DISPOSED` after commit(), discard() or detach()
   * @throws `ERR_TELAR_CHANNEL_ABORTED`
   */
  commit (used?: number): void
  /** Sends nothing, and gives the room back. Does nothing after commit() or discard(). */
  discard (): void
  /** The same as discard(). */
  [Symbol.dispose] (): void
}

/**
 * A received record of bytes, to be read in place. It belongs to its thread. When the thread ends,
 * the claim is released.
 */
export interface ChannelClaim extends Disposable {
  /**
   * The record, a view of the channel's own memory. Do not keep it after release(): other records
   * lie there by then.
   *
   * @throws `ERR_TELAR_DISPOSED` after release() or detach()
   */
  readonly bytes: Uint8Array
  /** Gives the room back. Claims may be released in any order. A second call does nothing. */
  release (): void
  /** The same as release(). */
  [Symbol.dispose] (): void
}

/** The options of `readable()`: as for Node's `Readable`. */
export interface ChannelReadableOptions
  extends Pick<ReadableOptions, 'objectMode' | 'highWaterMark' | 'signal'> {}

/** The options of `writable()`: as for Node's `Writable`, and `end`. */
export interface ChannelWritableOptions
  extends Pick<WritableOptions, 'objectMode' | 'highWaterMark' | 'signal'>,
  ChannelWritableStreamOptions {}

/** The options of `writableStream()`. */
export interface ChannelWritableStreamOptions {
  /**
   * Whether the channel is closed when the stream ends, and aborted after an error of the stream.
   * Default: true.
   */
  end?: boolean
}

/**
 * A queue of bounded size between any number of threads. What one thread sends, one other thread
 * receives, exactly once. The values of one sender arrive in the order in which they were sent.
 * When the channel is full, senders wait.
 *
 * A thread has one object for each channel. Many of its calls may wait at a time; they are served
 * in the order in which they were made. A waiting call keeps the thread, and the process, alive;
 * see `unref()`.
 *
 * Calls that return a promise and calls that block the thread (`…Sync()`, allowed on the main
 * thread too) take a timeout and a signal, see {@link WaitOptions}. `try…()` does not wait. A call
 * that times out or is aborted has done nothing (except `sendMany()`). Every call may fail with
 * `ERR_TELAR_CHANNEL_ABORTED`, `ERR_TELAR_CHANNEL_ENDS` (256 threads use the channel already, or
 * another thread is its only producer or consumer), `ERR_TELAR_INVALID_ARGUMENT`,
 * `ERR_TELAR_UNKNOWN_OPTION` and `ERR_TELAR_CORRUPT_STATE`, besides the errors that its own
 * description names.
 *
 * Sending fails with
 * - `ERR_TELAR_CHANNEL_CLOSED` after `close()`;
 * - a `DataCloneError`, or what an accessor throws, if the value cannot be copied;
 * - `ERR_TELAR_RECORD_TOO_LARGE` if the encoded value has more than `maxRecord` bytes;
 * - `ERR_TELAR_CHANNEL_NO_RECEIVER` if the call would have to wait, and all threads that have
 *   received have ended or detached, and no thread is left that got the channel by `from()` and has
 *   not used it yet.
 *
 * Receiving fails with
 * - `ERR_TELAR_CHANNEL_NO_SENDER` if the call would have to wait, and all threads that have sent
 *   have ended or detached without `close()`, and no thread is left that got the channel by
 *   `from()` and has not used it yet;
 * - `ERR_TELAR_MEMORY_LOST` if the record names shared memory that no thread has any more; the
 *   record is lost;
 * - `ERR_TELAR_CORRUPT_PAYLOAD` if something else wrote to the memory; the record is lost.
 *
 * @example
 * import { Channel } from 'telar'
 * const channel = new Channel() // send it to other threads by workerData, a task or a message
 * await channel.sendMany([1, 2, 3])
 * await channel.close()
 * let sum = 0
 * for await (const value of channel) sum += value
 * console.log(sum) // 6
 */
export class Channel<T = any> {
  /**
   * @throws a TypeError with `ERR_TELAR_INVALID_ARGUMENT` or `ERR_TELAR_UNKNOWN_OPTION`
   * @throws a RangeError if the memory cannot be allocated
   */
  constructor (options?: ChannelOptions)
  /**
   * Returns the channel in this thread. From then on the thread counts as one that may begin to
   * send and to receive. Once it has sent or received, it counts for that side only, until it ends
   * or detaches.
   *
   * @throws `ERR_TELAR_NOT_SHARED`
   */
  static from<T = any> (received: Channel<T> | Shared<'Channel'>): Channel<T>
  /** What other threads need to use the channel. */
  readonly 'telar:shared': Shared<'Channel'>['telar:shared']

  /**
   * Sends a value. The promise is resolved as soon as the value is in the channel, not when a
   * thread has received it. The value is copied during the call, by the rules of structured clone.
   */
  send (value: T, options?: WaitOptions): Promise<void>
  /** Returns false if there is no room now, or if other calls of this thread wait for room. */
  trySend (value: T): boolean
  /** The same as send(), but blocks the thread while the channel is full. */
  sendSync (value: T, options?: WaitOptions): void

  /**
   * Sends all values of an array. There may be more of them than the channel holds. They are copied
   * one after the other, when there is room: do not change the array or the values before the
   * promise is settled. If the call fails, `sent` of the error says how many values were sent.
   */
  sendMany (values: readonly T[], options?: WaitOptions): Promise<void>
  /** Sends as many values as there is room for now, and returns how many these were. */
  trySendMany (values: readonly T[]): number
  /** The same as sendMany(), but blocks the thread until all values are sent. */
  sendManySync (values: readonly T[], options?: WaitOptions): void

  /**
   * Sends at most `maxRecord - 8` bytes as one record. `receiveBytes()` reads them in place,
   * `receive()` copies them. The bytes are copied into the channel as soon as there is room: do not
   * change or transfer them before the promise is settled.
   */
  sendBytes (bytes: Uint8Array, options?: WaitOptions): Promise<void>
  /** Returns false if there is no room now, or if other calls of this thread wait for room. */
  trySendBytes (bytes: Uint8Array): boolean
  /** The same as sendBytes(), but blocks the thread while the channel is full. */
  sendBytesSync (bytes: Uint8Array, options?: WaitOptions): void

  /**
   * Reserves room for a record of `length` bytes, an integer from 1 to `maxRecord - 8`, to be
   * written in place. A thread can have at most 16 reservations open; more fail with
   * `ERR_TELAR_CHANNEL_ENDS`.
   */
  reserve (length: number, options?: WaitOptions): Promise<ChannelReservation>
  /** Returns null if there is no room now, or if other calls of this thread wait for room. */
  tryReserve (length: number): ChannelReservation | null
  /** The same as reserve(), but blocks the thread while there is no room. */
  reserveSync (length: number, options?: WaitOptions): ChannelReservation

  /**
   * Receives the next value. A record of `sendBytes()` or `reserve()` arrives as a Uint8Array with
   * a copy of its bytes.
   */
  receive (options?: WaitOptions): Promise<ReceiveResult<T>>
  /** Returns undefined if the channel has no record now. */
  tryReceive (): ReceiveResult<T> | undefined
  /** The same as receive(), but blocks the thread while the channel is empty. */
  receiveSync (options?: WaitOptions): ReceiveResult<T>

  /**
   * Waits for the first value, and then takes the values that are there: at most `max` (an integer
   * from 1), at most 1024, about 32 KiB, and only those that lie in one piece in the ring. Returns
   * `[]` if the channel is closed and empty.
   */
  receiveMany (max: number, options?: WaitOptions): Promise<T[]>
  /** Returns undefined if the channel has no record now. */
  tryReceiveMany (max: number): T[] | undefined
  /** The same as receiveMany(), but blocks the thread while the channel is empty. */
  receiveManySync (max: number, options?: WaitOptions): T[]

  /**
   * Receives the next record, which was sent by `sendBytes()` or `reserve()`, to be read in place.
   * Returns null if the channel is closed and empty. Fails with `ERR_TELAR_NOT_BYTES` if the next
   * record is a value of `send()`; that value is kept for the next `receive()` of this thread. A
   * thread can have at most 16 claims open; more fail with `ERR_TELAR_CHANNEL_ENDS`.
   */
  receiveBytes (options?: WaitOptions): Promise<ChannelClaim | null>
  /** Returns undefined if the channel has no record now. */
  tryReceiveBytes (): ChannelClaim | null | undefined
  /** The same as receiveBytes(), but blocks the thread while the channel is empty. */
  receiveBytesSync (options?: WaitOptions): ChannelClaim | null

  /** Iterates over the values until the channel is closed and empty. */
  [Symbol.asyncIterator] (): ChannelIterator<T>

  /**
   * A Node stream of the received values. Without `objectMode` they must be bytes and strings. The
   * stream reads up to 16 values ahead; they are lost if it is destroyed. If it receives null, it
   * fails with `ERR_TELAR_INVALID_ARGUMENT`.
   */
  readable (options?: ChannelReadableOptions): Readable
  /** A Node stream that sends its chunks. */
  writable (options?: ChannelWritableOptions): Writable
  /** A web stream of the received values. It reads nothing ahead. */
  readableStream (): ReadableStream<T>
  /** A web stream that sends its chunks. */
  writableStream (options?: ChannelWritableStreamOptions): WritableStream<T>

  /**
   * Says that no more values will be sent, by any thread. The values in the channel can still be
   * received; then receivers get the end. close() waits for the sends of its own thread, but not
   * for receivers. Sends that wait in other threads reject with `ERR_TELAR_CHANNEL_CLOSED`. To
   * close a closed channel does nothing. A timeout or a signal ends only this wait; the channel is
   * closed nevertheless.
   */
  close (options?: WaitOptions): Promise<void>
  /**
   * Makes both sides fail at once, in all threads, with `ERR_TELAR_CHANNEL_ABORTED`. The values in
   * the channel are lost. The `cause` of the error is a copy of `reason`. If `reason` is larger
   * than 4080 bytes, is an instance of a class of yours, or cannot be cloned, only its text is
   * copied. Only the first reason is used.
   */
  abort (reason?: unknown): void
  /**
   * Gives up the end of this thread, which no longer counts as a sender or a receiver. Its waiting
   * calls reject with an {@link AbortError}, its open reservations are discarded, and its claims
   * are released. The next call attaches the thread again.
   */
  detach (): void

  /** Waiting calls of this thread keep it alive. This is the default. */
  ref (): this
  /** Waiting calls of this thread no longer keep it alive. */
  unref (): this

  /** Whether nothing more can be sent, because a thread has called close() or abort(). */
  readonly closed: boolean
  /** How many bytes of records the channel holds: a power of two. */
  readonly capacity: number
  /** How many bytes the largest encoded record may have: half the capacity. */
  readonly maxRecord: number
  /** How many records are in the channel now. */
  readonly size: number
  /** Statistics for all threads together. */
  readonly stats: ChannelStats
}

/** What {@link select} gives: a channel, and what `receive()` gives for it. */
export type SelectResult<C extends Channel> =
  C extends Channel<infer T> ? { readonly channel: C } & ReceiveResult<T> : never

/**
 * Receives from the first of several channels that has something. If several have something, it
 * chooses the one that was chosen least recently in this thread, so none is starved. If none has
 * something, it waits, in each channel behind the calls of this thread that wait there already.
 * `done` is true for a channel that is closed and empty: take it out of the list. A call that times
 * out or is aborted has received nothing.
 *
 * @param channels At least one. A channel that is listed twice counts once.
 * @throws what `receive()` throws; `error.channel` is the channel that failed.
 * `ERR_TELAR_CHANNEL_NO_SENDER` only comes if no channel has something;
 * `ERR_TELAR_TIMEOUT`, or an {@link AbortError}, concern the call and no channel;
 * `ERR_TELAR_INVALID_ARGUMENT`, `ERR_TELAR_NOT_SHARED`
 * @example
 * import { Channel, select } from 'telar'
 * const [numbers, texts] = [new Channel(), new Channel()]
 * texts.trySend('hello')
 * const { channel, value } = await select([numbers, texts], { timeout: 1000 })
 * console.log(channel === texts, value) // true hello
 */
export function select<C extends Channel> (
  channels: readonly C[], options?: WaitOptions
): Promise<SelectResult<C>>

/**
 * The same as {@link select}, but blocks the thread until a channel has something.
 * @throws what select() rejects with
 */
export function selectSync<C extends Channel> (
  channels: readonly C[], options?: WaitOptions
): SelectResult<C>

/** The options of calls that wait. */
export interface WaitOptions {
  /**
   * How long the call waits, in milliseconds: a number from 0, or Infinity. When the timeout
   * expires, the call fails with `ERR_TELAR_TIMEOUT`, unless its description says otherwise.
   * Default: Infinity.
   */
  timeout?: number
  /**
   * Ends the wait with an {@link AbortError}. A synchronous call only notices a signal that has
   * fired before the call: while its thread is blocked, nothing in it can abort the call.
   */
  signal?: AnyAbortSignal | null
}

/**
 * As for `Atomics.wait()`, except that it is `'ok'` also if the number changed without a wake-up.
 */
export type WaitResult = 'ok' | 'not-equal' | 'timed-out'

/**
 * Waits until {@link notify} wakes it, if `array[index]` is `expected`: `Atomics.wait()` with a
 * short spin before the sleep, allowed on any thread. A number as `options` is a timeout in
 * milliseconds. The call may return without a wake-up, so check the number again.
 */
export function wait (
  array: Int32Array, index: number, expected: number, options?: number | WaitOptions
): WaitResult
export function wait (
  array: BigInt64Array, index: number, expected: bigint, options?: number | WaitOptions
): WaitResult

/**
 * The same as {@link wait}, without blocking the thread. The promise keeps the process alive, and
 * rejects where {@link wait} throws. A call with a signal may miss a wake-up if the number was not
 * changed before.
 */
export function waitAsync (
  array: Int32Array, index: number, expected: number, options?: number | WaitOptions
): Promise<WaitResult>
export function waitAsync (
  array: BigInt64Array, index: number, expected: bigint, options?: number | WaitOptions
): Promise<WaitResult>

/**
 * Wakes at most `count` of the calls that wait at `array[index]` (default: all), those that have
 * waited longest first. Returns how many it woke.
 */
export function notify (array: Int32Array | BigInt64Array, index: number, count?: number): number

/** Holds a lock. Unlock it once, by unlock() or `using`. It belongs to its thread. */
export interface Guard extends Disposable {
  /** Whether it still holds the lock. */
  readonly isHeld: boolean
  /**
   * True if a thread was ended while it held the lock exclusively, and no owner has called
   * `markConsistent()` since. The data may be half written.
   */
  readonly isInconsistent: boolean
  /**
   * Unlocks the lock.
   *
   * @throws `ERR_TELAR_NOT_HELD` if it was unlocked before
   */
  unlock (): void
  /** The same as unlock(), but does nothing if the lock was unlocked before. */
  [Symbol.dispose] (): void
}

/** Holds a lock that no other call holds. */
export interface ExclusiveGuard extends Guard {
  /**
   * Says that the data is consistent again: `isInconsistent` is false for later owners.
   *
   * @throws `ERR_TELAR_NOT_HELD`
   */
  markConsistent (): void
}

/**
 * A lock with one owner at a time, among all threads and all tasks in them.
 *
 * No waiter starves: a waiter that has waited for a millisecond reserves the lock, the oldest
 * waiter first. If a thread is ended while it holds the lock, the lock goes to the next owner, and
 * `isInconsistent` of its guard is true.
 *
 * Every call of this class and of the classes below may throw `ERR_TELAR_CORRUPT_STATE`. Every call
 * that waits may throw `ERR_TELAR_TIMEOUT`, `ERR_TELAR_ABORTED`, `ERR_TELAR_INVALID_ARGUMENT` or
 * `ERR_TELAR_UNKNOWN_OPTION`. Calls that return a promise reject with these errors instead.
 *
 * @example
 * import { Mutex } from 'telar'
 * const mutex = new Mutex()
 * const guard = await mutex.lock()
 * try {
 *   console.log(mutex.isLocked) // true
 * } finally {
 *   guard.unlock()
 * }
 */
export class Mutex {
  /** Creates an unlocked lock. */
  constructor ()
  /**
   * Returns the mutex in this thread, which has one object for each mutex.
   *
   * @throws `ERR_TELAR_NOT_SHARED`
   */
  static from (received: Mutex | Shared<'Mutex'>): Mutex
  /** What other threads need to use the mutex. */
  readonly 'telar:shared': Shared<'Mutex'>['telar:shared']
  /** Whether any thread holds it now. */
  readonly isLocked: boolean
  /**
   * Locks the mutex, and waits without blocking the thread. A task that holds the lock already
   * waits forever, since telar cannot tell the tasks of one thread apart.
   */
  lock (options?: WaitOptions): Promise<ExclusiveGuard>
  /**
   * Locks the mutex, and blocks the thread until then.
   *
   * @throws `ERR_TELAR_DEADLOCK` if this thread holds the lock
   */
  lockSync (options?: WaitOptions): ExclusiveGuard
  /** Returns null if another call holds the lock, or a waiter has reserved it. */
  tryLock (): ExclusiveGuard | null
  /**
   * Unlocks the mutex, if a task of this thread holds it.
   *
   * @throws `ERR_TELAR_NOT_HELD` if no task of this thread holds it
   */
  unlock (): void
}

/**
 * A lock with many readers or one writer.
 *
 * Readers of different threads do not slow each other down. A stream of readers cannot keep a
 * writer out, and a stream of writers cannot keep a reader out. When a thread is ended, its read
 * locks are released. If the thread held the lock for writing, `isInconsistent` is true for later
 * owners.
 *
 * @example
 * import { RwLock } from 'telar'
 * const lock = new RwLock()
 * const readers = [await lock.read(), await lock.read()]
 * console.log(lock.tryWrite()) // null
 * for (const reader of readers) reader.unlock()
 */
export class RwLock {
  /** Creates an unlocked lock. */
  constructor ()
  /**
   * Returns the lock in this thread, which has one object for each lock.
   *
   * @throws `ERR_TELAR_NOT_SHARED`
   */
  static from (received: RwLock | Shared<'RwLock'>): RwLock
  /** What other threads need to use the lock. */
  readonly 'telar:shared': Shared<'RwLock'>['telar:shared']
  /**
   * Locks the lock for reading, and waits without blocking the thread.
   *
   * @throws `ERR_TELAR_TOO_MANY_THREADS` if 256 other living threads have read under this lock
   */
  read (options?: WaitOptions): Promise<Guard>
  /**
   * Locks the lock for reading, and blocks the thread until then.
   *
   * @throws `ERR_TELAR_DEADLOCK` if this thread holds it for writing
   */
  readSync (options?: WaitOptions): Guard
  /** Returns null if a writer holds the lock, or waits for readers to leave. */
  tryRead (): Guard | null
  /** Locks the lock for writing, and waits without blocking the thread. */
  write (options?: WaitOptions): Promise<ExclusiveGuard>
  /**
   * Locks the lock for writing, and blocks the thread until then.
   *
   * @throws `ERR_TELAR_DEADLOCK` if this thread holds it for reading or writing
   */
  writeSync (options?: WaitOptions): ExclusiveGuard
  /** Returns null if a reader or a writer holds the lock. */
  tryWrite (): ExclusiveGuard | null
}

/** A permit of a {@link Semaphore}. Release it once. */
export interface Permit extends Disposable {
  /** Whether it has not been released yet. */
  readonly isHeld: boolean
  /**
   * Releases the permit.
   *
   * @throws `ERR_TELAR_NOT_HELD` if it was released before
   */
  release (): void
  /** The same as release(), but does nothing if it was released before. */
  [Symbol.dispose] (): void
}

/**
 * A number of permits. No waiter starves, as with Mutex. Permits have no owner: if a thread is
 * ended while it has permits, they are lost.
 *
 * @example
 * import { Semaphore } from 'telar'
 * const connections = new Semaphore(10)
 * const permit = await connections.acquire()
 * console.log(connections.available) // 9
 * permit.release()
 */
export class Semaphore {
  /**
   * @param permits how many permits are free at first: an integer from 0 to `max`. Default: 1.
   * @param max how many permits there may be: an integer from 1 to 2^30 - 1. Default: 2^30 - 1.
   */
  constructor (permits?: number, max?: number)
  /**
   * Returns the semaphore in this thread, which has one object for each semaphore.
   *
   * @throws `ERR_TELAR_NOT_SHARED`
   */
  static from (received: Semaphore | Shared<'Semaphore'>): Semaphore
  /** What other threads need to use the semaphore. */
  readonly 'telar:shared': Shared<'Semaphore'>['telar:shared']
  /** How many permits are free. */
  readonly available: number
  /** How many permits there may be. */
  readonly max: number
  /** Takes a permit, and waits for one without blocking the thread. */
  acquire (options?: WaitOptions): Promise<Permit>
  /** Takes a permit, and blocks the thread until there is one. */
  acquireSync (options?: WaitOptions): Permit
  /** Returns null if no permit is free, or a waiter has reserved the free ones. */
  tryAcquire (): Permit | null
  /**
   * Adds `count` permits (default: 1), whether they were acquired or not. So a semaphore can be
   * used as a signal.
   *
   * @throws `ERR_TELAR_OUT_OF_RANGE` if there would be more than `max`; nothing is changed then
   */
  release (count?: number): void
}

/**
 * Lets calls wait until data under a {@link Mutex} has changed.
 *
 * @example
 * import { Condition, Mutex } from 'telar'
 * const mutex = new Mutex()
 * const changed = new Condition()
 * const ready = new Int32Array(new SharedArrayBuffer(4))
 *
 * async function consume () {
 *   const guard = await mutex.lock()
 *   await changed.waitFor(guard, () => ready[0] === 1)
 *   guard.unlock()
 *   return 'consumed'
 * }
 *
 * const consumed = consume()
 * const guard = await mutex.lock()
 * ready[0] = 1
 * changed.notifyAll()
 * guard.unlock()
 * console.log(await consumed) // consumed
 */
export class Condition {
  /** Creates a condition without waiters. */
  constructor ()
  /**
   * Returns the condition in this thread, which has one object for each condition.
   *
   * @throws `ERR_TELAR_NOT_SHARED`
   */
  static from (received: Condition | Shared<'Condition'>): Condition
  /** What other threads need to use the condition. */
  readonly 'telar:shared': Shared<'Condition'>['telar:shared']
  /**
   * Unlocks the mutex, waits for a notification, and locks the mutex again. Returns true when
   * notified, false when the timeout has expired. However the call ends, even by an abort, the
   * guard holds the mutex afterwards, so the call may take longer than its timeout. It may return
   * true without a notification: check the data again, or use waitFor().
   *
   * @throws `ERR_TELAR_NOT_HELD`
   */
  wait (guard: ExclusiveGuard, options?: WaitOptions): Promise<boolean>
  /** The same as wait(), but blocks the thread. */
  waitSync (guard: ExclusiveGuard, options?: WaitOptions): boolean
  /**
   * Waits until `test()`, which is called with the mutex held, is true. Returns false if it is not
   * true when the timeout has expired.
   */
  waitFor (guard: ExclusiveGuard, test: () => unknown, options?: WaitOptions): Promise<boolean>
  /** The same as waitFor(), but blocks the thread. */
  waitForSync (guard: ExclusiveGuard, test: () => unknown, options?: WaitOptions): boolean
  /** Wakes at least one of the waiters, if there are any. Call it with the mutex held. */
  notifyOne (): void
  /** Wakes all waiters. Call it with the mutex held. */
  notifyAll (): void
}

/**
 * Lets a fixed number of parties wait for each other, round after round.
 *
 * @example
 * import { Barrier } from 'telar'
 * const barrier = new Barrier(2) // usually the parties are in different threads
 * const passed = await Promise.all([barrier.wait(), barrier.wait()])
 * console.log(passed.filter(Boolean).length) // 1
 */
export class Barrier {
  /** @param parties how many calls wait for each other: an integer from 1 to 16383 */
  constructor (parties: number)
  /**
   * Returns the barrier in this thread, which has one object for each barrier.
   *
   * @throws `ERR_TELAR_NOT_SHARED`
   */
  static from (received: Barrier | Shared<'Barrier'>): Barrier
  /** What other threads need to use the barrier. */
  readonly 'telar:shared': Shared<'Barrier'>['telar:shared']
  /** How many parties there are. */
  readonly parties: number
  /** How many parties wait now. */
  readonly waiting: number
  /**
   * Arrives, and waits until all parties have arrived. Returns true for exactly one of them, the
   * last one. A call that times out or is aborted has not arrived. Once all parties have arrived,
   * their calls succeed, whatever their timeouts or signals. If a thread is ended while it waits,
   * its party has arrived.
   */
  wait (options?: WaitOptions): Promise<boolean>
  /** The same as wait(), but blocks the thread. */
  waitSync (options?: WaitOptions): boolean
  /**
   * Arrives only if all other parties wait: then all go on, and it returns true. Otherwise false.
   */
  tryWait (): boolean
}

/**
 * Opens when its count reaches 0, and stays open.
 *
 * @example
 * import { Latch } from 'telar'
 * const ready = new Latch(1)
 * setImmediate(() => ready.countDown())
 * await ready.wait()
 * console.log(ready.count) // 0
 */
export class Latch {
  /** @param count the initial count: an integer from 0 to 2^31 - 1 */
  constructor (count: number)
  /**
   * Returns the latch in this thread, which has one object for each latch.
   *
   * @throws `ERR_TELAR_NOT_SHARED`
   */
  static from (received: Latch | Shared<'Latch'>): Latch
  /** What other threads need to use the latch. */
  readonly 'telar:shared': Shared<'Latch'>['telar:shared']
  /** What is left to count down. */
  readonly count: number
  /** Subtracts `by` (default: 1) from the count, never below 0. */
  countDown (by?: number): void
  /** Waits until it is open, without blocking the thread. */
  wait (options?: WaitOptions): Promise<void>
  /** The same as wait(), but blocks the thread. */
  waitSync (options?: WaitOptions): void
  /** Whether it is open. */
  tryWait (): boolean
}

/**
 * Runs a function once, in one of all threads. The other threads wait for its end.
 *
 * @example
 * import { Once } from 'telar'
 * const setUp = new Once()
 * console.log(await setUp.run(() => {})) // true
 * console.log(await setUp.run(() => {})) // false
 */
export class Once {
  /** Creates a Once whose function has not run yet. */
  constructor ()
  /**
   * Returns the Once in this thread, which has one object for each Once.
   *
   * @throws `ERR_TELAR_NOT_SHARED`
   */
  static from (received: Once | Shared<'Once'>): Once
  /** What other threads need to use the Once. */
  readonly 'telar:shared': Shared<'Once'>['telar:shared']
  /** Whether a function has run to its end. If so, everything that it did is visible. */
  readonly isDone: boolean
  /**
   * Returns true if this call ran the function `run`, false if a function had run before. Waits
   * while another call runs its function. What `run` throws is thrown, and the next call tries
   * again. `wasInterrupted` says whether a thread was ended in the middle of an earlier run.
   */
  run (run: (wasInterrupted: boolean) => unknown, options?: WaitOptions): Promise<boolean>
  /**
   * The same as run(), but blocks the thread.
   *
   * @throws `ERR_TELAR_DEADLOCK` if a function of this thread is running
   */
  runSync (run: (wasInterrupted: boolean) => unknown, options?: WaitOptions): boolean
  /** Does not wait: returns false also while another call runs its function. */
  tryRun (run: (wasInterrupted: boolean) => unknown): boolean
}

/**
 * A number that all threads share: of 32 bits, or of 64 bits as a bigint. Sums wrap around.
 * Arguments of another type, or out of range, throw `ERR_TELAR_INVALID_ARGUMENT`.
 *
 * @example
 * import { Counter } from 'telar'
 * const sold = new Counter()
 * console.log(sold.add(999)) // 999
 * console.log(sold.tryAdd(2, { max: 1000 })) // false
 */
export class Counter<T extends number | bigint = number> {
  /** Default of `bits`: 32. Default of `value`: 0. */
  constructor (...options: T extends bigint
    ? [options: { bits: 64, value?: bigint }]
    : [options?: { bits?: 32, value?: number }])
  /**
   * Returns the counter in this thread, which has one object for each counter.
   *
   * @throws `ERR_TELAR_NOT_SHARED`
   */
  static from<T extends number | bigint = number> (
    received: Counter<T> | Shared<'Counter'>
  ): Counter<T>
  /** What other threads need to use the counter. */
  readonly 'telar:shared': Shared<'Counter'>['telar:shared']
  /** The size of the number. */
  readonly bits: T extends bigint ? 64 : 32
  /** The number now. */
  readonly value: T
  /** Adds `amount`. Returns the sum. */
  add (amount: T): T
  /** Adds 1. Returns the sum. */
  increment (): T
  /** Subtracts 1. Returns the difference. */
  decrement (): T
  /**
   * Adds `amount` if the sum is within the limits. Returns false if it is not; nothing is changed
   * then. The default limits are the range of the bits.
   */
  tryAdd (amount: T, limits?: { min?: T, max?: T }): boolean
  /** Writes `value`. Returns the number before. */
  exchange (value: T): T
  /** Writes `value` if the number is `expected`. Returns whether it was. */
  compareExchange (expected: T, value: T): boolean
  /**
   * Returns the first number that it sees for which `test(number)` is true. It may miss numbers in
   * between.
   */
  waitFor (test: (value: T) => unknown, options?: WaitOptions): Promise<T>
  /** The same as waitFor(), but blocks the thread. */
  waitForSync (test: (value: T) => unknown, options?: WaitOptions): T
}

/** The codes of telar's errors. Match on these: messages may change. */
export type TelarErrorCode =
  | 'ERR_TELAR_ABORTED'
  | 'ERR_TELAR_BROADCAST'
  | 'ERR_TELAR_CHANNEL_ABORTED'
  | 'ERR_TELAR_CHANNEL_CLOSED'
  | 'ERR_TELAR_CHANNEL_ENDS'
  | 'ERR_TELAR_CHANNEL_NO_RECEIVER'
  | 'ERR_TELAR_CHANNEL_NO_SENDER'
  | 'ERR_TELAR_CLOSE_TIMEOUT'
  | 'ERR_TELAR_CORRUPT_PAYLOAD'
  | 'ERR_TELAR_CORRUPT_STATE'
  | 'ERR_TELAR_DEADLOCK'
  | 'ERR_TELAR_DISPOSED'
  | 'ERR_TELAR_FILENAME_MISSING'
  | 'ERR_TELAR_INVALID_ARGUMENT'
  | 'ERR_TELAR_LOST_MESSAGE'
  | 'ERR_TELAR_MEMORY_LIMIT'
  | 'ERR_TELAR_MEMORY_LOST'
  | 'ERR_TELAR_NATIVE_LOAD'
  | 'ERR_TELAR_NO_HANDLER'
  | 'ERR_TELAR_NO_QUEUE'
  | 'ERR_TELAR_NO_WORKER_FILE'
  | 'ERR_TELAR_NOT_BYTES'
  | 'ERR_TELAR_NOT_HELD'
  | 'ERR_TELAR_NOT_SHARED'
  | 'ERR_TELAR_OPTION_CONFLICT'
  | 'ERR_TELAR_OTHER_COPY'
  | 'ERR_TELAR_OUTER_NAME'
  | 'ERR_TELAR_OUT_OF_RANGE'
  | 'ERR_TELAR_QUEUE_FULL'
  | 'ERR_TELAR_RECORD_TOO_LARGE'
  | 'ERR_TELAR_TERMINATED'
  | 'ERR_TELAR_TIMEOUT'
  | 'ERR_TELAR_TOO_MANY_THREADS'
  | 'ERR_TELAR_UNKNOWN_OPTION'
  | 'ERR_TELAR_UNREADABLE_VALUE'
  | 'ERR_TELAR_UNSUPPORTED_RUNTIME'
  | 'ERR_TELAR_WORKER_EXITED'

/**
 * Every error that telar creates is an instance of it, including TypeErrors and RangeErrors.
 *
 * @example
 * import { Pool, TelarError } from 'telar'
 * const pool = new Pool()
 * const error = await pool.run(1).catch((error) => error)
 * console.log(error instanceof TelarError, error.code) // true ERR_TELAR_FILENAME_MISSING
 * await pool.close()
 */
export class TelarError extends Error {
  protected constructor ()
  /** The code of the error. */
  readonly code: TelarErrorCode
  /**
   * For errors of sendMany(), sendManySync() and trySendMany(): how many values were sent, or
   * dropped because the channel was full.
   */
  readonly sent?: number
  /** For `ERR_TELAR_TIMEOUT` of run(): whether the task ran or waited for too long. */
  readonly phase?: 'run' | 'queue'
  /**
   * For `ERR_TELAR_TIMEOUT` with the phase `'run'`: where the task was, as the lines of a stack. If
   * none of its JavaScript ran, a line in parentheses says why there is none. Undefined if the task
   * has ended meanwhile, in a pool that belongs to a worker, and if Node was built without the
   * inspector. The rejection waits for it for 0.3 s at most.
   */
  readonly taskStack?: string
  /** For errors of select() and selectSync(): the channel that failed. */
  readonly channel?: Channel
}

/**
 * The task of `broadcast()` failed on some of the workers. It is an AggregateError and an instance
 * of {@link TelarError}.
 */
export interface BroadcastError extends AggregateError {
  /** The code of the error. */
  readonly code: 'ERR_TELAR_BROADCAST'
  /**
   * The results of the workers on which the task did not fail, in the order of the workers;
   * undefined in the places of the others.
   */
  readonly results: any[]
}

/**
 * The signal of a task or of a waiting call fired, or the pool closed before the task started.
 * `cause` is the reason.
 *
 * @example
 * import { AbortError, Mutex } from 'telar'
 * const mutex = new Mutex()
 * const guard = mutex.lockSync()
 * const error = await mutex.lock({ signal: AbortSignal.abort('too late') }).catch((error) => error)
 * console.log(error instanceof AbortError, error.cause) // true too late
 * guard.unlock()
 */
export class AbortError extends TelarError {
  protected constructor ()
  /** The code of the error. */
  readonly code: 'ERR_TELAR_ABORTED'
  /** The reason of the signal. */
  readonly cause: unknown
}
