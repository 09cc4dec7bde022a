'use strict'

// pool.transform() and pool.transformStream(): maps as streams.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const http = require('node:http')
const os = require('node:os')
const path = require('node:path')
const { Readable, Transform, Writable } = require('node:stream')
const { pipeline } = require('node:stream/promises')
const { ReadableStream, WritableStream } = require('node:stream/web')
const { test } = require('node:test')
const { setTimeout: sleep } = require('node:timers/promises')
const zlib = require('node:zlib')
const { collect, range } = require('../fixtures/collect')
const { createGate } = require('../fixtures/fault-helpers')
const { until } = require('../fixtures/until')
const { usePool } = require('../fixtures/use-pool')

const limit = { timeout: 60_000 }
const useMany = (t, options) => usePool(t, 'many.js', options)
const objects = (values) => Readable.from(values)

test('transform() gives the results in order, in a pipeline', limit, async (t) => {
  const pool = useMany(t, { name: 'root', maxThreads: 2 })
  const stream = pool.transform()
  assert.ok(stream instanceof Transform)
  assert.deepEqual([stream.readableObjectMode, stream.writableObjectMode], [true, true])
  const seen = []
  await pipeline(objects(range(3000)), stream, new Writable({
    objectMode: true,
    write (value, encoding, callback) {
      seen.push(value)
      callback()
    }
  }))
  assert.deepEqual(seen, range(3000).map(Math.sqrt))
  assert.ok(stream.destroyed)
  assert.ok(pool.completed < 3000)
  assert.deepEqual(await collect(objects([]).pipe(pool.transform())), [])
})

test('a writer that waits for nothing loses nothing', limit, async (t) => {
  const stream = useMany(t, { name: 'root' }).transform()
  const count = 200_000 // more than a call can have arguments
  for (let i = 0; i < count; i++) stream.write(i)
  stream.end()
  let next = 0
  for await (const root of stream) assert.equal(root, Math.sqrt(next++))
  assert.equal(next, count)
})

test('lines of a gzip file are transformed into another gzip file', limit, async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'telar-transform-'))
  t.after(() => fs.rmSync(folder, { recursive: true }))
  const [from, to] = ['from.gz', 'to.gz'].map((name) => path.join(folder, name))
  const text = range(4000).map((i) => `line ${i}\n`).join('')
  fs.writeFileSync(from, zlib.gzipSync(text))
  const pool = useMany(t, { name: 'upper' })
  await pipeline(
    fs.createReadStream(from), zlib.createGunzip(), lines, pool.transform(),
    zlib.createGzip(), fs.createWriteStream(to))
  assert.equal(zlib.gunzipSync(fs.readFileSync(to)).toString(), text.toUpperCase())
})

async function * lines (chunks) {
  let rest = ''
  for await (const chunk of chunks) {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop()
    for (const line of parts) yield `${line}\n`
  }
}

