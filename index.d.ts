// Types of telar. Written by hand; test/types holds them to what they promise,
// test/package/errors.test.js the list of codes, test/pool/options.test.js the list of options.

import type { EventEmitter } from 'node:events'
import type { Readable, ReadableOptions, Writable, WritableOptions } from 'node:stream'
import type { ReadableStream, WritableStream } from 'node:stream/web'
import type { MessagePort, ResourceLimits, Worker, WorkerOptions } from 'node:worker_threads'

/** What may be in a transfer list: ArrayBuffer, MessagePort, FileHandle, streams and so on. */
export type TransferList = MessagePort extends {
  postMessage (value: any, transferList: infer L): any
} ? NonNullable<L> extends ReadonlyArray<infer I> ? readonly I[] : never : never

/** An `AbortSignal`, or an emitter of `'abort'`, such as an EventEmitter. */
export type AnyAbortSignal = AbortEventTarget | AbortEventEmitter

/** What is read of an `AbortSignal`. */
export interface AbortEventTarget {
  readonly aborted?: boolean
  readonly reason?: unknown
  addEventListener (type: 'abort', listener: () => void, options?: { once: boolean }): void
  removeEventListener (type: 'abort', listener: () => void): void
}

/** What is called of an emitter of `'abort'`. */
export interface AbortEventEmitter {
  once (event: 'abort', listener: () => void): unknown
  off (event: 'abort', listener: () => void): unknown
}

/**
 * The key under which an object says what is transferred for it:
 * `Symbol.for('Piscina.transferable')`.
 */
export const transferableSymbol: unique symbol
/**
 * The key under which an object says what value stands for it on the other side:
 * `Symbol.for('Piscina.valueOf')`.
 */
export const valueSymbol: unique symbol
/**
 * The key under which a task carries what a custom task queue reads:
 * `Symbol.for('Piscina.queueOptions')`.
 */
export const queueOptionsSymbol: unique symbol

/** An object that knows how it is transferred. */
export interface Transferable {
  readonly [transferableSymbol]: object
  readonly [valueSymbol]: object
}

/**
 * Marks a value to be transferred instead of copied, when it is a whole task or a
 * whole result. A view stands for its buffer. Primitives come back as they are, and so do
 * Buffers in a pool, Node's or the one they were received in: their memory belongs to
 * others too, so they are copied. A Buffer arrives as a Buffer either way.
 *
 * @throws `ERR_TELAR_INVALID_ARGUMENT` for what cannot be transferred: a plain object, shared memory. Not in
 * `telar/piscina`, where the task rejects when it is sent.
 *
 * @example
 * // The function of a task: its result is not copied on its way back.
 * import { move } from 'telar'
 * export default (pixels) => move(pixels.map((value) => 255 - value))
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

/**
 * First in, first out; every operation in constant time. The default.
 *
 * @example
 * import { FixedQueue, Pool } from 'telar'
 * const taskQueue = new FixedQueue()
 * const pool = new Pool({ filename: new URL('./worker.js', import.meta.url), taskQueue })
 * console.log(taskQueue.isEmpty()) // true
 * await pool.close()
 */
export class FixedQueue implements TaskQueue {
  /** Tasks in the queue. */
  get size (): number
  /** Whether no task is in the queue. */
  isEmpty (): boolean
  /** Adds a task at the end. */
  push (task: QueuedTask): void
  /** Puts a task back in front. */
  unshift (task: QueuedTask): void
  /** Takes out the task in front; null when there is none. */
  shift (): QueuedTask | null
  /** A task that is not queued is ignored. */
  remove (task: QueuedTask): void
}

/**
 * First in, first out, in a plain array; shift() and remove() are linear in its length. A queue
 * with another order extends it.
 *
 * @example
 * import { ArrayTaskQueue } from 'telar'
 * class LastInFirstOut extends ArrayTaskQueue {
 *   push (task) { this.tasks.unshift(task) }
 * }
 * console.log(new LastInFirstOut().size) // 0
 */
