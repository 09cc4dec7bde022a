'use strict'

// Maps and streams take the same memory for any number of items, and keep none. Each case runs in a
// process of its own. test/soak/map.test.js has ten million items.

const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')
const { promisify } = require('node:util')

const run = promisify(execFile)
const folder = path.join(__dirname, '..', 'fixtures', 'many')
const limit = { timeout: 120_000 }

for (const [kind, count] of [
  ['numbers', 300_000], ['rows', 50_000], ['async', 300_000], ['transform', 20_000],
  ['stream', 300_000], ['input', 50_000]
]) {
  test(`${count} items fit into a heap of 64 MB: ${kind}`, limit, async (t) => {
    const { stdout } = await run(process.execPath,
      ['--max-old-space-size=64', path.join(folder, 'flat.js'), count, kind])
    t.diagnostic(stdout)
    assert.equal(JSON.parse(stdout).seen, count)
  })
}

test('maps and streams that were left keep no memory', limit, async (t) => {
  const { stdout } = await run(process.execPath,
    ['--expose-gc', path.join(folder, 'leak.js'), '70'])
  t.diagnostic(stdout)
  const figures = JSON.parse(stdout)
  const [before, after] = [figures[2], figures.at(-1)]
  // A map that stays takes 100 KB or so of encodings; a stream has a channel.
  assert.ok(after.heap - before.heap < 1_000_000, `the heap grew by ${after.heap - before.heap}`)
  assert.ok(after.external - before.external < 2_000_000,
    `external memory grew by ${after.external - before.external}`)
  for (const { listeners, queued } of figures) assert.deepEqual([listeners, queued], [0, 0])
})