test('the body of an HTTP request is transformed into that of the response', limit, async (t) => {
  const pool = useMany(t, { name: 'upper' })
  const server = http.createServer((request, response) => {
    pipeline(request, lines, pool.transform(), response).catch(() => response.destroy())
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const text = range(2000).map((i) => `item ${i}\n`).join('')
  const answer = await new Promise((resolve, reject) => {
    const { port } = server.address()
    http.request({ host: '127.0.0.1', port, method: 'POST', agent: false }, resolve)
      .on('error', reject)
      .end(text)
  })
  assert.equal((await collect(answer.setEncoding('utf8'))).join(''), text.toUpperCase())
})

test('an error of a task destroys all streams of a pipeline', limit, async (t) => {
  const pool = useMany(t, { name: 'failAt' })
  const source = objects((function * () { for (let i = 0; ; i++) yield i === 500 ? -1 : i })())
  const stream = pool.transform()
  const sink = new Writable({ objectMode: true, write: (value, encoding, done) => done() })
  await assert.rejects(pipeline(source, stream, sink), { message: 'failed at -1', itemIndex: 500 })
  for (const part of [source, stream, sink]) assert.ok(part.destroyed)
  assert.deepEqual(await pool.runMany([1]), [1])
})

test('an error of the source, and one of the sink, cancel what waits', limit, async (t) => {
  const gate = createGate()
  const pool = useMany(t, { name: 'hold', workerData: gate.buffer })
  for (const failing of ['source', 'sink']) {
    gate.set(0, 0)
    const reached = gate.count(1) + 1
    const source = new Readable({ objectMode: true, read () {} })
    const sink = new Writable({ objectMode: true, write: (value, encoding, done) => done() })
    const stream = pool.transform({ batch: 1 })
    const done = assert.rejects(pipeline(source, stream, sink), { message: 'broken' })
    for (let i = 0; i < 100; i++) source.push(i)
    await gate.reached(1, reached)
    const part = failing === 'source' ? source : sink
    part.destroy(new Error('broken'))
    await done
    assert.ok(stream.destroyed)
    gate.open(0)
    assert.equal(await pool.run('after'), 'after')
    assert.equal(gate.count(1), reached + 1)
  }
})

test('destroy() and a signal end a transform', limit, async (t) => {
  const gate = createGate()
  const pool = useMany(t, { name: 'hold', workerData: gate.buffer })
  const stream = pool.transform()
  stream.write(1)
  await gate.reached(1, 1)
  stream.destroy()
  await new Promise((resolve) => stream.once('close', resolve))
  const stop = new AbortController()
  const aborted = pool.transform({ signal: stop.signal, abort: 'cooperative' })
  const failed = assert.rejects(collect(aborted), { code: 'ERR_TELAR_ABORTED' })
  aborted.write(1)
  stop.abort()
  await failed
  assert.ok(aborted.destroyed)
  gate.open(0)
  assert.equal(await pool.run('after'), 'after')
})

test('a transform that is not read does not read on', limit, async (t) => {
  const pool = useMany(t)
  let taken = 0
  const source = objects((function * () { for (;;) yield taken++ })())
  const stream = source.pipe(pool.transform({ batch: 2, highWaterMark: 4 }))
  stream.on('readable', () => {}) // fills its buffer
  await until(() => stream.readableLength >= 4)
  await sleep(20)
  const before = taken
  await sleep(20)
  assert.equal(taken, before)
  assert.ok(taken < 60, `${taken} items were taken`)
  stream.destroy()
  source.destroy()
})

test('streams that hold nothing pass everything', limit, async (t) => {
  const pool = useMany(t, { name: 'root' })
  const roots = range(100).map(Math.sqrt)
  const stream = objects(range(100)).pipe(pool.transform({ highWaterMark: 0 }))
  assert.deepEqual(await collect(stream), roots)
  const web = ReadableStream.from(range(100)).pipeThrough(
    pool.transformStream({ highWaterMark: 0 }))
  assert.deepEqual(await collect(web), roots)
})

test('null ends no stream by accident, and undefined passes', limit, async (t) => {
  const pool = useMany(t, { name: 'follow' })
  const failing = objects([{ value: 1 }, { value: null }]).pipe(pool.transform())
  await assert.rejects(collect(failing), {
    code: 'ERR_TELAR_INVALID_ARGUMENT', message: /transformStream/
  })
  assert.deepEqual(await collect(objects([{}, { value: 2 }]).pipe(pool.transform())),
    [undefined, 2])
})

test('transformStream() is for web streams', limit, async (t) => {
  const pool = useMany(t, { name: 'follow', maxThreads: 2 })
  const plans = range(500).map((value) => ({ value: value === 7 ? null : value }))
  const results = ReadableStream.from(plans).pipeThrough(pool.transformStream())
  assert.deepEqual(await collect(results), plans.map(({ value }) => value))
  const seen = []
  await ReadableStream.from(plans).pipeThrough(pool.transformStream({ ordered: false })).pipeTo(
    new WritableStream({ write (value) { seen.push(value) } }))
  assert.equal(seen.length, 500)
})

test('errors and cancels pass through a web stream both ways', limit, async (t) => {
  const pool = useMany(t, { name: 'failAt' })
  let cancelled = null
  const endless = (bad) => {
    let i = 0
    return new ReadableStream({
      pull (controller) { controller.enqueue(i++ === bad ? -1 : i) },
      cancel (reason) { cancelled = reason }
    })
  }
  const failing = endless(20).pipeThrough(pool.transformStream())
  await assert.rejects(collect(failing), { message: 'failed at -1' })
  await until(() => cancelled?.message === 'failed at -1')

  for await (const value of endless(Infinity).pipeThrough(pool.transformStream())) {
    if (value === 100) break
  }
  await until(() => cancelled === undefined)

  const broken = new ReadableStream({
    pull (controller) { controller.error(new Error('broken source')) }
  })
  await assert.rejects(collect(broken.pipeThrough(pool.transformStream())),
    { message: 'broken source' })
})

test('what is wrong with the options is thrown', limit, async (t) => {
  const pool = useMany(t)
  for (const method of ['transform', 'transformStream']) {
    assert.throws(() => pool[method]({ highWaterMark: -1 }),
      { code: 'ERR_TELAR_INVALID_ARGUMENT', message: /highWaterMark argument must be an integer/ })
    assert.throws(() => pool[method]({ highwatermark: 1 }),
      { code: 'ERR_TELAR_UNKNOWN_OPTION', message: /did you mean highWaterMark/ })
    assert.throws(() => pool[method]({ batch: 0 }), { code: 'ERR_TELAR_INVALID_ARGUMENT' })
  }
})