export class ArrayTaskQueue implements TaskQueue {
  /** The tasks, the next one first. */
  tasks: QueuedTask[]
  /** Tasks in the queue. */
  get size (): number
  /** Adds a task at the end. */
  push (task: QueuedTask): void
  /** Puts a task back in front. */
  unshift (task: QueuedTask): void
  /** Takes out the task in front; null when there is none. */
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

/** The histograms of a pool, read when a property is read. */
export interface PoolHistogram {
  /** From the start of the function to its end; undefined when `recordTiming` is false. */
  readonly runTime: HistogramSummary | undefined
  /** From run() to the start of the function; undefined when `recordTiming` is false. */
  readonly waitTime: HistogramSummary | undefined
  /** Forgets the run times so far. */
  resetRunTime (): void
  /** Forgets the wait times so far. */
  resetWaitTime (): void
}

/** The options of a {@link Pool}. */
export interface PoolOptions {
  /**
   * The file that exports the task functions: a path (a relative one starts from the working
   * directory), a `file:` or `data:` URL as text, or a URL. CommonJS is loaded with require(), ES
   * modules and URLs with import() and the loaders that are registered, before a worker is ready.
   * A `file:` URL with a query or a fragment is a module of its own, and stays a URL in
   * `options.filename`. Default: null, then run() has to name one.
   */
  filename?: string | URL | null
  /** The export to call, when the file exports more than one function. Default: `'default'`. */
  name?: string | null
  /** Workers that are kept running: an integer from 0. Default: half the CPUs, at least 1. */
  minThreads?: number
  /**
   * Workers at most: an integer from 1 to 16352. Default: one and a half times the CPUs, rounded
   * down. CPUs are those that affinity and the quota of the control group leave, rounded down.
   */
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
  /**
   * Tasks that one worker runs at a time, for functions that wait: an integer from 1 to 65535.
   * Default: 1.
   */
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
  /**
   * Lowers the priority of the worker threads, on Linux only: an integer, from 0 except on Windows.
   * Default: 0.
   */
  niceIncrement?: number
  /** Whether workers close the file descriptors they leave open. Default: true. */
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
   * Kept for Piscina's sake: tasks that found no place always go back to the front of the queue.
   * Default: false.
   */
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

/** The options of `run()`. */
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

/** The options of `close()`. */
export interface CloseOptions {
  /** Whether tasks that still wait are rejected with an {@link AbortError}. Default: false. */
  force?: boolean
}

/** The events of a pool and what their listeners get. */
export interface PoolEvents {
  /**
   * A worker failed while it ran no task, could not start and no task was there to tell, or
   * close() timed out.
   */
  error: [error: Error]
  /** After `needsDrain`: there are fewer again. */
  drain: []
  /** As many tasks are in the pool as its workers may run at a time. */
  needsDrain: []
  /** A worker called `parentPort.postMessage(value)`. */
  message: [value: any]
  /**
   * A worker is ready (those that the constructor started: right after it), or ends before it
   * was. Once for each worker, before its `workerDestroy`.
   */
  workerCreate: [worker: PoolWorker]
  /** A worker left the pool; its thread may still be ending. */
  workerDestroy: [worker: PoolWorker]
  /** close() is done. */
  close: []
}

/**
 * A pool of worker threads. It belongs to the thread that made it. Methods that return a promise
 * never throw: they reject.
 *
 * @typeParam T what a task is
 * @typeParam R what its function returns, or what the promise it returns is fulfilled with
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
   * Runs a task in a worker: calls the exported function with a copy of `task`. Settles exactly
   * once: with a copy of the result, or rejected.
   *
   * @throws (rejects with) what the function threw, a copy of it
   * @throws `ERR_TELAR_ABORTED`: its signal fired, or the pool is closing
   * @throws `ERR_TELAR_QUEUE_FULL`, `ERR_TELAR_NO_QUEUE`: see `maxQueue`
   * @throws `ERR_TELAR_TERMINATED`, `ERR_TELAR_WORKER_EXITED`: its worker ended
   * @throws `ERR_TELAR_FILENAME_MISSING`, `ERR_TELAR_NO_HANDLER`, or what loading the file threw
   * @throws `ERR_TELAR_INVALID_ARGUMENT`, `ERR_TELAR_UNKNOWN_OPTION`
   * @throws the platform's DataCloneError: the task or its result cannot be copied
   */
  run (task: T, options?: RunOptions): Promise<R>

  /**
   * Waits for the tasks, then ends the workers. From the call on, run() rejects with an
   * {@link AbortError}, until it is done; then the pool can be used again. Another call joins the
   * first. After `closeTimeout` it emits `'error'` and destroys the pool.
   *
   * @throws (rejects with) `ERR_TELAR_INVALID_ARGUMENT`, `ERR_TELAR_UNKNOWN_OPTION`
   */
  close (options?: CloseOptions): Promise<void>

  /**
   * Ends the workers now. Open tasks reject with `ERR_TELAR_TERMINATED`. The pool can be used
   * again.
   */
  destroy (): Promise<void>

  /**
   * `using pool = new Pool()`: starts close() at the end of the block, and does not wait for it.
   */
  [Symbol.dispose] (): void
  /** `await using pool = new Pool()`: close() at the end of the block. */
  [Symbol.asyncDispose] (): Promise<void>

