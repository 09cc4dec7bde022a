'use strict'

// Runs chaos.js of pools with one seed after another for SOAK_SECONDS (an hour by default). SEED=n
// is the first seed.

const { test } = require('node:test')
const { runChaos } = require('../fixtures/chaos')

const seconds = Number(process.env.SOAK_SECONDS ?? 3600)
const first = process.env.SEED === undefined ? Date.now() % 2 ** 31 : Number(process.env.SEED)

test(`every task settles correctly for ${seconds} s, from SEED=${first}`, async () => {
  const end = Date.now() + seconds * 1000
  for (let seed = first; Date.now() < end; seed++) {
    process.stdout.write(`SEED=${seed}\n`)
    await runChaos({
      seed,
      tasks: 100_000,
      rounds: 10,
      log: (line) => process.stdout.write(`  ${line}\n`)
    })
  }
})
