'use strict'

// One trial: one driver, one task, in a process of its own. run.js starts it, with the trial as
// JSON in the first argument, and reads the figures as JSON from file descriptor 3.

const fs = require('node:fs')

const { drivers } = require('./drivers')
const { measurements } = require('./measure')
const { tasks } = require('./tasks')

const REPORT_FD = 3

let reported = false

/** Synchronous, since it may run while the process is exiting. */
function report (figures) {
  if (reported) return
  reported = true
  fs.writeSync(REPORT_FD, JSON.stringify(figures))
}

async function main () {
  const trial = JSON.parse(process.argv[2])
  const driver = drivers[trial.driver]
  const task = tasks.find(({ id }) => id === trial.task)
  const library = await driver.load()
  const figures = await measurements[task.kind]({ ...trial, driver, task, library, report })
  report({ ...figures, peakMegabytes: process.resourceUsage().maxRSS / 1024 })
  // Closing the pool is in none of the figures, and in some of the rivals it does not always end.
  process.exit()
}

main().catch((error) => {
  console.error(error)
  // Not just the exit code: the pool's workers would keep the process alive.
  process.exit(1)
})
