// What the types of the primitives promise; `tsc` is the test runner.

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

type Equal<A, B> = (<X>() => X extends A ? 1 : 2) extends (<X>() => X extends B ? 1 : 2) ? true : false
function expectType<T> (_value: T): void {}
function expectEqual<A, B> (_isEqual: Equal<A, B>): void {}

async function words (ints: Int32Array, longs: BigInt64Array): Promise<void> {
  expectType<WaitResult>(wait(ints, 0, 0))
  expectType<WaitResult>(wait(longs, 0, 0n, 100))
  expectType<Promise<WaitResult>>(waitAsync(ints, 0, 0, { timeout: 5, signal: AbortSignal.timeout(5) }))
  await waitAsync(ints, 0, 0, { signal: new EventEmitter() })
  expectType<number>(notify(longs, 0, 1))
  // @ts-expect-error a bigint for 64 bits
  wait(longs, 0, 0)
  // @ts-expect-error a number for 32 bits
  await waitAsync(ints, 0, 0n)
  // @ts-expect-error misspelt
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
  // @ts-expect-error may be null
  mutex.tryLock().unlock()
  {
    using reader = await lock.read()
    expectType<Guard>(reader)
    // @ts-expect-error a reader says nothing about the data
    reader.markConsistent()
  }
  using writer = lock.writeSync()
  expectType<ExclusiveGuard>(writer)
  // @ts-expect-error not a lock's
  lock.lockSync()
}

async function counting (): Promise<void> {
  const semaphore = new Semaphore(2, 4)
  using permit = semaphore.acquireSync()
  expectType<Permit>(permit)
  semaphore.release(2)
  expectType<boolean>(await new Barrier(2).wait())
  expectType<void>(await new Latch(2).wait({ timeout: 1 }))
  // @ts-expect-error how many
  new Latch() // eslint-disable-line no-new
  expectType<Promise<boolean>>(new Once().run(async (wasInterrupted) => expectType<boolean>(wasInterrupted)))
  const counter = new Counter()
  expectType<number>(counter.increment())
  expectEqual<32, typeof counter.bits>(true)
  const long = new Counter<bigint>({ bits: 64, value: 5n })
  expectType<bigint>(await long.waitFor((value) => value > 10n))
  expectType<boolean>(long.tryAdd(1n, { max: 10n }))
  // @ts-expect-error a bigint
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
  // @ts-expect-error a mutex's guard, not a reader's
  condition.waitSync(lock.readSync())
}

function sharing (worker: Worker, received: Shared<'Mutex'>, other: Shared<'Latch'>): void {
  const mutex: Mutex = Mutex.from(received)
  worker.postMessage({ mutex })
  expectType<Mutex>(Mutex.from(workerData))
  expectType<Counter<bigint>>(Counter.from<bigint>(workerData))
  expectType<Shared<'Mutex'>>(mutex)
  // @ts-expect-error of another kind
  Mutex.from(other)
}

export { conditions, counting, locks, sharing, words }
