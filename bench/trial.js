'use strict'

// One trial of one driver and one task, in its own process. run.js starts it, with the trial as
// JSON in the first argument, and reads the figures as JSON from file descriptor 3.

const fs = require('node:fs')

const { drivers } = require('./drivers')
const { measurements } = require('./measure')
const { tasks } = require('./tasks')

const REPORT_FD = 3

let reported = false

/** Writes the figures. It is synchronous, since it may run while the process exits. */
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
  // The pool is not closed: no figure includes that, and some libraries do not always finish it.
  process.exit()
}

main().catch((error) => {
  console.error(error)
  // It is not enough to set the exit code: the workers of the pool would keep the process alive.
  process.exit(1)
})