  /** Workers at most. */
  readonly maxThreads: number
  /** Workers that are kept running. */
  readonly minThreads: number
  /** The options, completed with their defaults. */
  readonly options: FilledPoolOptions
  /** The workers, starting ones too. */
  readonly threads: Worker[]
  /** Ready workers less running tasks, at least 0. */
  readonly idleThreads: number
  /** Tasks that no worker has a place for, not even one that is starting. */
  readonly queueSize: number
  /** Tasks that are settled, failed and aborted ones too. */
  readonly completed: number
  /** Milliseconds since the pool was made. */
  readonly duration: number
  /**
   * The running time in `histogram` over `duration` × `maxThreads`: 0 to 1. 0 where nothing is
   * recorded.
   */
  readonly utilization: number
  /** True from the event `'needsDrain'` to the event `'drain'`. */
  readonly needsDrain: boolean
  /** How long tasks ran and waited. */
  readonly histogram: PoolHistogram
}

// ---- between threads ----

/**
 * What arrives of a shared object in another thread, where the platform's clone strips its class:
 * by `workerData`, `postMessage()` or `setEnvironmentData()`. `Class.from()` makes the object of
 * it.
 */
export interface Shared<Kind extends string> {
  /** What the object is made of in each thread. */
  readonly 'telar:shared': {
    readonly kind: Kind
    /** Of this property: another number is another version's. */
    readonly format: number
    /** The native library of the copy of telar that made the object: another one refuses it. */
    readonly library: bigint
    /** No two objects of the process have the same. */
    readonly id: bigint
    readonly memory: SharedArrayBuffer
  }
}

/** The options of a {@link Channel}. */
export interface ChannelOptions {
  /**
   * Room for records in bytes: an integer from 4096 to 2^30, rounded up to a power of two. A record
   * is a value, encoded, and has at most half of it. The memory is one and a half times as much,
   * and never grows. Default: 2^20.
   */
  capacity?: number
  /**
   * `'one'`: a single thread sends at a time. It is the first that does, until it ends or calls
   * `detach()`; others get `ERR_TELAR_CHANNEL_ENDS`. Default: `'many'`.
   */
  producers?: 'one' | 'many'
  /** As `producers`, for the thread that receives. Default: `'many'`. */
  consumers?: 'one' | 'many'
}

/** For the calls of a {@link Channel} that return a promise: as for every call that waits. */
export type ChannelSignalOptions = WaitOptions

/** For the calls of a {@link Channel} that block the thread: as for every call that waits. */
export type ChannelTimeoutOptions = WaitOptions

/**
 * What an iterator gives. `done`: the channel is closed, and all that was sent has been received.
 */
export type ReceiveResult<T> =
  | { readonly value: T, readonly done: false }
  | { readonly value: undefined, readonly done: true }

/** For `for await`. Each step is a `receive()`; leaving the loop leaves the channel as it is. */
export interface ChannelIterator<T> {
  /** As `receive()`. */
  next (): Promise<ReceiveResult<T>>
  /** Ends this iterator only. */
  return (): Promise<{ value: undefined, done: true }>
  [Symbol.asyncIterator] (): ChannelIterator<T>
}

/**
 * Figures of a {@link Channel}, of all threads. Each is recent; they are not all of one instant.
 */
export interface ChannelStats {
  /** Records sent, ever. */
  readonly sent: number
  /** Their bytes, encoded. */
  readonly sentBytes: number
  /**
   * Records received, ever: `receiveBytes()` counts when it resolves, not when they are given back.
   */
  readonly received: number
  /** Their bytes, encoded. */
  readonly receivedBytes: number
  /** Records that are there now. */
  readonly size: number
  /** Their bytes, encoded. */
  readonly sizeBytes: number
  /** Bytes of the capacity that are taken now, by records, padding, reservations and claims. */
  readonly used: number
}

/**
 * Room in a channel, to be written in place: one record of bytes. It belongs to its thread. What is
 * sent behind it, by any thread, waits for it to be committed or discarded; it is discarded when
 * its thread ends.
 */
export interface ChannelReservation extends Disposable {
  /**
   * The room, over the channel's own memory: its bytes are whatever was there. Not to be used after
   * commit() or discard(), when other records lie there.
   *
   * @throws `ERR_TELAR_DISPOSED` then
   */
  readonly bytes: Uint8Array
  /**
   * Sends the first `used` bytes (default: all). Works after `close()`, too.
   *
   * @throws `ERR_TELAR_INVALID_ARGUMENT`
   * @throws `ERR_TELAR_DISPOSED`: it was called before, or the channel was detached
   * @throws `ERR_TELAR_CHANNEL_ABORTED`
   */
  commit (used?: number): void
  /** Sends nothing, and gives the room back. Nothing happens after commit() or discard(). */
  discard (): void
  /** As discard(). */
  [Symbol.dispose] (): void
}

/**
 * A record of bytes, to be read in place. It belongs to its thread; its room is given back when
 * that ends.
 */
export interface ChannelClaim extends Disposable {
  /**
   * The record, over the channel's own memory. Not to be used after release(). @throws
   * `ERR_TELAR_DISPOSED` then
   */
  readonly bytes: Uint8Array
  /** Gives the room back. Claims are released in any order; a second time, nothing happens. */
  release (): void
  /** As release(). */
  [Symbol.dispose] (): void
}

/** Of `readable()`: as in Node's `Readable`. */
export interface ChannelReadableOptions
  extends Pick<ReadableOptions, 'objectMode' | 'highWaterMark' | 'signal'> {}

/** Of `writable()`: as in Node's `Writable`, and `end`. */
export interface ChannelWritableOptions
  extends Pick<WritableOptions, 'objectMode' | 'highWaterMark' | 'signal'>,
  ChannelWritableStreamOptions {}

/** Of `writableStream()`. */
export interface ChannelWritableStreamOptions {
  /** Whether the end of the stream closes the channel, and its failure aborts it. Default: true. */
  end?: boolean
}

/**
 * A queue of bounded size between any number of threads: what one sends, another one receives,
 * once. The values of one sender come in their order. When it is full, senders wait.
 *
 * A thread has one object for each channel, and many calls of it may wait at a time: they are
 * served in the order in which they were made. A call that waits keeps the thread, and the process,
 * alive; see `unref()`.
 *
 * Calls that wait take a timeout and a signal, see {@link WaitOptions}: those that return a promise,
 * and those that block the thread (`…Sync()`, on the main thread too). `try…()` does not wait. A call
 * that gives up has done nothing (but see `sendMany()`). Besides what is said at each, all of them
 * may fail with `ERR_TELAR_CHANNEL_ABORTED`, `ERR_TELAR_CHANNEL_ENDS` (256 threads use the channel
 * already, or another one is the only producer or consumer), `ERR_TELAR_INVALID_ARGUMENT`,
 * `ERR_TELAR_UNKNOWN_OPTION` and `ERR_TELAR_CORRUPT_STATE`.
 *
 * Sending fails with `ERR_TELAR_CHANNEL_CLOSED` after `close()`, with a `DataCloneError` or what an
 * accessor throws for values that cannot be copied, with `ERR_TELAR_RECORD_TOO_LARGE` for those of
 * more than `maxRecord` bytes, and, where it would wait, with `ERR_TELAR_CHANNEL_NO_RECEIVER` when
 * all threads that have received have ended or detached, and none has the channel by `from()` and
 * has not used it yet.
 *
 * Receiving fails, where it would wait, with `ERR_TELAR_CHANNEL_NO_SENDER` when all threads that
 * have sent have ended or detached without `close()`, and none has the channel by `from()` and has
 * not used it yet; with `ERR_TELAR_MEMORY_LOST` where a record names shared memory that no thread
 * knows any more; and with `ERR_TELAR_CORRUPT_PAYLOAD` where something else wrote to the memory.
 * The record is lost with the latter two.
 *
 * @example
 * import { Channel } from 'telar'
 * const channel = new Channel() // in workerData, a task or a message it reaches other threads
 * await channel.sendMany([1, 2, 3])
 * await channel.close()
 * let sum = 0
 * for await (const value of channel) sum += value
 * console.log(sum) // 6
 */
export class Channel<T = any> {
  /**
   * @throws a TypeError with `ERR_TELAR_INVALID_ARGUMENT` or `ERR_TELAR_UNKNOWN_OPTION`
   * @throws a RangeError where the memory cannot be allocated
   */
  constructor (options?: ChannelOptions)
  /**
   * The channel in this thread, which counts for both sides from now on, until it has sent or
   * received, ends, or detaches.
   *
   * @throws `ERR_TELAR_NOT_SHARED`
   */
  static from<T = any> (received: Channel<T> | Shared<'Channel'>): Channel<T>
  /** What other threads need of it. */
  readonly 'telar:shared': Shared<'Channel'>['telar:shared']

