'use strict'

// Pools release what they take from the process, and keep little. Each case counts in a process of
// its own.

const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')
const { promisify } = require('node:util')

const run = promisify(execFile)
const programOf = (...names) => path.join(__dirname, '..', 'fixtures', ...names)

test('pools that are created and ended one after another leave nothing behind', async (t) => {
  const { stdout } = await run(process.execPath,
    ['--expose-gc', programOf('lifecycle', 'leak.js'), '120'])
  const figures = JSON.parse(stdout)
  t.diagnostic(stdout)
  // The first quarter fills the caches of Node and of the allocator.
  const before = figures[1]
  const after = figures.at(-1)
  for (const name of ['threads', 'descriptors', 'handles']) {
    assert.equal(after[name], before[name], name)
  }
  // 90 pools: each shares 257 MB with its workers, of which it touches one.
  assert.ok(after.rss - before.rss < 45,
    `resident memory grew from ${before.rss} to ${after.rss} MB`)
  assert.ok(after.reserved - before.reserved < 10 * 257,
    `reserved memory grew from ${before.reserved} to ${after.reserved} MB`)
})

test('the memory of a pool does not grow with the number of its task functions', {
  timeout: 120_000
}, async (t) => {
  const { stdout } = await run(process.execPath,
    ['--expose-gc', programOf('task-functions', 'many.js')])
  t.diagnostic(stdout)
  const { asked, owner, worker, process: all } = JSON.parse(stdout)
  assert.ok(owner < asked / 5, `the owner keeps ${owner} bytes`)
  assert.ok(worker < asked / 5, `the worker keeps ${worker} bytes`)
  // Messages that a busy worker has not yet read take memory, too.
  assert.ok(all < asked, `the process keeps ${all} bytes`)
})
