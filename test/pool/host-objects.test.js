'use strict'

// Values that only the platform can clone or transfer travel through a pool. Values that the
// platform refuses are refused and cost nothing. Values that are moved are detached from the
// sender.

const assert = require('node:assert/strict')
const { X509Certificate, createSecretKey, randomBytes } = require('node:crypto')
const fs = require('node:fs')
const { open } = require('node:fs/promises')
const net = require('node:net')
const { once } = require('node:events')
const path = require('node:path')
const { createHistogram } = require('node:perf_hooks')
const { test } = require('node:test')
const { move, transferableSymbol, valueSymbol } = require('../..')
const { byPort } = require('../fixtures/by-port')
const { collectGarbage } = require('../fixtures/collect-garbage')
const uncloneable = require('../fixtures/uncloneable')
const { usePool } = require('../fixtures/use-pool')

const kSlots = 4096
const kMiB = 2 ** 20
const nodeMajor = Number(process.versions.node.split('.')[0])

const ask = (pool, name, value, transferList) =>
  pool.run(value, transferList === undefined ? { name } : { name, transferList })
const hostPool = (t, options) => usePool(t, 'host-objects.js', options)

// A module that exports add(a, b).
const wasm = Buffer.from(
  '0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b', 'hex'
)

test('a KeyObject and a CryptoKey arrive in a task', async (t) => {
  const pool = hostPool(t)
  const secret = createSecretKey(Buffer.from('00ff', 'hex'))
  assert.deepEqual(await ask(pool, 'keyObject', secret), { type: 'secret', exported: '00ff' })
  assert.ok((await pool.run({ nested: [secret] })).nested[0].equals(secret))

  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, true,
    ['encrypt', 'decrypt'])
  const iv = randomBytes(12)
  const sealed = await ask(pool, 'cryptoKey', { key, iv, data: Buffer.from('sealed') })
  const opened = await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, sealed)
  assert.equal(Buffer.from(opened).toString(), 'sealed')
})

test('an X509Certificate travels both ways', async (t) => {
  const pool = hostPool(t)
  const file = path.join(__dirname, '..', 'fixtures', 'certificate.pem')
  const certificate = new X509Certificate(fs.readFileSync(file))
  assert.equal(await ask(pool, 'certificate', certificate), 'CN=telar.test')
  assert.equal((await pool.run(certificate)).fingerprint256, certificate.fingerprint256)
})

test('a Blob travels both ways', async (t) => {
  const pool = hostPool(t)
  assert.equal(await ask(pool, 'blob', new Blob(['one ', 'two'])), 'one two')
  const blob = await ask(pool, 'makeBlob', 'from the worker')
  assert.deepEqual([blob.size, blob.type, await blob.text()], [15, 'text/plain', 'from the worker'])
})

test('a BlockList arrives in a task, and a SocketAddress comes back', async (t) => {
  const pool = hostPool(t)
  const list = new net.BlockList()
  list.addAddress('10.1.1.1')
  assert.equal(await ask(pool, 'blockList', { list, address: '10.1.1.1' }), true)
  assert.equal(await ask(pool, 'blockList', { list, address: '10.1.1.2' }), false)
  const address = await pool.run(new net.SocketAddress({ address: '10.2.3.4', port: 80 }))
  assert.equal(address.address, '10.2.3.4')
})

test('a RecordableHistogram is shared', async (t) => {
  const pool = hostPool(t)
  const histogram = createHistogram()
  await ask(pool, 'record', { histogram, values: [5, 6, 7] })
  assert.deepEqual([histogram.count, histogram.min, histogram.max], [3, 5, 7])
  assert.equal((await ask(pool, 'makeHistogram', [1, 2])).count, 2)
})

test('both sides of a SharedArrayBuffer see what the other one writes', async (t) => {
  const pool = hostPool(t)
  const shared = new SharedArrayBuffer(16)
  const words = new Int32Array(shared)
  assert.equal(await ask(pool, 'add', { shared, at: 0, by: 5 }), 0)
  assert.equal(words[0], 5)
  words[1] = 10
  assert.equal(await ask(pool, 'add', { shared: words, at: 1, by: 1 }), 10)
  assert.equal(words[1], 11)
  // As a view with an offset.
  assert.equal(await ask(pool, 'add', { shared: new Int32Array(shared, 8, 1), at: 0, by: 3 }), 0)
  assert.equal(words[2], 3)

  const back = await pool.run({ inside: new Map([['memory', { shared, words }]]) })
  const inner = back.inside.get('memory')
  assert.equal(inner.words.buffer, inner.shared)
  Atomics.store(inner.words, 3, 77)
  assert.equal(words[3], 77)
  assert.equal(new Int32Array(await pool.run(shared))[3], 77)
})

