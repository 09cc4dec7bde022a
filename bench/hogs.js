'use strict'

// Keeps processors busy, as other programs on the machine do.

const { spawn } = require('node:child_process')
const { once } = require('node:events')

// Ends soon after its parent, even if that was killed.
const HOG = `
const parent = process.ppid
function work () {
  const until = performance.now() + 100
  while (performance.now() < until);
  if (process.ppid === parent) setImmediate(work)
}
console.log()
work()
`

/** Starts `count` processes that never rest. They end with this one. */
async function useHogs (count) {
  const hogs = Array.from({ length: count }, () =>
    spawn(process.execPath, ['--eval', HOG], { stdio: ['ignore', 'pipe', 'inherit'] }))
  process.once('exit', () => {
    for (const hog of hogs) hog.kill('SIGKILL')
  })
  await Promise.all(hogs.map((hog) => once(hog.stdout, 'data')))
  for (const hog of hogs) {
    hog.unref()
    hog.stdout.destroy()
  }
}

module.exports = { useHogs }
