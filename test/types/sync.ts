// What the types of the primitives promise. `tsc` is the test runner.

import { EventEmitter } from 'node:events'
import { type Worker, workerData } from 'node:worker_threads'
import {
  Barrier,
  Condition,
  Counter,
  type ExclusiveGuard,
  type Guard,
  Latch,
  Mutex,
  Once,
  type Permit,
  RwLock,
  Semaphore,
  type Shared,
  type WaitResult,
  notify,
  wait,
  waitAsync
} from 'telar'
import { expectEqual, expectType } from './expect'

async function words (ints: Int32Array, longs: BigInt64Array): Promise<void> {
  expectType<WaitResult>(wait(ints, 0, 0))
  expectType<WaitResult>(wait(longs, 0, 0n, 100))
  const limits = { timeout: 5, signal: AbortSignal.timeout(5) }
  expectType<Promise<WaitResult>>(waitAsync(ints, 0, 0, limits))
  await waitAsync(ints, 0, 0, { signal: new EventEmitter() })
  expectType<number>(notify(longs, 0, 1))
  // @ts-expect-error 64 bits take a bigint
  wait(longs, 0, 0)
  // @ts-expect-error 32 bits take a number
  await waitAsync(ints, 0, 0n)
  // @ts-expect-error a misspelled option
  wait(ints, 0, 0, { timeuot: 5 })
}

async function locks (mutex: Mutex, lock: RwLock): Promise<void> {
  {
    using guard = mutex.lockSync({ timeout: 5 })
    expectType<ExclusiveGuard>(guard)
    if (guard.isInconsistent) guard.markConsistent()
  }
  const guard = await mutex.lock({ signal: null })
  guard.unlock()
  expectEqual<ExclusiveGuard | null, ReturnType<typeof mutex.tryLock>>(true)
  // @ts-expect-error the guard may be null
  mutex.tryLock().unlock()
  {
    using reader = await lock.read()
    expectType<Guard>(reader)
    // @ts-expect-error a reader says nothing about the data
    reader.markConsistent()
  }
  using writer = lock.writeSync()
  expectType<ExclusiveGuard>(writer)
  // @ts-expect-error a method that the lock does not have
  lock.lockSync()
}

async function counting (): Promise<void> {
  const semaphore = new Semaphore(2, 4)
  using permit = semaphore.acquireSync()
  expectType<Permit>(permit)
  semaphore.release(2)
  expectType<boolean>(await new Barrier(2).wait())
  expectType<void>(await new Latch(2).wait({ timeout: 1 }))
  // @ts-expect-error no count
  new Latch() // eslint-disable-line no-new
  const running = new Once().run(async (wasInterrupted) => expectType<boolean>(wasInterrupted))
  expectType<Promise<boolean>>(running)
  const counter = new Counter()
  expectType<number>(counter.increment())
  expectEqual<32, typeof counter.bits>(true)
  const long = new Counter<bigint>({ bits: 64, value: 5n })
  expectType<bigint>(await long.waitFor((value) => value > 10n))
  expectType<boolean>(long.tryAdd(1n, { max: 10n }))
  // @ts-expect-error 64 bits take a bigint
  long.add(1)
  // @ts-expect-error bits and value belong together
  new Counter<bigint>({ bits: 32 }) // eslint-disable-line no-new
  // @ts-expect-error 64 bits have to be asked for
  new Counter<bigint>() // eslint-disable-line no-new
}

async function conditions (condition: Condition, mutex: Mutex, lock: RwLock): Promise<void> {
  const guard = mutex.lockSync()
  expectType<boolean>(condition.waitSync(guard, { timeout: 5 }))
  expectType<boolean>(await condition.waitFor(guard, () => 1))
  // @ts-expect-error the guard of a reader, not of a mutex
  condition.waitSync(lock.readSync())
}

function sharing (worker: Worker, received: Shared<'Mutex'>, other: Shared<'Latch'>): void {
  const mutex: Mutex = Mutex.from(received)
  worker.postMessage({ mutex })
  expectType<Mutex>(Mutex.from(workerData))
  expectType<Counter<bigint>>(Counter.from<bigint>(workerData))
  expectType<Shared<'Mutex'>>(mutex)
  // @ts-expect-error an object of another kind
  Mutex.from(other)
}

export { conditions, counting, locks, sharing, words }
