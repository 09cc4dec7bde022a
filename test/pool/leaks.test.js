'use strict'

// What pools take from the process they give back, and how little they keep: in a process of its
// own, which counts.

const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')
const { promisify } = require('node:util')

const run = promisify(execFile)
const programOf = (...names) => path.join(__dirname, '..', 'fixtures', ...names)

test('pools created and ended one after another leave nothing behind', async (t) => {
  const { stdout } = await run(process.execPath, ['--expose-gc', programOf('lifecycle', 'leak.js'), '120'])
  const figures = JSON.parse(stdout)
  t.diagnostic(stdout)
  // The first quarter fills the caches of Node and of the allocator.
  const before = figures[1]
  const after = figures.at(-1)
  for (const name of ['threads', 'descriptors', 'handles']) assert.equal(after[name], before[name], name)
  // 90 pools: what they share with their workers is 257 MB each, a megabyte of it touched.
  assert.ok(after.rss - before.rss < 45, `resident memory grew from ${before.rss} to ${after.rss} MB`)
  assert.ok(after.reserved - before.reserved < 10 * 257, `reserved memory grew from ${before.reserved} to ${after.reserved} MB`)
})

test('the memory of a pool does not grow with the number of its task functions', { timeout: 120_000 }, async (t) => {
  const { stdout } = await run(process.execPath, ['--expose-gc', programOf('task-functions', 'many.js')])
  t.diagnostic(stdout)
  const { asked, owner, worker, process: all } = JSON.parse(stdout)
  assert.ok(owner < asked / 5, `the owner keeps ${owner} bytes`)
  assert.ok(worker < asked / 5, `the worker keeps ${worker} bytes`)
  // What a worker that is busy has not been told of takes room as well.
  assert.ok(all < asked, `the process keeps ${all} bytes`)
})
