'use strict'

// SEED=n repeats what the threads draw. `npm run soak` runs the same for as long as it is told.

const { test } = require('node:test')
const { runChaos } = require('../fixtures/channel/chaos')

const seed = process.env.SEED === undefined ? Date.now() % 2 ** 31 : Number(process.env.SEED)

test(`channels stay consistent while threads act and die at random, SEED=${seed}`, {
  timeout: 600_000
}, async (t) => {
  await runChaos({ seed, rounds: 20, log: (line) => t.diagnostic(line) })
})
