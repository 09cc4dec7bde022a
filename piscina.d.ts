// The types of telar/piscina, with the names and shapes of Piscina 5.3.2's types.

import { EventEmitterAsyncResource } from 'node:events'
import type { Worker } from 'node:worker_threads'
import * as telar from './index'

declare class PiscinaPool<T = any, R = any> extends EventEmitterAsyncResource {
  constructor (options?: PiscinaPool.Options)

  run (task: T, options?: PiscinaPool.RunOptions): Promise<R>
  close (options?: PiscinaPool.CloseOptions): Promise<void>
  destroy (): Promise<void>
  [Symbol.dispose] (): void
  [Symbol.asyncDispose] (): Promise<void>

  get maxThreads (): number
  get minThreads (): number
  get options (): PiscinaPool.FilledOptions
  get threads (): Worker[]
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
   * Piscina's options, and two that only telar has: `asyncHooks` (its default is true here) and
   * `sharedMemory`.
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
  export type CloseOptions = telar.CloseOptions
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
