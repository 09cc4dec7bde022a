// Types of telar. Written by hand; test/types holds them to what they promise,
// test/errors.test.js the list of codes, test/options.test.js the list of options.

import type { EventEmitter } from 'node:events'
import type { MessagePort, ResourceLimits, Worker, WorkerOptions } from 'node:worker_threads'

/** What may be in a transfer list: ArrayBuffer, MessagePort, FileHandle, streams and so on. */
export type TransferList = MessagePort extends {
  postMessage (value: any, transferList: infer L): any
} ? NonNullable<L> extends ReadonlyArray<infer I> ? readonly I[] : never : never

/** An `AbortSignal`, or an emitter of `'abort'`, such as an EventEmitter. */
export type AnyAbortSignal = AbortEventTarget | AbortEventEmitter

export interface AbortEventTarget {
  readonly aborted?: boolean
  readonly reason?: unknown
  addEventListener (type: 'abort', listener: () => void, options?: { once: boolean }): void
  removeEventListener (type: 'abort', listener: () => void): void
}

export interface AbortEventEmitter {
  once (event: 'abort', listener: () => void): unknown
  off (event: 'abort', listener: () => void): unknown
}

/** The key under which an object says what is transferred for it: `Symbol.for('Piscina.transferable')`. */
export const transferableSymbol: unique symbol
/** The key under which an object says what value stands for it on the other side: `Symbol.for('Piscina.valueOf')`. */
export const valueSymbol: unique symbol
/** The key under which a task carries what a custom task queue reads: `Symbol.for('Piscina.queueOptions')`. */
export const queueOptionsSymbol: unique symbol

/** An object that knows how it is transferred. */
export interface Transferable {
  readonly [transferableSymbol]: object
  readonly [valueSymbol]: object
}

/**
 * Marks a value to be transferred instead of copied, when it is a whole task or a
 * whole result. A view stands for its buffer. Primitives come back as they are.
 */
export function move<V> (value: V): V extends object ? V | Transferable : V

/** True in a worker thread that a pool started. */
export const isWorkerThread: boolean

/** In a worker thread of a pool, a copy of the pool's option `workerData`; otherwise undefined. */
export const workerData: any

/** The version of telar. */
export const version: string

/** What a task queue holds. */
export interface QueuedTask {
  /** What the task carries under {@link queueOptionsSymbol}, or null. */
  readonly [queueOptionsSymbol]: object | null
}

/** What a load balancer sees of a task. */
export interface PoolTask extends QueuedTask {
  /** A number that no other task of the process has. */
  readonly taskId: number
  /** The path of the file that exports the function. */
  readonly filename: string
  /** The name of the exported function. */
  readonly name: string
  /** When run() was called, in milliseconds, on the clock of `performance.now()`. */
  readonly created: number
  /** True when run() got a signal. Such a task has a worker to itself. */
  readonly isAbortable: boolean
}

/** What a load balancer, and the events, see of a worker. All of it is live. */
export interface PoolWorker {
  /** The `threadId` of the worker. */
  readonly id: number
  /** The tasks it is running; Infinity while it runs an abortable one. */
  readonly currentUsage: number
  readonly isRunningAbortableTask: boolean
  /** How long its tasks ran; null unless the pool has `workerHistogram`. */
  readonly histogram: HistogramSummary | null
  readonly terminating: boolean
  readonly destroyed: boolean
}

/**
 * Chooses the worker for a task. null or undefined: none now; the task waits, and the pool
 * starts another worker where it may.
 */
export type LoadBalancer = (task: PoolTask, workers: PoolWorker[]) => PoolWorker | null | undefined

/** The order in which waiting tasks run. */
export interface TaskQueue {
  readonly size: number
  /** Takes out the task that runs next; null when there is none. */
  shift (): QueuedTask | null
  /** Takes out a task that was aborted. */
  remove (task: QueuedTask): void
  push (task: QueuedTask): void
  /** Puts a task back in front. Without it the pool keeps that task, as the next one. */
  unshift? (task: QueuedTask): void
}

/** First in, first out; every operation in constant time. The default. */
export class FixedQueue implements TaskQueue {
  get size (): number
  isEmpty (): boolean
  push (task: QueuedTask): void
  unshift (task: QueuedTask): void
  shift (): QueuedTask | null
  /** A task that is not queued is ignored. */
  remove (task: QueuedTask): void
}

/** First in, first out, in a plain array; shift() and remove() are linear in its length. */
export class ArrayTaskQueue implements TaskQueue {
  tasks: QueuedTask[]
  get size (): number
  push (task: QueuedTask): void
  unshift (task: QueuedTask): void
  shift (): QueuedTask | null
  /** A task that is not queued is ignored. */
  remove (task: QueuedTask): void
}

