// The types of calls: runSync(), exec(), define(), proxy(), createSyncFn().

import { Pool, createSyncFn, move, runAsWorker } from 'telar'
import { expectEqual, expectType } from './expect'
import type { Image } from './work'

const pool = new Pool<number, string>({ filename: '/worker.js' })
const image: Image = { data: new Uint8Array(4), width: 1, height: 1 }

function blocking (): void {
  expectType<string>(pool.runSync(1))
  pool.runSync(1, { timeout: 5, name: 'other' })
  // @ts-expect-error a task of another type
  pool.runSync('1')
  const syncFn = createSyncFn<(a: number) => Promise<string>>('/worker.js', { timeout: 5 })
  expectEqual<typeof syncFn, (a: number) => string>(true)
  syncFn(1)
  createSyncFn(new URL('file:///worker.js'), 100)
  // @ts-expect-error another runner
  createSyncFn('/worker.js', { tsRunner: 'tsx' })
  runAsWorker(async (text: string) => text.length)
}

async function inPlace (): Promise<void> {
  expectType<number>(await pool.exec((a: number, b: number) => a + b, 1, 2))
  expectType<string>(await pool.exec(async (a: string) => a, 'a'))
  expectType<number>(await pool.exec({ fn: (a: Uint8Array) => a.length, priority: 5 },
    move(new Uint8Array(1))))
  await pool.exec({ fn: () => 1, imports: { fs: 'node:fs' }, timeout: 5 })
  // @ts-expect-error an argument of another type
  await pool.exec((a: number) => a, 'a')
  // @ts-expect-error too few arguments
  await pool.exec((a: number, b: number) => a + b, 1)
  // @ts-expect-error exec() gets the function
  await pool.exec({ fn: () => 1, name: 'x' })
  pool.define('square', (x: number) => x * x)
  pool.define('told', (x: number, task) => task.progress(x), { imports: { os: 'node:os' } })
}

async function proxies (): Promise<void> {
  const api = pool.proxy<typeof import('./work')>()
  expectType<Image>(await api.resize(image, 200))
  expectType<Image>(await api.resize(image, 200, 2))
  expectType<number>(await api.add(1, 2))
  expectType<number>(api.add.sync(1, 2))
  expectType<Image>(api.resize.sync(image, 200))
  expectType<Image>(await api.resize.with({ priority: 5, signal: null })(image, 200))
  expectType<AsyncIterable<number>>(api.count.stream(3))
  expectType<AsyncIterable<string>>(api.pages.with({ capacity: 4096 }).stream())
  // @ts-expect-error a generator gives its values by stream()
  await api.count(3)
  // @ts-expect-error too few arguments
  await api.resize(image)
  // @ts-expect-error an argument of another type
  await api.add(1, '2')
  // @ts-expect-error no export with that name
  await api.crop(image)
  // @ts-expect-error an export that is no function
  await api.limit()
  // @ts-expect-error the method chooses the function
  api.add.with({ name: 'other' })
  const loose = pool.proxy({ filename: new URL('file:///other.js') })
  await loose.anything?.(1, 'two')
}

export { blocking, inPlace, proxies }