  /**
   * Resolves as soon as the value is in the channel, which is not when it is received. The value is
   * copied in the call, with the rules of structured clone.
   */
  send (value: T, options?: WaitOptions): Promise<void>
  /** False: there is no room now, or calls of this thread wait for some. */
  trySend (value: T): boolean
  /** Blocks the thread while the channel is full. */
  sendSync (value: T, options?: WaitOptions): void

  /**
   * Sends each of the values; there may be more than the channel holds. They are copied as there is
   * room: do not change them before it is done. An error's `sent` is how many have been sent.
   */
  sendMany (values: readonly T[], options?: WaitOptions): Promise<void>
  /** Sends as many as there is room for now, and returns how many. */
  trySendMany (values: readonly T[]): number
  /** Blocks the thread until all are sent. */
  sendManySync (values: readonly T[], options?: WaitOptions): void

  /**
   * Sends bytes as they are, to be read in place by `receiveBytes()`, or copied by `receive()`: at
   * most `maxRecord - 8` of them. They are copied as soon as there is room: do not change or
   * transfer them before it is done.
   */
  sendBytes (bytes: Uint8Array, options?: WaitOptions): Promise<void>
  /** False: there is no room now, or calls of this thread wait for some. */
  trySendBytes (bytes: Uint8Array): boolean
  /** Blocks the thread while the channel is full. */
  sendBytesSync (bytes: Uint8Array, options?: WaitOptions): void

  /**
   * Room for a record of `length` bytes, an integer from 1 to `maxRecord - 8`, to be written in
   * place. A thread has at most 16 open at a time: `ERR_TELAR_CHANNEL_ENDS`.
   */
  reserve (length: number, options?: WaitOptions): Promise<ChannelReservation>
  /** null: there is no room now, or calls of this thread wait for some. */
  tryReserve (length: number): ChannelReservation | null
  /** Blocks the thread while there is no room. */
  reserveSync (length: number, options?: WaitOptions): ChannelReservation