/** Times in milliseconds. `average` is `mean`; `p97_5` is the 97.5th percentile. */
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

export interface PoolHistogram {
  /** From the start of the function to its end; undefined when `recordTiming` is false. */
  readonly runTime: HistogramSummary | undefined
  /** From run() to the start of the function; undefined when `recordTiming` is false. */
  readonly waitTime: HistogramSummary | undefined
  resetRunTime (): void
  resetWaitTime (): void
}

export interface PoolOptions {
  /**
   * The file that exports the task functions: a path (a relative one starts from the working
   * directory), a `file:` or `data:` URL as text, or a URL. It is loaded before a worker is ready.
   * Default: null, then run() has to name one.
   */
  filename?: string | URL | null
  /** The export to call, when the file exports more than one function. Default: `'default'`. */
  name?: string | null
  /** Workers that are kept running: an integer from 0. Default: half the CPUs, at least 1. */
  minThreads?: number
  /** Workers at most: an integer from 1 to 16352. Default: one and a half times the CPUs, rounded down. */
  maxThreads?: number
  /**
   * How long a worker beyond `minThreads` stays idle before it ends, in milliseconds: an integer
   * from 0, or Infinity for ever. Up to half as long again may pass. Default: 0, which means 500.
   */
  idleTimeout?: number
  /**
   * Tasks that may wait: an integer from 0, Infinity, or `'auto'` for `maxThreads` squared.
   * Beyond it run() rejects with `ERR_TELAR_QUEUE_FULL`, or with `ERR_TELAR_NO_QUEUE` where it
   * is 0. Default: Infinity.
   */
  maxQueue?: number | 'auto'
  /** Tasks that one worker runs at a time, for functions that wait: an integer from 1 to 65535. Default: 1. */
  concurrentTasksPerWorker?: number
  /** Kept for Piscina's sake: a worker of telar always turns its event loop. Default: `'sync'`. */
  atomics?: 'sync' | 'async' | 'disabled'
  /** Limits of each worker's JavaScript heap and stack, as in `new Worker()`. */
  resourceLimits?: ResourceLimits
  /** Appended to `process.argv` in the workers. */
  argv?: any[] | null
  /** Flags of Node for the workers. Default: those of the process. */
  execArgv?: string[] | null
  /** The workers' `process.env`, or SHARE_ENV. Default: a copy of this thread's. */
  env?: WorkerOptions['env'] | null
  /** Copied into each worker, which reads it as `workerData`. */
  workerData?: any
  /** The order in which waiting tasks run. Default: a {@link FixedQueue}. */
  taskQueue?: TaskQueue
  /** Lowers the priority of the worker threads, on Linux only: an integer, from 0 except on Windows. Default: 0. */
  niceIncrement?: number
  /** Whether workers close the file descriptors they leave open. Default: true. */
  trackUnmanagedFds?: boolean
  /** How long close() waits for tasks, in milliseconds: an integer from 0, or Infinity. Default: 30000. */
  closeTimeout?: number
  /** Whether the pool keeps the histograms of run and wait times. Default: true. */
  recordTiming?: boolean
  /** Chooses the worker for each task. Default: any free worker takes the oldest task. */
  loadBalancer?: LoadBalancer
  /** Whether each worker has a histogram, for load balancers and events. Default: false. */
  workerHistogram?: boolean
  /** Kept for Piscina's sake: tasks that found no place always go back to the front of the queue. Default: false. */
  stricterFIFO?: boolean
  /**
   * Whether each task is an `AsyncResource`, so that `async_hooks` see it. AsyncLocalStorage
   * needs no such thing. Default: false.
   */
  asyncHooks?: boolean
  /**
   * Memory for the values of tasks in flight, in bytes: an integer from 1 MiB to 1023 MiB.
   * It is reserved; the system provides what is touched. Larger values, and values that find no
   * room, are sent by message. Default: 256 MiB, 16 MiB on 32-bit processors.
   */
  sharedMemory?: number
}

/** The options as the pool uses them: completed, and without a prototype. */
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
}

export interface RunOptions {
  /** Objects to transfer instead of copying them. */
  transferList?: TransferList
  /** The file that exports the function. Default: the pool's. */
  filename?: string | URL | null
  /** The export to call. Default: the pool's. */
  name?: string | null
  /**
   * Aborts the task. Waiting, it leaves the queue; running, its worker is terminated, and (unless
   * a load balancer placed it) the task has that worker to itself. run() rejects with an
   * {@link AbortError} at once.
   */
  signal?: AnyAbortSignal | null
}

export interface CloseOptions {
  /** Whether tasks that still wait are rejected with an {@link AbortError}. Default: false. */
  force?: boolean
}

