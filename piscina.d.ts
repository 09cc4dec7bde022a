// The types of telar/piscina, with the names and shapes of Piscina 5.3.2's types.

import { EventEmitterAsyncResource } from 'node:events'
import type { Duplex } from 'node:stream'
import type { ReadableStream, WritableStream } from 'node:stream/web'
import type { Worker } from 'node:worker_threads'
import * as telar from './index'

declare class PiscinaPool<T = any, R = any> extends EventEmitterAsyncResource {
  constructor (options?: PiscinaPool.Options)

  run (task: T, options?: PiscinaPool.RunOptions): Promise<R>
  runSync (task: T, options?: PiscinaPool.RunOptions): R
  exec<F extends (...args: any[]) => any> (
    fn: F | telar.ExecOptions<F>, ...args: telar.CallArguments<Parameters<F>>
  ): Promise<Awaited<ReturnType<F>>>
  define (
    name: string, fn: (value: any, task: telar.TaskContext) => unknown,
    options?: telar.DefineOptions
  ): void
  proxy<M = Record<string, (...args: any[]) => any>> (
    options?: telar.ProxyOptions
  ): telar.PoolProxy<M>
  broadcast (task: T, options?: PiscinaPool.BroadcastOptions): Promise<R[]>
  map (
    items: Iterable<T | PromiseLike<T>> | AsyncIterable<T>, options?: PiscinaPool.MapOptions
  ): telar.AsyncResults<R>
  runMany (
    items: Iterable<T | PromiseLike<T>> | AsyncIterable<T>,
    options: PiscinaPool.RunManyOptions & { settle: true }
  ): Promise<Array<PromiseSettledResult<R>>>
  runMany (
    items: Iterable<T | PromiseLike<T>> | AsyncIterable<T>,
    options?: PiscinaPool.RunManyOptions & { settle?: false | null }
  ): Promise<R[]>
  transform (options?: PiscinaPool.TransformOptions): Duplex
  transformStream (options?: PiscinaPool.TransformOptions): {
    readable: ReadableStream<R>
    writable: WritableStream<T>
  }
  stream (task: T, options?: PiscinaPool.StreamOptions): telar.AsyncResults<R>
  ready (): Promise<void>
  resize (size: PiscinaPool.PoolSize): void
  close (options?: PiscinaPool.CloseOptions): Promise<void>
  destroy (): Promise<void>
  dump (): Promise<telar.PoolDump>
  [Symbol.dispose] (): void
  [Symbol.asyncDispose] (): Promise<void>

  get maxThreads (): number
  get minThreads (): number
  get options (): PiscinaPool.FilledOptions
  get threads (): Worker[]
  get workers (): telar.WorkerStatus[]
  get idleThreads (): number
  get queueSize (): number
  get completed (): number
  get duration (): number
  get utilization (): number
  get needsDrain (): boolean
  get histogram (): PiscinaPool.PiscinaHistogram
}

declare namespace PiscinaPool {
  /**
   * Piscina's options, and those that only telar has: `asyncHooks` (its default is true here),
   * `sharedMemory`, `memoryLimit`, `setup`, `teardown`, `teardownTimeout`, `recycle`, `isolate`,
   * `spareThreads`, `abort`, `graceMs`, `interruptMs`, `timeout` and `queueTimeout`.
   */
  export interface Options extends Omit<telar.PoolOptions, 'filename'> {
    filename?: string | null
  }
  export interface FilledOptions extends Omit<telar.FilledPoolOptions, 'filename'> {
    filename: string | null
  }
  export interface RunOptions extends Omit<telar.RunOptions, 'filename'> {
    filename?: string | null
  }
  export interface BroadcastOptions extends Omit<telar.BroadcastOptions, 'filename'> {
    filename?: string | null
  }
  export interface MapOptions extends Omit<telar.MapOptions, 'filename'> {
    filename?: string | null
  }
  export interface RunManyOptions extends Omit<telar.RunManyOptions, 'filename'> {
    filename?: string | null
  }
  export interface TransformOptions extends Omit<telar.TransformOptions, 'filename'> {
    filename?: string | null
  }
  export interface StreamOptions extends Omit<telar.StreamOptions, 'filename'> {
    filename?: string | null
  }
  export type CloseOptions = telar.CloseOptions
  export type PoolSize = telar.PoolSize
  export type PiscinaHistogram = telar.PoolHistogram
  export type PiscinaHistogramSummary = telar.HistogramSummary
  export type PiscinaLoadBalancer = telar.LoadBalancer
  export type PiscinaTask = telar.PoolTask
  export type PiscinaWorker = telar.PoolWorker
  export type TaskQueue = telar.TaskQueue
  export type Transferable = telar.Transferable

  // The static properties of the class, which the ES module also exports by name.
  export { PiscinaPool as Piscina }
  export import ArrayTaskQueue = telar.ArrayTaskQueue
  export import FixedQueue = telar.FixedQueue
  export import isWorkerThread = telar.isWorkerThread
  export import move = telar.move
  export import queueOptionsSymbol = telar.queueOptionsSymbol
  export import transferableSymbol = telar.transferableSymbol
  export import valueSymbol = telar.valueSymbol
  export import workerData = telar.workerData
  /** The version of Piscina whose interface telar/piscina has. */
  export const version: string
}

export = PiscinaPool