  /**
   * The next value. Bytes of `sendBytes()` and `reserve()` come as a Uint8Array with a copy of
   * them.
   */
  receive (options?: WaitOptions): Promise<ReceiveResult<T>>
  /** undefined: nothing is there now. */
  tryReceive (): ReceiveResult<T> | undefined
  /** Blocks the thread while the channel is empty. */
  receiveSync (options?: WaitOptions): ReceiveResult<T>

  /**
   * Waits for a value, and gives it with those that are there behind it: at most `max` (an integer
   * from 1), 1024 and some 32 KiB of them, and fewer where the ring's end comes between them. `[]`:
   * the channel is closed and empty.
   */
  receiveMany (max: number, options?: WaitOptions): Promise<T[]>
  /** undefined: nothing is there now. */
  tryReceiveMany (max: number): T[] | undefined
  /** Blocks the thread while the channel is empty. */
  receiveManySync (max: number, options?: WaitOptions): T[]

  /**
   * The next record, where it was sent by `sendBytes()` or `reserve()`, to be read in place. null:
   * the channel is closed and empty. For a value of `send()` it fails with `ERR_TELAR_NOT_BYTES`,
   * and the next `receive()` of this thread gets it. A thread has at most 16 open at a time:
   * `ERR_TELAR_CHANNEL_ENDS`.
   */
  receiveBytes (options?: WaitOptions): Promise<ChannelClaim | null>
  /** undefined: nothing is there now. */
  tryReceiveBytes (): ChannelClaim | null | undefined
  /** Blocks the thread while the channel is empty. */
  receiveBytesSync (options?: WaitOptions): ChannelClaim | null

  /** Ends when the channel is closed and empty. */
  [Symbol.asyncIterator] (): ChannelIterator<T>

  /**
   * A Node stream of what is received; of bytes and strings, without `objectMode`. It reads up to
   * 16 values ahead, which are lost when it is destroyed. A null fails it with
   * `ERR_TELAR_INVALID_ARGUMENT`.
   */
  readable (options?: ChannelReadableOptions): Readable
  /** A Node stream whose chunks are sent. */
  writable (options?: ChannelWritableOptions): Writable
  /** A web stream of what is received. It reads nothing ahead. */
  readableStream (): ReadableStream<T>
  /** A web stream whose chunks are sent. */
  writableStream (options?: ChannelWritableStreamOptions): WritableStream<T>

  /**
   * No more is sent, by any thread; what is there can be received, then receivers get their end.
   * Waits for what this thread is sending; what waits in others rejects. Does nothing the second
   * time. The promise does not wait for receivers. A timeout and a signal end the wait, not the
   * closing.
   */
  close (options?: WaitOptions): Promise<void>
  /**
   * Both sides fail at once, in all threads, with `ERR_TELAR_CHANNEL_ABORTED`; what is there is
   * lost. Their `cause` is a copy of `reason`, or of its text where it is larger than 4080 bytes,
   * an instance of a class of yours, or cannot be cloned. The first reason counts.
   */
  abort (reason?: unknown): void
  /**
   * This thread uses the channel no more, and does not count any longer: its calls that wait reject
   * with an {@link AbortError}, what it has open is given back. The next call begins anew.
   */
  detach (): void

  /** The opposite of unref(), and the default. */
  ref (): this
  /** What waits in this thread keeps it alive no more. */
  unref (): this