/** The events of a pool and what their listeners get. */
export interface PoolEvents {
  /** A worker failed while it ran no task, could not start, or close() timed out. */
  error: [error: Error]
  /** After `needsDrain`: there are fewer again. */
  drain: []
  /** As many tasks are in the pool as its workers may run at a time. */
  needsDrain: []
  /** A worker called `parentPort.postMessage(value)`. */
  message: [value: any]
  /** A worker is ready; for those that the constructor started, right after it. */
  workerCreate: [worker: PoolWorker]
  /** A worker left the pool; its thread may still be ending. */
  workerDestroy: [worker: PoolWorker]
  /** close() is done. */
  close: []
}

/**
 * A pool of worker threads.
 *
 * The constructor throws `ERR_TELAR_INVALID_ARGUMENT`, `ERR_TELAR_UNKNOWN_OPTION` (TypeErrors)
 * or `ERR_TELAR_OPTION_CONFLICT` (a RangeError). Methods that return a promise never throw.
 *
 * @typeParam T what a task is
 * @typeParam R what its function returns, or what the promise it returns is fulfilled with
 */
export class Pool<T = any, R = any> extends EventEmitter<PoolEvents> {
  constructor (options?: PoolOptions)

  /**
   * Runs a task in a worker: calls the exported function with a copy of `task`. Settles exactly
   * once: with a copy of the result, with what the function threw, or with an error of telar's.
   */
  run (task: T, options?: RunOptions): Promise<R>

  /**
   * Waits for the tasks, then ends the workers. From the call on, run() rejects with an
   * {@link AbortError}, until it is done; then the pool can be used again. After `closeTimeout` it
   * emits `'error'` and destroys the pool.
   */
  close (options?: CloseOptions): Promise<void>

  /** Ends the workers now. Open tasks reject with `ERR_TELAR_TERMINATED`. The pool can be used again. */
  destroy (): Promise<void>

  /** `using pool = new Pool()`: starts close() at the end of the block, and does not wait for it. */
  [Symbol.dispose] (): void
  /** `await using pool = new Pool()`: close() at the end of the block. */
  [Symbol.asyncDispose] (): Promise<void>

  readonly maxThreads: number
  readonly minThreads: number
  readonly options: FilledPoolOptions
  /** The workers, starting ones too. */
  readonly threads: Worker[]
  /** Ready workers less running tasks, at least 0. */
  readonly idleThreads: number
  /** Tasks that no worker has a place for. */
  readonly queueSize: number
  /** Tasks that are settled, failed and aborted ones too. */
  readonly completed: number
  /** Milliseconds since the pool was made. */
  readonly duration: number
  /** The running time in `histogram` over `duration` × `maxThreads`: 0 to 1. 0 where nothing is recorded. */
  readonly utilization: number
  /** True from the event `'needsDrain'` to the event `'drain'`. */
  readonly needsDrain: boolean
  readonly histogram: PoolHistogram
}

/** The stable codes of telar's errors. Match on these, not on messages. */
export type TelarErrorCode =
  | 'ERR_TELAR_ABORTED'
  | 'ERR_TELAR_CLOSE_TIMEOUT'
  | 'ERR_TELAR_CORRUPT_PAYLOAD'
  | 'ERR_TELAR_CORRUPT_STATE'
  | 'ERR_TELAR_DEADLOCK'
  | 'ERR_TELAR_FILENAME_MISSING'
  | 'ERR_TELAR_INVALID_ARGUMENT'
  | 'ERR_TELAR_LOST_MESSAGE'
  | 'ERR_TELAR_NATIVE_LOAD'
  | 'ERR_TELAR_NO_HANDLER'
  | 'ERR_TELAR_NO_QUEUE'
  | 'ERR_TELAR_NOT_HELD'
  | 'ERR_TELAR_NOT_SHARED'
  | 'ERR_TELAR_OPTION_CONFLICT'
  | 'ERR_TELAR_OUT_OF_RANGE'
  | 'ERR_TELAR_QUEUE_FULL'
  | 'ERR_TELAR_TERMINATED'
  | 'ERR_TELAR_TIMEOUT'
  | 'ERR_TELAR_TOO_MANY_THREADS'
  | 'ERR_TELAR_UNKNOWN_OPTION'
  | 'ERR_TELAR_WORKER_EXITED'

/** Every error that telar makes is an instance, those that are TypeErrors or RangeErrors too. */
export class TelarError extends Error {
  protected constructor ()
  readonly code: TelarErrorCode
}

/** A task or a waiting call was aborted, or the pool closed before the task started. `cause` is the reason. */
export class AbortError extends TelarError {
  protected constructor ()
  readonly code: 'ERR_TELAR_ABORTED'
  readonly cause: unknown
}