test('a growable SharedArrayBuffer grows on both sides', async (t) => {
  const pool = hostPool(t)
  const shared = new SharedArrayBuffer(8, { maxByteLength: 64 })
  const back = await pool.run(shared)
  shared.grow(32)
  assert.equal(back.byteLength, 32)
})

test('a WebAssembly.Module travels both ways', async (t) => {
  const pool = hostPool(t)
  const module = new WebAssembly.Module(wasm)
  assert.equal(await ask(pool, 'instantiate', { module, a: 20, b: 22 }), 42)
  assert.equal(new WebAssembly.Instance(await pool.run(module)).exports.add(1, 2), 3)
})

test('a MessagePort travels by transfer list, by move() and as a result', async (t) => {
  const pool = hostPool(t)
  const first = new MessageChannel()
  await ask(pool, 'answerOn', { port: first.port2, text: 'listed' }, [first.port2])
  assert.deepEqual((await once(first.port1, 'message'))[0], 'LISTED')

  const second = new MessageChannel()
  await ask(pool, 'answerOnIt', move(second.port2))
  assert.deepEqual((await once(second.port1, 'message'))[0], 'MOVED')

  const port = await ask(pool, 'makePort')
  port.postMessage('echo')
  assert.deepEqual((await once(port, 'message'))[0], ['echo', 'echo'])
  port.close()
})

// The first text that a new client of the port receives.
async function hearFrom (port) {
  const client = net.connect(port, '127.0.0.1')
  try {
    return String((await once(client, 'data'))[0])
  } finally {
    client.destroy()
  }
}