  /** Whether nothing can be sent any more: close() or abort() has been called, by any thread. */
  readonly closed: boolean
  /** Bytes: a power of two. */
  readonly capacity: number
  /** Bytes of the largest record, encoded: half the capacity. */
  readonly maxRecord: number
  /** Records that are there now. */
  readonly size: number
  /** Figures of all threads. */
  readonly stats: ChannelStats
}

/** How long a waiting call waits. */
export interface WaitOptions {
  /**
   * Milliseconds: a number from 0, or Infinity. When they are over, the call fails with
   * `ERR_TELAR_TIMEOUT`, unless it says otherwise. Default: Infinity.
   */
  timeout?: number
  /**
   * Ends the wait with an {@link AbortError}. A synchronous call sees only whether it is aborted
   * already: while it waits, nothing in its thread can abort it.
   */
  signal?: AnyAbortSignal | null
}

/** As for `Atomics.wait()`; `'ok'` also when the number changed without a wake-up. */
export type WaitResult = 'ok' | 'not-equal' | 'timed-out'

/**
 * Waits while `array[index]` is `expected`, until {@link notify}: `Atomics.wait()` with a short
 * spin before the sleep, on any thread. A bare number is a timeout in milliseconds. It may return
 * for no reason: look at the number again.
 */
export function wait (
  array: Int32Array, index: number, expected: number, options?: number | WaitOptions
): WaitResult
export function wait (
  array: BigInt64Array, index: number, expected: bigint, options?: number | WaitOptions
): WaitResult

/**
 * The same without blocking the thread. The promise keeps the process alive, and rejects where
 * {@link wait} throws. With a signal, a wake-up that does not follow a change of the number may be
 * missed.
 */
export function waitAsync (
  array: Int32Array, index: number, expected: number, options?: number | WaitOptions
): Promise<WaitResult>
export function waitAsync (
  array: BigInt64Array, index: number, expected: bigint, options?: number | WaitOptions
): Promise<WaitResult>

/**
 * Wakes up to `count` (default: all) that wait at `array[index]`, the longest waiting first.
 * Returns how many.
 */
export function notify (array: Int32Array | BigInt64Array, index: number, count?: number): number

/** What holds a lock: to be unlocked once, by hand or by `using`. It belongs to its thread. */
export interface Guard extends Disposable {
  /** Whether it has not been unlocked. */
  readonly isHeld: boolean
  /**
   * True when a thread was ended while it had the lock for writing, and nobody has called
   * `markConsistent()` since: the data may be half written.
   */
  readonly isInconsistent: boolean
  /** @throws `ERR_TELAR_NOT_HELD` the second time */
  unlock (): void
  /** As unlock(), except that it does nothing when it is not held. */
  [Symbol.dispose] (): void
}

/** Holds a lock alone. */
export interface ExclusiveGuard extends Guard {
  /**
   * The data is in order: the next owners find `isInconsistent` false. @throws `ERR_TELAR_NOT_HELD`
   */
  markConsistent (): void
}

/**
 * One owner at a time, among all threads and all tasks in them.
 *
 * No waiter starves: one that has waited for a millisecond reserves the lock, the oldest first.
 * When a thread is ended, what it held goes to the next owner, whose guard says `isInconsistent`.
 *
 * Every call of this class and of those below may throw `ERR_TELAR_CORRUPT_STATE`, and every one
 * that waits `ERR_TELAR_TIMEOUT`, `ERR_TELAR_ABORTED`, `ERR_TELAR_INVALID_ARGUMENT` or
 * `ERR_TELAR_UNKNOWN_OPTION`. Promises reject with what is thrown elsewhere.
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
  /** Unlocked. */
  constructor ()
  /** In a thread there is one object for each. @throws `ERR_TELAR_NOT_SHARED` */
  static from (received: Mutex | Shared<'Mutex'>): Mutex
  /** What other threads need of it. */
  readonly 'telar:shared': Shared<'Mutex'>['telar:shared']
  /** Whether anybody has it now. */
  readonly isLocked: boolean
  /**
   * Waits without blocking the thread. A task that already has the lock waits for itself for ever:
   * tasks of one thread cannot be told apart.
   */
  lock (options?: WaitOptions): Promise<ExclusiveGuard>
  /** Blocks the thread. @throws `ERR_TELAR_DEADLOCK` when this thread has the lock */
  lockSync (options?: WaitOptions): ExclusiveGuard
  /** null: somebody has it, or it is reserved for one who waits. */
  tryLock (): ExclusiveGuard | null
  /** Unlocks what a task of this thread holds. @throws `ERR_TELAR_NOT_HELD` where none does */
  unlock (): void
}

/**
 * Many readers or one writer.
 *
 * Readers of different threads do not slow each other down. No stream of readers keeps a writer
 * out, and no stream of writers a reader. When a thread is ended, its reads count no more; the next
 * owner after a writer finds `isInconsistent`.
 *
 * @example
 * import { RwLock } from 'telar'
 * const lock = new RwLock()
 * const readers = [await lock.read(), await lock.read()]
 * console.log(lock.tryWrite()) // null
 * for (const reader of readers) reader.unlock()
 */
export class RwLock {
  /** Unlocked. */
  constructor ()
  /** In a thread there is one object for each. @throws `ERR_TELAR_NOT_SHARED` */
  static from (received: RwLock | Shared<'RwLock'>): RwLock
  /** What other threads need of it. */
  readonly 'telar:shared': Shared<'RwLock'>['telar:shared']
  /**
   * @throws `ERR_TELAR_TOO_MANY_THREADS` when 256 other living threads have read under this lock
   */
  read (options?: WaitOptions): Promise<Guard>
  /** Blocks the thread. @throws `ERR_TELAR_DEADLOCK` when this thread writes */
  readSync (options?: WaitOptions): Guard
  /** null: somebody writes, or is about to. */
  tryRead (): Guard | null
  /** Waits without blocking the thread. */
  write (options?: WaitOptions): Promise<ExclusiveGuard>
  /** Blocks the thread. @throws `ERR_TELAR_DEADLOCK` when this thread reads or writes */
  writeSync (options?: WaitOptions): ExclusiveGuard
  /** null: somebody reads or writes. */
  tryWrite (): ExclusiveGuard | null
}

/** A permit of a {@link Semaphore}, to be released once. */
export interface Permit extends Disposable {
  /** Whether it has not been released. */
  readonly isHeld: boolean
  /** @throws `ERR_TELAR_NOT_HELD` the second time */
  release (): void
  /** As release(), except that it does nothing when it is not held. */
  [Symbol.dispose] (): void
}

