'use strict'

// 16,000 tasks, many of which fail, loop, are aborted or end their worker. SEED=n repeats what is
// submitted. `npm run soak` runs a hundred thousand with each seed, for as long as it is told.

const { test } = require('node:test')
const { runChaos } = require('../fixtures/chaos')

const seed = process.env.SEED === undefined ? Date.now() % 2 ** 31 : Number(process.env.SEED)

test(`every task settles correctly amid random faults, SEED=${seed}`, {
  timeout: 600_000
}, async (t) => {
  await runChaos({ seed, tasks: 16_000, rounds: 10, log: (line) => t.diagnostic(line) })
})