test('a server is transferred if Node can do that, and otherwise stays in place', {
  timeout: 30_000
}, async (t) => {
  const pool = hostPool(t)
  const server = net.createServer((socket) => socket.end('from here'))
  t.after(() => server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address()
  assert.equal(await hearFrom(port), 'from here')

  const served = ask(pool, 'serveOne', { server, text: 'from the task' }, [server])
  if (nodeMajor >= 24) {
    assert.equal(server.listening, false)
    assert.equal(await hearFrom(port), 'from the task')
    assert.equal(await served, port)
  } else {
    await assert.rejects(served,
      nodeMajor === 20 ? { code: 'ERR_INVALID_TRANSFER_OBJECT' } : { name: 'DataCloneError' })
    assert.equal(await hearFrom(port), 'from here')
  }
})

test('a FileHandle is transferred both ways', async (t) => {
  const pool = hostPool(t)
  const handle = await open(__filename)
  assert.equal(await ask(pool, 'readFile', handle, [handle]), fs.readFileSync(__filename, 'utf8'))
  assert.equal(handle.fd, -1)
  const opened = await ask(pool, 'openFile', __filename)
  assert.match(await opened.readFile('utf8'), /^'use strict'/)
  await opened.close()
})

test('streams are transferred both ways', async (t) => {
  const pool = hostPool(t)
  const source = ReadableStream.from(['a', 'b', 'c'])
  assert.equal(await ask(pool, 'readStream', source, [source]), 'abc')

  let text = ''
  for await (const chunk of await ask(pool, 'makeStream', ['x', 'y'])) text += chunk
  assert.equal(text, 'xy')

  const written = []
  await new Promise((resolve, reject) => {
    const sink = new WritableStream({ write (chunk) { written.push(chunk) }, close: resolve })
    ask(pool, 'writeStream', { stream: sink, chunks: [1, 2] }, [sink]).catch(reject)
  })
  assert.deepEqual(written, [1, 2])
})

// ---- Values that cannot be cloned ----

for (const name of Object.keys(uncloneable)) {
  test(`a value that cannot be cloned is refused in both directions: ${name}`, async (t) => {
    const pool = hostPool(t)
    const refused = (error) => {
      assert.ok(error instanceof DOMException, String(error?.stack))
      assert.equal(error.name, 'DataCloneError')
      assert.equal(error.code, DOMException.DATA_CLONE_ERR)
      return true
    }
    await assert.rejects(pool.run(uncloneable[name]()), refused)
    await assert.rejects(pool.run({ deep: [1, { bad: uncloneable[name]() }] }), refused)
    await assert.rejects(pool.run({ bad: uncloneable[name]() }, byPort()), refused)
    for (const way of [
      'returnUncloneable', 'returnNested', 'resolveUncloneable', 'throwUncloneable'
    ]) {
      await assert.rejects(ask(pool, way, name), refused, way)
    }
    assert.equal(await pool.run('next'), 'next')
    assert.equal(pool.queueSize, 0)
  })
}

test('a promise is refused, except as the return value of a task', async (t) => {
  const pool = hostPool(t)
  await assert.rejects(pool.run(Promise.resolve(1)), { name: 'DataCloneError' })
  await assert.rejects(pool.run([Promise.resolve(1)]), { name: 'DataCloneError' })
  await assert.rejects(ask(pool, 'returnPromiseInside', 1), { name: 'DataCloneError' })
  assert.equal(await ask(pool, 'returnPromise', 1), 1)
})

test('a proxy is refused without a call of its traps', async (t) => {
  const pool = hostPool(t)
  const trap = () => { throw new Error('a trap was called') }
  const names = Reflect.ownKeys(Reflect).filter((key) => typeof key === 'string')
  const handler = Object.fromEntries(names.map((name) => [name, trap]))
  await assert.rejects(pool.run({ inside: new Proxy({}, handler) }), { name: 'DataCloneError' })
  // If it is the task itself, the pool reads the mark of move() from it.
  await assert.rejects(pool.run(new Proxy({}, handler)), /a trap was called|could not be cloned/)
})

test('a MessagePort that is in no transfer list is refused', async (t) => {
  const pool = hostPool(t)
  const { port1, port2 } = new MessageChannel()
  await assert.rejects(pool.run({ port1 }), (error) =>
    error.name === 'DataCloneError' || error.code === 'ERR_MISSING_TRANSFERABLE_IN_TRANSFER_LIST')
  port2.close()
  assert.equal(await pool.run(1), 1)
})

test('refused values take no slot, no place and no memory', async (t) => {
  const pool = hostPool(t)
  const rounds = kSlots + 10_000
  const refuse = async (run) => {
    let refused = 0
    const batch = []
    for (let i = 0; i < rounds; i++) {
      batch.push(run().catch((error) => { if (error.name === 'DataCloneError') refused++ }))
      if (batch.length === 500) await Promise.all(batch.splice(0))
    }
    await Promise.all(batch)
    assert.equal(refused, rounds)
  }
  const bad = { bytes: new Uint8Array(1000), bad () {} }
  const arguments_ = () => refuse(() => pool.run(bad))
  const results = () => refuse(() => ask(pool, 'returnNested', 'function'))

  await arguments_()
  await results()
  collectGarbage()
  const before = process.memoryUsage()
  await arguments_()
  await results()
  collectGarbage()
  const after = process.memoryUsage()
  assert.ok(after.heapUsed - before.heapUsed < 8 * kMiB,
    `heap grew by ${after.heapUsed - before.heapUsed}`)
  assert.ok(after.rss - before.rss < 100 * kMiB, `memory grew by ${after.rss - before.rss}`)

  assert.equal(pool.queueSize, 0)
  assert.deepEqual(await Promise.all(Array.from({ length: 2 * kSlots }, (_, i) => pool.run(i))),
    Array.from({ length: 2 * kSlots }, (_, i) => i))
})

// ---- Values that are moved ----

test('a transfer list detaches its values, and the task receives them', async (t) => {
  const pool = hostPool(t)
  const buffer = new Uint8Array([1, 2, 3]).buffer
  const result = await pool.run({ buffer }, { transferList: [buffer] })
  assert.equal(buffer.byteLength, 0)
  assert.deepEqual([...new Uint8Array(result.buffer)], [1, 2, 3])
  const untouched = new Uint8Array([4])
  await pool.run({ untouched }, byPort())
  assert.deepEqual([...untouched], [4])
})

test('move() transfers a buffer, a view, and a view with an offset', async (t) => {
  const pool = hostPool(t)
  const buffer = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer
  assert.deepEqual([...new Uint8Array(await pool.run(move(buffer)))], [1, 2, 3, 4, 5, 6, 7, 8])
  assert.equal(buffer.byteLength, 0)

  for (const Class of [Uint8Array, Int16Array, Float64Array, BigInt64Array, DataView]) {
    const memory = new ArrayBuffer(24)
    new Uint8Array(memory).fill(9)
    const view = new Class(memory, 8, 1)
    const moved = await pool.run(move(view))
    assert.equal(memory.byteLength, 0, Class.name)
    assert.equal(moved.constructor, Class)
    assert.equal(moved.byteOffset, 8)
    assert.deepEqual([...new Uint8Array(moved.buffer)], new Array(24).fill(9))
  }
})

test('move() takes an object that names its transferable and its value', async (t) => {
  const pool = hostPool(t)
  const bytes = new Uint8Array([1, 2])
  const result = await pool.run(move({
    get [transferableSymbol] () { return bytes.buffer },
    get [valueSymbol] () { return { bytes, note: 'with a note' } }
  }))
  assert.equal(bytes.byteLength, 0)
  assert.deepEqual(result, { bytes: new Uint8Array([1, 2]), note: 'with a note' })

  const several = [new ArrayBuffer(3), new ArrayBuffer(4)]
  const both = await pool.run(move({ [transferableSymbol]: [...several], [valueSymbol]: several }))
  assert.deepEqual(several.map(({ byteLength }) => byteLength), [0, 0])
  assert.deepEqual(both.map(({ byteLength }) => byteLength), [3, 4])
})

test('move() and a transfer list work together', async (t) => {
  const pool = hostPool(t)
  const buffer = new ArrayBuffer(5)
  const { port1, port2 } = new MessageChannel()
  const value = { buffer, port: port2 }
  await ask(pool, 'answerOn',
    move({ [transferableSymbol]: port2, [valueSymbol]: { ...value, text: 'both' } }), [buffer])
  assert.equal(buffer.byteLength, 0)
  assert.deepEqual((await once(port1, 'message'))[0], 'BOTH')
})

for (const [name, fill] of [
  ['keepAndMove', 7], ['keepAndMoveBuffer', 8], ['keepAndMoveLater', 7], ['keepAndMoveObject', 9]
]) {
  test(`move() detaches a result in the worker: ${name}`, async (t) => {
    const pool = hostPool(t)
    for (const length of [10, 100_000]) {
      const result = await ask(pool, name, length)
      assert.equal(await ask(pool, 'keptLength'), 0)
      const bytes = result.bytes ?? new Uint8Array(result.buffer ?? result)
      assert.deepEqual([bytes.length, bytes[0], bytes[length - 1]], [length, fill, fill])
    }
  })
}

test('a task can throw what it moves', async (t) => {
  const pool = hostPool(t)
  await assert.rejects(ask(pool, 'keepAndThrow', 3), (bytes) => {
    assert.deepEqual([...bytes], [10, 10, 10])
    return true
  })
  assert.equal(await ask(pool, 'keptLength'), 0)
})

test('a transfer that the platform refuses leaves everything as it was', async (t) => {
  const pool = hostPool(t)
  const other = new ArrayBuffer(8)
  await assert.rejects(pool.run(other, { transferList: [other, other] }),
    { name: 'DataCloneError' })
  assert.equal(other.byteLength, 8)
  assert.equal(await pool.run('next'), 'next')
})

test('thousands of moved and copied tasks keep their own values', async (t) => {
  const pool = hostPool(t, { maxThreads: 2, minThreads: 2, concurrentTasksPerWorker: 3 })
  const runs = Array.from({ length: 3000 }, (_, i) => {
    switch (i % 4) {
      case 0: return pool.run(move(new Uint32Array([i]))).then((view) => view[0])
      case 1: return ask(pool, 'keepAndMove', 1 + i % 50)
        .then((view) => view.length === 1 + i % 50 ? i : view.length)
      case 2: return pool.run({ i, shared: new SharedArrayBuffer(4) }).then((value) => value.i)
      default: return pool.run(i)
    }
  })
  assert.deepEqual(await Promise.all(runs), runs.map((_, i) => i))
})

test('results by port reach their own tasks, in whatever order they are ready', async (t) => {
  const pool = hostPool(t, { concurrentTasksPerWorker: 8 })
  for (let round = 0; round < 50; round++) {
    const ids = Array.from({ length: 8 }, (_, i) => round * 8 + i)
    const runs = ids.slice(0, 7).map((id) => ask(pool, 'hold', id))
    runs.push(ask(pool, 'releaseAll', ids[7]))
    assert.deepEqual((await Promise.all(runs)).map(({ id }) => id), ids)
  }
})

// ---- Sizes ----

test('bytes and texts of sizes around every boundary of the memory arrive whole', async (t) => {
  const pool = hostPool(t)
  const around = (size) => Array.from({ length: 33 }, (_, i) => size - 24 + i)
  for (const length of [
    ...around(232), ...around(256), ...around(4096), ...around(32_768), ...around(65_536)
  ]) {
    const bytes = randomBytes(length)
    const text = 'a'.repeat(length - 1) + 'z'
    const wide = 'é—'.repeat(length >>> 2)
    const result = await pool.run({ bytes, text, wide })
    assert.ok(result.bytes.equals(bytes), `${length} bytes`)
    assert.equal(result.text, text)
    assert.equal(result.wide, wide)
    assert.ok(bytes.equals(await pool.run(bytes)), `${length} bytes alone`)
    assert.equal(await pool.run(text), text)
    assert.equal(await pool.run(wide), wide)
  }
})

test('bytes around the largest block, and beyond all shared memory, arrive whole', async (t) => {
  const pool = hostPool(t, { sharedMemory: 64 * kMiB })
  for (const length of [16 * kMiB - 64, 16 * kMiB - 8, 16 * kMiB, 16 * kMiB + 1, 65 * kMiB]) {
    const bytes = Buffer.alloc(length, 1)
    bytes[length - 1] = 2
    const result = await pool.run(bytes)
    assert.ok(bytes.equals(result), `${length} bytes`)
    const text = await pool.run('t'.repeat(length - 1) + 'z')
    assert.deepEqual([text.length, text.at(-1)], [length, 'z'])
  }
})

test('more values in flight than the shared memory holds arrive whole', async (t) => {
  const pool = hostPool(t, { sharedMemory: kMiB, maxThreads: 2, minThreads: 2 })
  for (const length of [300, 5000, 60_000, 300_000]) {
    const runs = Array.from({ length: Math.ceil(2e7 / length / 4) }, (_, i) =>
      pool.run(Buffer.alloc(length, i)))
    const results = await Promise.all(runs)
    for (const [i, result] of results.entries()) {
      const ends = [result.length, result[0], result[length - 1]]
      assert.deepEqual(ends, [length, i % 256, i % 256])
    }
  }
  assert.equal(pool.queueSize, 0)
})

test('a result has the same type whatever memory there is for it', async (t) => {
  const pool = hostPool(t, { sharedMemory: kMiB })
  const hundred = (name) => Array.from({ length: 100 }, () => ask(pool, name, 100_000))
  const buffers = await Promise.all(hundred('makeBuffer'))
  assert.equal(buffers.filter(Buffer.isBuffer).length, 100)
  const errors = await Promise.allSettled(hundred('throwCoded'))
  const isWhole = ({ reason }) => reason.code === 'E_CODED' && reason.pad.length === 100_000
  assert.equal(errors.filter(isWhole).length, 100)
  assert.ok(Buffer.isBuffer(await ask(pool, 'makeBuffer', 20 * kMiB)))
  assert.ok(Buffer.isBuffer(await pool.run(Buffer.alloc(20 * kMiB))))
})

test('hundreds of megabytes travel both ways', async (t) => {
  const pool = usePool(t, 'values.js')
  const length = 300 * kMiB
  const bytes = new Uint8Array(length).fill(3)
  bytes[length >>> 1] = 4
  bytes[length - 1] = 5
  assert.deepEqual(await ask(pool, 'describe', bytes), { length, first: 3, middle: 4, last: 5 })
  const result = await ask(pool, 'bytes', { length, fill: 6 })
  assert.deepEqual([result.length, result[0], result[length - 1]], [length, 6, 6])
  const text = await ask(pool, 'text', { unit: '0123456789abcdef', length: 128 * kMiB })
  assert.deepEqual([text.length, text.slice(-3)], [128 * kMiB, 'def'])
  assert.equal((await ask(pool, 'describe', text)).last, 'f')
})