/**
 * A number of permits. No waiter starves, as with Mutex. Permits have no owner: those of a thread
 * that is ended are lost.
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
   * @param permits free at first: an integer from 0 to `max`. Default: 1.
   * @param max an integer from 1 to 2^30 - 1, the default.
   */
  constructor (permits?: number, max?: number)
  /** In a thread there is one object for each. @throws `ERR_TELAR_NOT_SHARED` */
  static from (received: Semaphore | Shared<'Semaphore'>): Semaphore
  /** What other threads need of it. */
  readonly 'telar:shared': Shared<'Semaphore'>['telar:shared']
  /** Free permits. */
  readonly available: number
  /** Permits at most. */
  readonly max: number
  /** Waits for a permit without blocking the thread. */
  acquire (options?: WaitOptions): Promise<Permit>
  /** Blocks the thread until there is a permit. */
  acquireSync (options?: WaitOptions): Permit
  /** null: none is free, or a free one is reserved for one who waits. */
  tryAcquire (): Permit | null
  /**
   * Adds `count` permits (default: 1), whether or not they were acquired: a semaphore can be a
   * signal.
   *
   * @throws `ERR_TELAR_OUT_OF_RANGE` above the maximum, and changes nothing then
   */
  release (count?: number): void
}

/**
 * Waiting, with a {@link Mutex}, until something is said to have changed.
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
  /** Without waiters. */
  constructor ()
  /** In a thread there is one object for each. @throws `ERR_TELAR_NOT_SHARED` */
  static from (received: Condition | Shared<'Condition'>): Condition
  /** What other threads need of it. */
  readonly 'telar:shared': Shared<'Condition'>['telar:shared']
  /**
   * Unlocks, waits, locks again. True when notified, false when the time is over; whatever happens,
   * an abort too, the guard holds the mutex afterwards, which may take longer than the timeout. It
   * may return true for no reason: look at the data again, or use waitFor().
   *
   * @throws `ERR_TELAR_NOT_HELD`
   */
  wait (guard: ExclusiveGuard, options?: WaitOptions): Promise<boolean>
  /** As wait(). Blocks the thread. */
  waitSync (guard: ExclusiveGuard, options?: WaitOptions): boolean
  /**
   * Waits until `test()`, called with the mutex held, is true. False when the time is over and it
   * is not.
   */
  waitFor (guard: ExclusiveGuard, test: () => unknown, options?: WaitOptions): Promise<boolean>
  /** As waitFor(). Blocks the thread. */
  waitForSync (guard: ExclusiveGuard, test: () => unknown, options?: WaitOptions): boolean
  /** Wakes one that waits, at least. Best called with the mutex held. */
  notifyOne (): void
  /** Wakes all that wait. */
  notifyAll (): void
}

/**
 * Lets a fixed number of parties go on together, again and again.
 *
 * @example
 * import { Barrier } from 'telar'
 * const barrier = new Barrier(2) // as a rule, one party in each of two threads
 * const passed = await Promise.all([barrier.wait(), barrier.wait()])
 * console.log(passed.filter(Boolean).length) // 1
 */
export class Barrier {
  /** @param parties an integer from 1 to 16383 */
  constructor (parties: number)
  /** In a thread there is one object for each. @throws `ERR_TELAR_NOT_SHARED` */
  static from (received: Barrier | Shared<'Barrier'>): Barrier
  /** What other threads need of it. */
  readonly 'telar:shared': Shared<'Barrier'>['telar:shared']
  /** How many go on together. */
  readonly parties: number
  /** How many wait now. */
  readonly waiting: number
  /**
   * Arrives, and waits until all have. True for exactly one of them, the last one. Who gives up has
   * not arrived; a call that was counted passes, whatever its timeout or signal. Who is ended while
   * it waits has arrived.
   */
  wait (options?: WaitOptions): Promise<boolean>
  /** As wait(). Blocks the thread. */
  waitSync (options?: WaitOptions): boolean
  /** Arrives only if it is the last one: true, and all go on. Else false. */
  tryWait (): boolean
}

/**
 * Opens when it was counted down to 0, and stays open.
 *
 * @example
 * import { Latch } from 'telar'
 * const ready = new Latch(1)
 * setImmediate(() => ready.countDown())
 * await ready.wait()
 * console.log(ready.count) // 0
 */
export class Latch {
  /** @param count an integer from 0 to 2^31 - 1 */
  constructor (count: number)
  /** In a thread there is one object for each. @throws `ERR_TELAR_NOT_SHARED` */
  static from (received: Latch | Shared<'Latch'>): Latch
  /** What other threads need of it. */
  readonly 'telar:shared': Shared<'Latch'>['telar:shared']
  /** How much is left to count down. */
  readonly count: number
  /** Subtracts `by` (default: 1); never below 0. */
  countDown (by?: number): void
  /** Waits until it is open, without blocking the thread. */
  wait (options?: WaitOptions): Promise<void>
  /** As wait(). Blocks the thread. */
  waitSync (options?: WaitOptions): void
  /** Whether it is open. */
  tryWait (): boolean
}

