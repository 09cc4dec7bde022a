'use strict'

// A worker's console output travels through its event loop to the main thread.
// A task's result must not overtake it: the process may end as soon as the last
// result is there. This tells whether output is on its way, without creating
// the streams in workers that print nothing.

const used = []

for (const name of ['stdout', 'stderr']) {
  const descriptor = Object.getOwnPropertyDescriptor(process, name)
  if (typeof descriptor?.get !== 'function' || !descriptor.configurable) continue
  Object.defineProperty(process, name, {
    ...descriptor,
    get () {
      const stream = descriptor.get.call(process)
      Object.defineProperty(process, name, descriptor)
      used.push(stream)
      return stream
    }
  })
}

function hasOutput () {
  for (let i = 0; i < used.length; i++) {
    if (used[i].writableLength > 0) return true
  }
  return false
}

// Resolves when what has been written so far has been handed to the main thread.
async function flushOutput () {
  for (const stream of used) {
    if (stream.writableLength > 0) await new Promise((resolve) => stream.write('', resolve))
  }
}

module.exports = { flushOutput, hasOutput }
