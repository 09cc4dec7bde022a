'use strict'

// Ten million items (ITEMS) through maps and streams, with a heap of 64 MB in each thread.

const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')
const { promisify } = require('node:util')

const run = promisify(execFile)
const program = path.join(__dirname, '..', 'fixtures', 'many', 'flat.js')
const count = Number(process.env.ITEMS ?? 10_000_000)

for (const kind of ['numbers', 'rows', 'async', 'transform', 'stream', 'input']) {
  test(`${count} items fit into a heap of 64 MB: ${kind}`, async (t) => {
    const { stdout } = await run(process.execPath,
      ['--max-old-space-size=64', program, String(count), kind])
    t.diagnostic(stdout)
    const { seen, most } = JSON.parse(stdout)
    assert.equal(seen, count)
    assert.ok(most < 400, `${most} MB were resident`)
  })
}