/**
 * One function, run one time among all threads.
 *
 * @example
 * import { Once } from 'telar'
 * const setUp = new Once()
 * console.log(await setUp.run(() => {})) // true
 * console.log(await setUp.run(() => {})) // false
 */
export class Once {
  /** Nothing has run yet. */
  constructor ()
  /** In a thread there is one object for each. @throws `ERR_TELAR_NOT_SHARED` */
  static from (received: Once | Shared<'Once'>): Once
  /** What other threads need of it. */
  readonly 'telar:shared': Shared<'Once'>['telar:shared']
  /** Whether a function has run to its end. What it did before is visible then. */
  readonly isDone: boolean
  /**
   * True when this call ran `run`, false when it was done before; waits while another is at it.
   * What `run` throws is thrown, and leaves it to the next call. `wasInterrupted`: a thread was
   * ended in the middle of an earlier run.
   */
  run (run: (wasInterrupted: boolean) => unknown, options?: WaitOptions): Promise<boolean>
  /** @throws `ERR_TELAR_DEADLOCK` when a function of this thread is running */
  runSync (run: (wasInterrupted: boolean) => unknown, options?: WaitOptions): boolean
  /** Does not wait: false also when another is at it. */
  tryRun (run: (wasInterrupted: boolean) => unknown): boolean
}

/**
 * A number that all threads see: of 32 bits, or of 64 as a bigint. Sums wrap around.
 * Arguments that do not fit throw `ERR_TELAR_INVALID_ARGUMENT`.
 *
 * @example
 * import { Counter } from 'telar'
 * const sold = new Counter()
 * console.log(sold.add(999)) // 999
 * console.log(sold.tryAdd(2, { max: 1000 })) // false
 */
export class Counter<T extends number | bigint = number> {
  /** `bits` default: 32; `value` default: 0. */
  constructor (...options: T extends bigint
    ? [options: { bits: 64, value?: bigint }]
    : [options?: { bits?: 32, value?: number }])
  /** In a thread there is one object for each. @throws `ERR_TELAR_NOT_SHARED` */
  static from<T extends number | bigint = number> (
    received: Counter<T> | Shared<'Counter'>
  ): Counter<T>
  /** What other threads need of it. */
  readonly 'telar:shared': Shared<'Counter'>['telar:shared']
  /** Its size. */
  readonly bits: T extends bigint ? 64 : 32
  /** The number now. */
  readonly value: T
  /** Returns the sum. */
  add (amount: T): T
  /** Adds 1. Returns the sum. */
  increment (): T
  /** Subtracts 1. Returns the difference. */
  decrement (): T
  /**
   * Adds only if the sum lies within the limits; false: nothing has changed. Default: the range of
   * the bits.
   */
  tryAdd (amount: T, limits?: { min?: T, max?: T }): boolean
  /** Returns the number before. */
  exchange (value: T): T
  /** Writes `value` if the number is `expected`; false: it is not. */
  compareExchange (expected: T, value: T): boolean
  /** The first number seen for which `test(number)` is true; numbers in between may pass unseen. */
  waitFor (test: (value: T) => unknown, options?: WaitOptions): Promise<T>
  /** As waitFor(). Blocks the thread. */
  waitForSync (test: (value: T) => unknown, options?: WaitOptions): T
}

/** The stable codes of telar's errors. Match on these, not on messages. */
export type TelarErrorCode =
  | 'ERR_TELAR_ABORTED'
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
  | 'ERR_TELAR_MEMORY_LOST'
  | 'ERR_TELAR_NATIVE_LOAD'
  | 'ERR_TELAR_NO_HANDLER'
  | 'ERR_TELAR_NO_QUEUE'
  | 'ERR_TELAR_NOT_BYTES'
  | 'ERR_TELAR_NOT_HELD'
  | 'ERR_TELAR_NOT_SHARED'
  | 'ERR_TELAR_OPTION_CONFLICT'
  | 'ERR_TELAR_OTHER_COPY'
  | 'ERR_TELAR_OUT_OF_RANGE'
  | 'ERR_TELAR_QUEUE_FULL'
  | 'ERR_TELAR_RECORD_TOO_LARGE'
  | 'ERR_TELAR_TERMINATED'
  | 'ERR_TELAR_TIMEOUT'
  | 'ERR_TELAR_TOO_MANY_THREADS'
  | 'ERR_TELAR_UNKNOWN_OPTION'
  | 'ERR_TELAR_UNREADABLE_VALUE'
  | 'ERR_TELAR_WORKER_EXITED'

/**
 * Every error that telar makes is an instance, those that are TypeErrors or RangeErrors too.
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
  /** Which error it is. */
  readonly code: TelarErrorCode
  /** Of `sendMany()` and its kin: how many of the values had been sent. */
  readonly sent?: number
}

/**
 * A task or a waiting call was aborted, or the pool closed before the task started. `cause` is the
 * reason.
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
  /** Which error it is. */
  readonly code: 'ERR_TELAR_ABORTED'
  /** The reason of the signal. */
  readonly cause: unknown
}
