'use strict'

// A worker begins its tasks in the order of run(), whichever route they take, and however many
// follow.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { byPort } = require('../fixtures/by-port')
const { usePool } = require('../fixtures/use-pool')

const kInFlight = 500
const kEvery = 97
const kTasks = 20_000

const ways = {
  'a port to transfer': () => [new Uint8Array(8), byPort()],
  'a value for the platform': () => [new SharedArrayBuffer(8)],
  'a moved buffer': () => {
    const bytes = new Uint8Array(8)
    return [bytes, { transferList: [bytes.buffer] }]
  }
}

for (const [name, special] of Object.entries(ways)) {
  test(`no task overtakes one with ${name}`, { timeout: 60_000 }, async (t) => {
    const pool = usePool(t, 'turns.js', { minThreads: 1, maxThreads: 1 })
    let submitted = 0
    const loop = async () => {
      while (submitted < kTasks) {
        const turn = submitted++
        const task = turn % kEvery === 0 ? special() : [turn]
        assert.equal(await pool.run(...task), turn)
      }
    }
    await Promise.all(Array.from({ length: kInFlight }, loop))
  })
}
