'use strict'

// SEED=n repeats a run. `npm run soak` does the same for as long as it is told.

const { test } = require('node:test')
const { runChaos } = require('../fixtures/channel/chaos')

const seed = process.env.SEED === undefined ? Date.now() % 2 ** 31 : Number(process.env.SEED)

test(`chaos of channels, SEED=${seed}`, { timeout: 600_000 }, async (t) => {
  await runChaos({ seed, rounds: 40, log: (line) => t.diagnostic(line) })
})
