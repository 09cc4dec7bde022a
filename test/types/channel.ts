// What the types of Channel promise. `tsc` is the test runner.

import type { Readable, Writable } from 'node:stream'
import type { ReadableStream, WritableStream } from 'node:stream/web'
import { type Worker, workerData } from 'node:worker_threads'
import {
  Channel,
  type ChannelClaim,
  type ChannelReservation,
  type ChannelStats,
  type ReceiveResult,
  select,
  type SelectResult,
  selectSync,
  type Shared,
  TelarError
} from 'telar'
import { expectEqual, expectType } from './expect'

interface Job { id: number }

async function sending (
  channel: Channel<Job>, signal: AbortSignal, jobs: readonly Job[]
): Promise<void> {
  expectType<Promise<void>>(channel.send({ id: 1 }))
  await channel.send({ id: 1 }, { signal })
  await channel.sendMany(jobs, { signal: null })
  expectType<boolean>(channel.trySend({ id: 1 }))
  expectType<number>(channel.trySendMany(jobs))
  channel.sendSync({ id: 1 }, { timeout: 5 })
  channel.sendManySync(jobs, { timeout: Infinity })
  // @ts-expect-error a value of another type
  await channel.send('text')
  // @ts-expect-error a single value instead of many
  await channel.sendMany({ id: 1 })
  await channel.send({ id: 1 }, { timeout: 5, signal })
  channel.sendSync({ id: 1 }, { timeout: 5, signal })
  await channel.close({ timeout: 5, signal })
  // @ts-expect-error milliseconds
  await channel.send({ id: 1 }, { timeout: '5' })
}

async function receiving (channel: Channel<Job>, signal: AbortSignal): Promise<void> {
  const result = await channel.receive({ signal })
  if (result.done) expectType<undefined>(result.value)
  else expectType<Job>(result.value)
  // @ts-expect-error there may be no value
  expectType<Job>(result.value)
  expectEqual<ReceiveResult<Job> | undefined, ReturnType<typeof channel.tryReceive>>(true)
  expectEqual<ReceiveResult<Job>, ReturnType<typeof channel.receiveSync>>(true)
  expectType<Job[]>(await channel.receiveMany(10))
  expectType<Job[]>(channel.receiveManySync(10, { timeout: 0 }))
  expectEqual<Job[] | undefined, ReturnType<typeof channel.tryReceiveMany>>(true)
  for await (const job of channel) expectType<Job>(job)
  expectType<AsyncIterable<Job>>(channel)
  expectType<AsyncIterator<Job, undefined>>(channel[Symbol.asyncIterator]())
  // @ts-expect-error no number of values
  await channel.receiveMany()
  // @ts-expect-error a misspelled option
  await channel.receive({ singal: signal })
}

async function bytes (channel: Channel<Job>, signal: AbortSignal): Promise<void> {
  await channel.sendBytes(Buffer.from('bytes'), { signal })
  expectType<boolean>(channel.trySendBytes(new Uint8Array(3)))
  channel.sendBytesSync(new Uint8Array(3), { timeout: 5 })
  // @ts-expect-error a string instead of bytes
  channel.trySendBytes('bytes')
  {
    using reservation = await channel.reserve(100)
    expectType<ChannelReservation>(reservation)
    expectType<Uint8Array>(reservation.bytes)
    reservation.commit(10)
  }
  expectEqual<ChannelReservation | null, ReturnType<typeof channel.tryReserve>>(true)
  channel.reserveSync(100, { timeout: 5 }).discard()
  {
    using claim = channel.receiveBytesSync()
    expectEqual<ChannelClaim | null, typeof claim>(true)
    if (claim !== null) expectType<Uint8Array>(claim.bytes)
  }
  expectEqual<ChannelClaim | null | undefined, ReturnType<typeof channel.tryReceiveBytes>>(true)
  // @ts-expect-error null at the end
  const { bytes } = await channel.receiveBytes()
  expectType<Uint8Array>(bytes)
}

function streams (channel: Channel<Job>): void {
  expectType<Readable>(channel.readable({ objectMode: true, highWaterMark: 4 }))
  expectType<Writable>(channel.writable({ objectMode: true, end: false }))
  expectType<ReadableStream<Job>>(channel.readableStream())
  expectType<WritableStream<Job>>(channel.writableStream({ end: false }))
  // @ts-expect-error an option that the channel does not have
  channel.writable({ write () {} })
}

async function life (channel: Channel<Job>): Promise<void> {
  expectType<Channel<Job>>(channel.unref().ref())
  await channel.close()
  channel.abort(new Error('enough'))
  channel.detach()
  expectType<ChannelStats>(channel.stats)
  expectType<number>(channel.size + channel.capacity + channel.maxRecord + channel.stats.used)
  expectType<boolean>(channel.closed)
  // @ts-expect-error read only
  channel.capacity = 5
}

function making (): void {
  expectType<Channel<any>>(new Channel())
  const every = { capacity: 4096, producers: 'one', consumers: 'many' } as const
  expectType<Channel<Job>>(new Channel<Job>(every))
  expectType<Channel<Job>>(new Channel<Job>({ overflow: 'drop-oldest' }))
  expectType<number>(new Channel().stats.dropped + new Channel().stats.droppedBytes)
  // @ts-expect-error no policy
  new Channel({ overflow: 'drop' }) // eslint-disable-line no-new
  // @ts-expect-error neither one nor many
  new Channel({ producers: 'two' }) // eslint-disable-line no-new
  // @ts-expect-error a misspelled option
  new Channel({ capcity: 4096 }) // eslint-disable-line no-new
}

async function selecting (
  jobs: Channel<Job>, texts: Channel<string>, signal: AbortSignal
): Promise<void> {
  const result = await select([jobs, texts], { timeout: 5, signal })
  expectType<Channel<Job> | Channel<string>>(result.channel)
  if (!result.done) expectType<Job | string>(result.value)
  expectEqual<SelectResult<Channel<Job>>, { readonly channel: Channel<Job> } & ReceiveResult<Job>>(
    true)
  const { channel, value, done } = selectSync([jobs])
  expectType<Channel<Job>>(channel)
  expectType<boolean>(done)
  expectType<Job | undefined>(value)
  selectSync([jobs, texts] as const, { timeout: 5 })
  // @ts-expect-error a single channel
  await select(jobs)
  // @ts-expect-error not a channel
  await select([jobs, 'text'])
}

function sharing (worker: Worker, received: Shared<'Channel'>, other: Shared<'Mutex'>): void {
  const channel = Channel.from<Job>(received)
  expectType<Channel<Job>>(channel)
  expectType<Channel<Job>>(Channel.from(channel))
  expectType<Channel<any>>(Channel.from(workerData))
  worker.postMessage({ channel })
  expectType<Shared<'Channel'>>(channel)
  // @ts-expect-error an object of another kind
  Channel.from(other)
}

function errors (error: unknown): void {
  if (error instanceof TelarError && error.code === 'ERR_TELAR_CHANNEL_CLOSED') {
    expectEqual<number | undefined, typeof error.sent>(true)
    expectEqual<Channel | undefined, typeof error.channel>(true)
  }
}

export { bytes, errors, life, making, receiving, selecting, sending, sharing, streams }
